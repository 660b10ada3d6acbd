// Classic faults, planted one at a time: each must be found by the simulation, within a few seeds.
//
// If one is not found any more, the simulation has become blind for it.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "fault.h"
#include "scenario.h"

namespace diaryx::testing {
namespace {

constexpr uint64_t kSeeds = 600;  // most are found in the first ten, the last one once in some 150

struct Fault {
  int number;
  const char* name;
};

class Faults : public ::testing::TestWithParam<Fault> {};

TEST_P(Faults, IsFound) {
  sync::planted_fault = GetParam().number;
  std::string found;
  uint64_t seed = 0;
  while (found.empty() && seed < kSeeds) {
    ++seed;
    found = run_seed(seed, Network::Good).failure;
    if (found.empty()) found = run_seed(seed, Network::Bad).failure;
  }
  sync::planted_fault = 0;
  EXPECT_NE(found, "") << "in " << kSeeds << " seeds";
  std::printf("%-45s found by seed %2llu: %s\n", GetParam().name, static_cast<unsigned long long>(seed),
              found.substr(0, 80).c_str());
}

INSTANTIATE_TEST_SUITE_P(
    Classic, Faults,
    ::testing::Values(Fault{1, "ImportsAFileWithOperationsOfItsOwn"},
                      Fault{2, "TakesTheDiskForTheTruthInsteadOfMerging"}, Fault{3, "SendsAnEditThatItDidNotStore"},
                      Fault{4, "ForgetsDeletionsAtAReconnect"}, Fault{5, "SendsNothingOfWhatWasTypedOffline"},
                      Fault{6, "LeavesLateEditsUnderTheOldName"}, Fault{7, "LosesOneOfTwoChangesOfASave"},
                      Fault{8, "BringsDeletedFilesBack"}, Fault{9, "BelievesThatAWriteSucceeded"},
                      Fault{10, "WritesNamesThatTheDiskRefuses"}, Fault{11, "ForgetsWhatNoReceiptConfirmed"},
                      Fault{12, "KeepsACursorBeforeWhatItStandsFor"}),
    [](const auto& info) { return info.param.name; });

TEST(NoFault, NoneIsPlantedAndNoneIsFound) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_EQ(run_seed(seed, Network::Good).failure, "") << seed;
    EXPECT_EQ(run_seed(seed, Network::Bad).failure, "") << seed;
  }
}

}  // namespace
}  // namespace diaryx::testing
