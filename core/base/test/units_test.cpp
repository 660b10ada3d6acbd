#include "diaryx/base/units.h"

#include <gtest/gtest.h>

#include <concepts>

namespace diaryx {
namespace {

template <typename A, typename B>
concept Addable = requires(A a, B b) { a + b; };

TEST(Units, HaveOnlyTheArithmeticThatMakesSense) {
  EXPECT_EQ(Clock{3} + Length{4}, Clock{7});
  EXPECT_EQ(Clock{7} - Clock{3}, Length{4});
  EXPECT_EQ(TimestampMs{5} + DurationMs{6}, TimestampMs{11});
  EXPECT_FALSE((Addable<Clock, Clock>));
  EXPECT_FALSE((Addable<Clock, uint32_t>));
  EXPECT_FALSE((Addable<Utf16Offset, Utf8Offset>));
  EXPECT_FALSE((Addable<TimestampMs, TimestampMs>));
  EXPECT_FALSE((std::convertible_to<Utf8Offset, Utf16Offset>));
  EXPECT_FALSE((std::convertible_to<uint32_t, Clock>));
  EXPECT_FALSE((std::equality_comparable_with<DocId, WorkspacePath>));
}

}  // namespace
}  // namespace diaryx
