#include "diaryx/base/shorten.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diaryx {
namespace {

using Row = std::vector<std::string>;

TEST(Shorten, KeepsTheFirstElements) {
  Row row{"a", "b", "c"};
  shorten(row, 2);
  EXPECT_EQ(row, (Row{"a", "b"}));
  shorten(row, 0);
  EXPECT_EQ(row, Row{});
}

TEST(Shorten, MakesNothingLonger) {
  Row row{"a"};
  shorten(row, 1);
  shorten(row, 5);
  EXPECT_EQ(row, Row{"a"});
}

}  // namespace
}  // namespace diaryx
