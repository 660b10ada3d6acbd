#include "diaryx/base/shorten.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace diaryx {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Shorten, KeepsTheFirstElements) {
  std::vector<std::string> row{"a", "b", "c"};
  shorten(row, 2);
  EXPECT_THAT(row, ElementsAre("a", "b"));
  shorten(row, 0);
  EXPECT_THAT(row, IsEmpty());
}

TEST(Shorten, MakesNothingLonger) {
  std::vector<std::string> row{"a"};
  shorten(row, 1);
  shorten(row, 5);
  EXPECT_THAT(row, ElementsAre("a"));
}

}  // namespace
}  // namespace diaryx
