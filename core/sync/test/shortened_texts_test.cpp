#include "replica/shortened_texts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diaryx::sync {
namespace {

using Paths = std::vector<std::string>;

const std::string kPath = "a.md";
constexpr TimestampMs kNow{10'000};
constexpr TimestampMs kLater{11'000};

struct ShorterCase {
  const char* name;
  std::string before;
  std::string after;
  bool is_truncation;
  bool lost_its_end;
};

class ShorterText : public testing::TestWithParam<ShorterCase> {};

TEST_P(ShorterText, IsToldFromAnEdit) {
  const ShorterCase& given = GetParam();
  EXPECT_EQ(is_truncation(given.before, given.after), given.is_truncation);
  EXPECT_EQ(lost_its_end(given.before, given.after), given.lost_its_end);
}

INSTANTIATE_TEST_SUITE_P(Tables, ShorterText,
                         testing::Values(ShorterCase{"emptied", "one\ntwo\n", "", true, true},
                                         ShorterCase{"was_empty", "", "", false, false},
                                         ShorterCase{"less_than_half", "one\ntwo\n", "one", true, true},
                                         ShorterCase{"just_half", "one\ntwo\n", "one\n", false, true},
                                         ShorterCase{"a_line_taken_out", "one\ntwo\nend\n", "one\nend\n", false, false},
                                         ShorterCase{"the_first_line_alone_is_left", "abcdef\nx\n", "x\n", false, true},
                                         ShorterCase{"another_text", "one\ntwo\nend\n", "new", false, true},
                                         ShorterCase{"longer", "one\n", "one\ntwo\n", false, false}),
                         [](const auto& param) { return std::string(param.param.name); });

TEST(ShortenedTexts, WaitFromTheFirstTimeTheyWereSeen) {
  ShortenedTexts texts;
  texts.add(kPath, "x", /*is_truncation=*/false, kNow);
  const auto moment = texts.next_moment();
  ASSERT_TRUE(moment);
  EXPECT_GT(*moment, kNow);
  texts.add(kPath, "x", /*is_truncation=*/false, kLater);
  EXPECT_EQ(texts.next_moment(), moment);
  texts.wake(kNow);
  EXPECT_EQ(texts.due(), Paths{});
  texts.wake(*moment);
  EXPECT_EQ(texts.due(), Paths{kPath});
  EXPECT_EQ(texts.next_moment(), std::nullopt);
}

TEST(ShortenedTexts, ThatAreHeldAreDueOnlyWhenTheyAreReleased) {
  ShortenedTexts texts;
  texts.add(kPath, "", /*is_truncation=*/true, kNow);
  texts.add("b.md", "x", /*is_truncation=*/false, kNow);
  EXPECT_FALSE(texts.is_any_held());
  texts.hold(kPath);
  EXPECT_TRUE(texts.is_any_held());
  texts.wake(kLater);
  EXPECT_EQ(texts.due(), Paths{"b.md"});
  texts.erase("b.md");
  EXPECT_EQ(texts.next_moment(), std::nullopt);
  texts.release();
  EXPECT_FALSE(texts.is_any_held());
  EXPECT_EQ(texts.due(), Paths{kPath});
}

TEST(ShortenedTexts, NeedNotWaitForAPersonWhoHasSeenThem) {
  ShortenedTexts texts;
  texts.add(kPath, "x", /*is_truncation=*/false, kNow);
  texts.stop_waiting();
  EXPECT_EQ(texts.due(), Paths{kPath});
}

TEST(ShortenedTexts, FollowTheirFile) {
  ShortenedTexts texts;
  texts.add(kPath, "x", /*is_truncation=*/true, kNow);
  texts.move(kPath, "b.md");
  texts.move("c.md", "b.md");
  EXPECT_FALSE(texts.contains(kPath));
  ASSERT_TRUE(texts.contains("b.md"));
  const ShortenedText text = texts.take("b.md");
  EXPECT_EQ(text.bytes, "x");
  EXPECT_TRUE(text.is_truncation);
  EXPECT_FALSE(texts.contains("b.md"));
}

}  // namespace
}  // namespace diaryx::sync
