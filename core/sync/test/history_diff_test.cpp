#include "diaryx/sync/history_diff.h"

#include <gtest/gtest.h>

#include "diaryx/testing/random.h"

namespace diaryx::sync {
namespace {

using testing::Random;

/// `[-removed-]{+added+}`.
std::string marked(std::string_view before, std::string_view after) {
  std::string text;
  for (const DiffPiece& piece : diff_words(before, after)) {
    if (piece.kind == DiffKind::Same) text += piece.text;
    if (piece.kind == DiffKind::Removed) text += "[-" + piece.text + "-]";
    if (piece.kind == DiffKind::Added) text += "{+" + piece.text + "+}";
  }
  return text;
}

TEST(HistoryDiff, ShowsWholeWords) {
  EXPECT_EQ(marked("the colour red", "the color red"), "the [-colour-]{+color+} red");
  EXPECT_EQ(marked("one two", "one and two"), "one {+and +}two");
  EXPECT_EQ(marked("café", "cafés"), "[-café-]{+cafés+}");
  EXPECT_EQ(marked("", "new"), "{+new+}");
  EXPECT_EQ(marked("gone", ""), "[-gone-]");
  EXPECT_EQ(marked("same", "same"), "same");
  EXPECT_EQ(marked("a 😀 b", "a 😃 b"), "a [-😀-]{+😃+} b");
}

TEST(HistoryDiff, TakesIdeographsOneByOne) {
  EXPECT_EQ(marked("\u65e5\u8a18\u3092\u66f8\u304f", "\u65e5\u8a18\u3092\u8aad\u304f"),
            "\u65e5\u8a18\u3092[-\u66f8-]{+\u8aad+}\u304f");
}

TEST(HistoryDiff, ShowsChangedLinesWithTheirSurroundings) {
  const std::string before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n";
  const std::string after = "1\n2\n3\n4\nFIVE\n6\n7\n8\n9\n10\n11\n12\nend";
  const std::vector<DiffHunk> hunks = diff_lines(before, after, 2);
  ASSERT_EQ(hunks.size(), 2u);
  EXPECT_EQ(hunks[0].before_line, 3u);
  EXPECT_EQ(hunks[0].after_line, 3u);
  EXPECT_EQ(hunks[0].before_count, 5u);
  EXPECT_EQ(hunks[0].after_count, 5u);
  EXPECT_EQ(hunks[0].lines[2], (DiffLine{DiffKind::Removed, "5\n"}));
  EXPECT_EQ(hunks[0].lines[3], (DiffLine{DiffKind::Added, "FIVE\n"}));
  EXPECT_EQ(hunks[1].lines.back(), (DiffLine{DiffKind::Added, "end"}));
  EXPECT_EQ(hunks[1].before_count, 2u);
  EXPECT_EQ(hunks[1].after_count, 3u);
  EXPECT_TRUE(diff_lines("same\n", "same\n").empty());
}

TEST(HistoryDiff, TurnsBackTheChosenHunksOnly) {
  const std::string before = "a\nb\nc\nd\ne\nf\ng\n";
  const std::string after = "A\nb\nc\nd\ne\nf\nG\n";
  ASSERT_EQ(diff_lines(before, after, 1).size(), 2u);
  EXPECT_EQ(turn_back(before, after, std::vector<size_t>{0}, 1), "a\nb\nc\nd\ne\nf\nG\n");
  EXPECT_EQ(turn_back(before, after, std::vector<size_t>{1}, 1), "A\nb\nc\nd\ne\nf\ng\n");
  EXPECT_EQ(turn_back(before, after, std::vector<size_t>{0, 1}, 1), before);
  EXPECT_EQ(turn_back(before, after, std::vector<size_t>{7}, 1), after);
}

std::string random_text(Random& random) {
  static const std::vector<std::string> kParts{"word", "a", " ", "\n", "\n\n", "é", "😀", "日", ", ", "x1", "\r\n"};
  std::string text;
  for (uint64_t i = random.below(40); i > 0; --i) text += random.pick(kParts);
  return text;
}

TEST(HistoryDiff, PiecesAndHunksMakeBothTexts) {
  for (uint64_t seed = 1; seed <= 3'000; ++seed) {
    Random random{seed};
    const std::string before = random_text(random);
    std::string after = random_text(random);
    if (random.chance(0.7)) {  // a few edits of the same text
      after = before;
      for (int i = 0; i < 3; ++i) {
        size_t at = random.below(after.size() + 1);
        while (at > 0 && at < after.size() && (after[at] & 0xc0) == 0x80) --at;
        after.insert(at, random_text(random).substr(0, 0) + (random.chance(0.5) ? "new " : "n\n"));
      }
    }
    std::string without_added;
    std::string without_removed;
    for (const DiffPiece& piece : diff_words(before, after)) {
      if (piece.kind != DiffKind::Added) without_added += piece.text;
      if (piece.kind != DiffKind::Removed) without_removed += piece.text;
    }
    ASSERT_EQ(without_added, before) << "seed " << seed;
    ASSERT_EQ(without_removed, after) << "seed " << seed;

    const size_t context = random.below(4);
    const std::vector<DiffHunk> hunks = diff_lines(before, after, context);
    std::vector<size_t> all;
    for (size_t i = 0; i < hunks.size(); ++i) all.push_back(i);
    ASSERT_EQ(turn_back(before, after, all, context), before) << "seed " << seed;
    ASSERT_EQ(turn_back(before, after, {}, context), after) << "seed " << seed;
    size_t before_end = 0;
    for (const DiffHunk& hunk : hunks) {
      ASSERT_GE(hunk.before_line, before_end + 1) << "seed " << seed;
      before_end = hunk.before_line - 1 + hunk.before_count;
      for (const DiffLine& line : hunk.lines) ASSERT_FALSE(line.text.empty());
    }
  }
}

}  // namespace
}  // namespace diaryx::sync
