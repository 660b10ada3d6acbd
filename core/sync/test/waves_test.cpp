#include "replica/waves.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diaryx::sync {
namespace {

using Grace = OutgoingWave::Grace;
using Kind = HeldChange::Kind;
using Verdict = OutgoingWave::Verdict;

constexpr BreakerOptions kOptions{.min_files = 10, .share_percent = 50, .window = DurationMs{60'000}};
constexpr size_t kFiles = 20;
constexpr TimestampMs kNow{100'000};

TimestampMs after(int64_t ms) { return kNow + DurationMs{ms}; }

// --- found here -------------------------------------------------------------------------------------------------

struct VerdictCase {
  const char* name;
  size_t count;
  bool is_holding;
  Grace grace;
  Verdict expected;
};

class OutgoingVerdict : public testing::TestWithParam<VerdictCase> {};

TEST_P(OutgoingVerdict, OfABatchAlone) {
  OutgoingWave wave(kOptions);
  const VerdictCase& given = GetParam();
  EXPECT_EQ(wave.judge(given.count, kFiles, given.is_holding, given.grace, kNow), given.expected);
  EXPECT_EQ(wave.next_moment().has_value(), given.expected == Verdict::Wait);
}

INSTANTIATE_TEST_SUITE_P(Tables, OutgoingVerdict,
                         testing::Values(VerdictCase{"nothing", 0, false, Grace::Given, Verdict::LetThrough},
                                         VerdictCase{"nothing_behind_a_wave", 0, true, Grace::Given,
                                                     Verdict::LetThrough},
                                         VerdictCase{"everyday_work", 1, false, Grace::Given, Verdict::LetThrough},
                                         VerdictCase{"a_fifth_of_a_wave", 2, false, Grace::Given, Verdict::Wait},
                                         VerdictCase{"a_person_waits", 2, false, Grace::Over, Verdict::LetThrough},
                                         VerdictCase{"just_no_wave", 9, false, Grace::Over, Verdict::LetThrough},
                                         VerdictCase{"a_wave", 10, false, Grace::Given, Verdict::Hold},
                                         VerdictCase{"one_behind_a_wave", 1, true, Grace::Given, Verdict::Hold}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(OutgoingWave, WaitsAsLongAsMoreIsMissing) {
  OutgoingWave wave(kOptions);
  EXPECT_EQ(wave.judge(2, kFiles, false, Grace::Given, kNow), Verdict::Wait);
  EXPECT_EQ(wave.next_moment(), after(1'000));
  EXPECT_EQ(wave.judge(3, kFiles, false, Grace::Given, after(900)), Verdict::Wait);
  EXPECT_EQ(wave.judge(3, kFiles, false, Grace::Given, after(1'800)), Verdict::Wait);
  EXPECT_EQ(wave.next_moment(), after(1'900));
  EXPECT_EQ(wave.judge(3, kFiles, false, Grace::Given, after(1'900)), Verdict::LetThrough);
  EXPECT_EQ(wave.next_moment(), std::nullopt);
  EXPECT_EQ(wave.judge(3, kFiles, false, Grace::Given, after(2'000)), Verdict::Wait);  // another batch
}

TEST(OutgoingWave, HoldsWhatBecomesAWaveWhileItWaits) {
  OutgoingWave wave(kOptions);
  EXPECT_EQ(wave.judge(4, kFiles, false, Grace::Given, kNow), Verdict::Wait);
  EXPECT_EQ(wave.judge(10, kFiles, false, Grace::Given, after(500)), Verdict::Hold);
  EXPECT_EQ(wave.next_moment(), std::nullopt);
}

TEST(OutgoingWave, CountsWhatItLetThroughInTheLastMinute) {
  OutgoingWave wave(kOptions);
  for (int i = 0; i < 9; ++i) wave.add(std::to_string(i), Kind::Deletion, kNow);
  EXPECT_EQ(wave.judge(1, kFiles - 9, false, Grace::Given, after(60'000)), Verdict::Hold);
  EXPECT_EQ(wave.judge(1, kFiles - 9, false, Grace::Given, after(60'001)), Verdict::LetThrough);
}

TEST(OutgoingWave, LetsThroughAndDoesNotCountWhatAPersonReleases) {
  OutgoingWave wave(kOptions);
  wave.begin_release();
  EXPECT_EQ(wave.judge(20, kFiles, true, Grace::Given, kNow), Verdict::LetThrough);
  wave.add("a.md", Kind::Deletion, kNow);
  wave.end_release();
  EXPECT_EQ(wave.take_recent(kNow), std::vector<std::string>{});
  EXPECT_EQ(wave.judge(20, kFiles, false, Grace::Given, kNow), Verdict::Hold);
}

// --- made elsewhere ---------------------------------------------------------------------------------------------

TEST(IncomingWave, DecidesOnDeletionsAtOnceAndOnTruncationsWhenItIsQuiet) {
  IncomingWave wave(kOptions);
  wave.ask("a.md", Kind::Truncation, kNow);
  wave.ask("b.md", Kind::Deletion, kNow);
  wave.ask("c.md", Kind::Truncation, after(900));
  EXPECT_EQ(wave.next_moment(), after(1'900));
  EXPECT_EQ(wave.take_due(after(1'000)), (IncomingWave::Removals{{"b.md", Kind::Deletion}}));
  EXPECT_EQ(wave.take_due(after(1'899)), IncomingWave::Removals{});
  EXPECT_TRUE(wave.is_asked());
  EXPECT_EQ(wave.take_due(after(1'900)),
            (IncomingWave::Removals{{"a.md", Kind::Truncation}, {"c.md", Kind::Truncation}}));
  EXPECT_FALSE(wave.is_asked());
  EXPECT_EQ(wave.next_moment(), std::nullopt);
}

TEST(IncomingWave, DecidesOnWhatAFileWasAskedForLast) {
  IncomingWave wave(kOptions);
  wave.ask("a.md", Kind::Truncation, kNow);
  wave.ask("a.md", Kind::Deletion, kNow);
  EXPECT_EQ(wave.take_due(kNow), (IncomingWave::Removals{{"a.md", Kind::Deletion}}));
  EXPECT_EQ(wave.next_moment(), std::nullopt) << "no truncation is left to wait for";
}

TEST(IncomingWave, HoldsAWaveAndWhateverFollows) {
  IncomingWave wave(kOptions);
  EXPECT_FALSE(wave.is_to_be_held(9, kFiles, kNow));
  EXPECT_TRUE(wave.is_to_be_held(10, kFiles, kNow));
  wave.hold({{"a.md", Kind::Deletion}});
  EXPECT_TRUE(wave.is_to_be_held(1, kFiles, after(1'000'000)));
  EXPECT_FALSE(wave.is_to_be_held(0, kFiles, kNow));
  wave.take_held();
  EXPECT_FALSE(wave.is_to_be_held(1, kFiles, kNow));
}

TEST(IncomingWave, AsksForNothingThatItHolds) {
  IncomingWave wave(kOptions);
  wave.hold({{"a.md", Kind::Deletion}, {"b.md", Kind::Truncation}});
  wave.ask("a.md", Kind::Deletion, kNow);
  EXPECT_FALSE(wave.is_asked());
  wave.came_back("a.md");
  wave.came_back("b.md");  // which was there all the time
  wave.came_back("c.md");
  EXPECT_EQ(wave.held(), (IncomingWave::Removals{{"b.md", Kind::Truncation}}));
  wave.ask("a.md", Kind::Deletion, kNow);
  EXPECT_TRUE(wave.is_asked());
}

TEST(IncomingWave, CountsWhatItLetThroughUnlessItWasNoRemoval) {
  IncomingWave wave(kOptions);
  for (int i = 0; i < 9; ++i) wave.add(std::to_string(i), Kind::Deletion, kNow);
  EXPECT_TRUE(wave.is_to_be_held(1, kFiles - 9, kNow));
  wave.forget_if([](const std::string& path) { return path == "3"; });
  EXPECT_FALSE(wave.is_to_be_held(1, kFiles - 8, kNow));
  EXPECT_EQ(wave.take_recent(kNow).size(), 8U);
  EXPECT_TRUE(wave.take_recent(kNow).empty());
}

}  // namespace
}  // namespace diaryx::sync
