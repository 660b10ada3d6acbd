#include "diaryx/sync/text_diff.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "diaryx/base/utf.h"

namespace diaryx::sync {
namespace {

// Checks what every list of edits promises and returns how many there are.
size_t check(std::string_view before, std::string_view after) {
  const std::vector<TextEdit> edits = diff_text(before, after);
  EXPECT_EQ(apply_edits(before, edits), after);
  size_t last_end = 0;
  bool first = true;
  for (const TextEdit& edit : edits) {
    const size_t begin = edit.at_utf8.value(), end = begin + edit.erased_bytes;
    EXPECT_TRUE(first || begin > last_end) << "edits touch or overlap";
    EXPECT_TRUE(edit.erased_bytes > 0 || !edit.inserted.empty());
    EXPECT_EQ(edit.at, to_utf16(before, edit.at_utf8));
    EXPECT_EQ(edit.erased, utf16_length(before.substr(begin, end - begin)));
    EXPECT_TRUE(is_valid_utf8(before.substr(0, begin)) && is_valid_utf8(before.substr(begin, end - begin)));
    EXPECT_TRUE(is_valid_utf8(edit.inserted));
    last_end = end;
    first = false;
  }
  return edits.size();
}

TEST(TextDiff, SaysNothingAboutEqualTexts) {
  EXPECT_EQ(check("", ""), 0u);
  EXPECT_EQ(check("same\n", "same\n"), 0u);
}

TEST(TextDiff, FindsOneInsertionOrDeletion) {
  const auto edits = diff_text("see Plan", "see Plans");
  ASSERT_EQ(edits.size(), 1u);
  EXPECT_EQ(edits[0], (TextEdit{Utf16Offset{8}, Length{0}, Utf8Offset{8}, 0, "s"}));
  EXPECT_EQ(diff_text("Hello you", "Help! you")[0], (TextEdit{Utf16Offset{0}, Length{5}, Utf8Offset{0}, 5, "Help!"}));
  EXPECT_EQ(check("", "all of it"), 1u);
  EXPECT_EQ(check("all of it", ""), 1u);
  EXPECT_EQ(check("aaa", "aaaa"), 1u);
}

TEST(TextDiff, T2NeverCutsACharacter) {
  EXPECT_EQ(check("é", "è"), 1u);            // same first byte
  EXPECT_EQ(check("😀", "😁"), 1u);          // same three bytes, and the same high surrogate
  EXPECT_EQ(check("a😀b", "a😁b"), 1u);
  EXPECT_EQ(check("€", "¬"), 1u);            // e2 82 ac and c2 ac: same last byte
  EXPECT_EQ(check("日本語のノート", "日本語ノート"), 1u);
}

TEST(TextDiff, CountsInUtf16Units) {
  const auto edits = diff_text("é😀 x", "é😀 y");
  ASSERT_EQ(edits.size(), 1u);
  EXPECT_EQ(edits[0].at.value(), 4u);
  EXPECT_EQ(edits[0].at_utf8.value(), 7u);
}

TEST(TextDiff, T3FarChangesAreSeparateEdits) {
  const std::string before = "# Plan\n\nfirst line\n\nmiddle stays\n\nlast line\n";
  const std::string after = "# Plans\n\nfirst line\n\nmiddle stays\n\nthe last line\n";
  EXPECT_EQ(check(before, after), 2u);
}

TEST(TextDiff, T3ChangesInOneLineAreSeparateEdits) {
  EXPECT_EQ(check("the quick brown fox jumps over it", "a quick brown fox leaps over it"), 2u);
}

TEST(TextDiff, GoesOnBehindAWordWithoutReplacingIt) {
  // Two devices that go on behind a last line without an end would have its last word twice otherwise.
  const std::string line = "to be done";
  for (const std::string more : {", and soon", ".\nNext line\n", "<2> next\n"}) {
    const auto edits = diff_text(line, line + more);
    ASSERT_EQ(edits.size(), 1u) << more;
    EXPECT_EQ(edits[0], (TextEdit{Utf16Offset{10}, Length{0}, Utf8Offset{10}, 0, more}));
    const auto back = diff_text(line + more, line);
    ASSERT_EQ(back.size(), 1u) << more;
    EXPECT_EQ(back[0].at_utf8.value(), 10u) << more;
    EXPECT_EQ(back[0].inserted, "") << more;
  }
  EXPECT_EQ(diff_text("done", "first, (done"),
            (std::vector<TextEdit>{{Utf16Offset{0}, Length{0}, Utf8Offset{0}, 0, "first, ("}}));
  // Another word that happens to begin alike is another word.
  EXPECT_EQ(diff_text("I", "Ice\nis cold\n")[0].erased, Length{1});
}

TEST(TextDiff, JoinsChangesThatAreOneInAllButASpace) {
  EXPECT_EQ(check("one two", "three four"), 1u);
  EXPECT_EQ(check("cat", "bar"), 1u);
}

TEST(TextDiff, ChangesInLongWordsAreNotOneReplacement) {
  const std::string before = "x" + std::string(200, 'a') + "y";
  const auto edits = diff_text("https://example.org/1/" + before, "https://example.com/1/" + before + "z");
  EXPECT_EQ(edits.size(), 2u);
  EXPECT_EQ(check("https://example.org/1/" + before, "https://example.com/1/" + before + "z"), 2u);
}

TEST(TextDiff, InsertsWholeWordsAndLines) {
  EXPECT_EQ(diff_text("<a> <c>", "<a> <b> <c>")[0].inserted, "<b> ");
  EXPECT_EQ(diff_text("- a\n- c\n", "- a\n- b\n- c\n")[0].inserted, "- b\n");
  EXPECT_EQ(diff_text("- a\n- b\n- c\n", "- a\n- c\n")[0].at_utf8, Utf8Offset{4});
}

TEST(TextDiff, KeepsLineEndingsApart) {
  EXPECT_GE(check("a\r\nb\r\nc\r\n", "a\nb\nc\n"), 1u);
  EXPECT_EQ(check("a\nb", "a\nb\n"), 1u);
}

TEST(TextDiff, IsTheSameEveryTime) {
  const std::string before = "b\na\nb\na\nb\n", after = "a\nb\nb\na\na\n";
  EXPECT_EQ(diff_text(before, after), diff_text(before, after));
}

std::string random_text(std::mt19937& random, size_t pieces) {
  static const char* const kPieces[] = {"a",      "b",  "the ", "\n",      "é",    "è",     "😀", "😁",
                                        "日",     "本", "\r\n", " ",       "word", "\n\n",  "- ", "e\u0301",
                                        "\u200d", "👩", "ß",    "\u0000x", "[x](", "long-", "0",  "€"};
  std::string text;
  for (size_t i = 0; i < pieces; ++i) text += kPieces[random() % std::size(kPieces)];
  return text;
}

// Replaces a few stretches, always at character boundaries.
std::string mutate(std::mt19937& random, std::string text) {
  for (unsigned i = random() % 5; i > 0; --i) {
    size_t at = text.empty() ? 0 : random() % (text.size() + 1);
    while (at > 0 && at < text.size() && is_utf8_continuation(text[at])) --at;
    size_t end = std::min(text.size(), at + random() % 12);
    while (end < text.size() && is_utf8_continuation(text[end])) ++end;
    text.replace(at, end - at, random_text(random, random() % 6));
  }
  return text;
}

TEST(TextDiff, EditsGiveTheNewTextForRandomUnicode) {
  std::mt19937 random(20240601);
  for (int round = 0; round < 20000; ++round) {
    SCOPED_TRACE(round);
    const std::string before = random_text(random, random() % 60);
    check(before, round % 3 ? mutate(random, before) : random_text(random, random() % 60));
    if (testing::Test::HasFailure()) return;
  }
}

// A worst case must not take minutes: two long texts with the same few lines in random order, and one long word.
TEST(TextDiff, StaysBoundedOnHostileTexts) {
  std::mt19937 random(7);
  std::string before, after;
  for (int i = 0; i < 60000; ++i) {
    before += static_cast<char>('a' + random() % 3);
    before += '\n';
    after += static_cast<char>('a' + random() % 3);
    after += '\n';
  }
  check(before, after);
  std::string word, other;
  for (int i = 0; i < 60000; ++i)
    word += static_cast<char>('a' + random() % 3), other += static_cast<char>('a' + random() % 3);
  check(word, other);
}

TEST(TextDiff, OfManySmallChangesIsManySmallEdits) {
  std::string before, after;
  for (int i = 0; i < 2000; ++i) {
    before += "line number " + std::to_string(i) + " of the text\n";
    after += "line number " + std::to_string(i) + (i % 10 ? " of the text\n" : " of a text\n");
  }
  EXPECT_EQ(check(before, after), 200u);
}

TEST(DiffText, SeesTwoNewLinesAroundAnOldOne) {
  // Found by simulation seed 172: taken for one insertion in the middle of two lines, it tore them when the old line was
  // deleted elsewhere.
  const std::string before = "line <5>\nline <2>\nline <25>\n";
  const std::string after = "line <5>\nline <29>\nline <2>\nline <30>\nline <25>\n";
  const std::vector<TextEdit> edits = diff_text(before, after);
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].inserted, "line <29>\n");
  EXPECT_EQ(edits[1].inserted, "line <30>\n");
  EXPECT_EQ(apply_edits(before, edits), after);
}

TEST(DiffText, KeepsALineWholeThatWasAddedBeforeAChangedOne) {
  // Found by simulation seed 99301930: the numbers of the lines begin alike, so the new line was put behind the `<00` of the
  // changed one, and lost its beginning when that one was deleted elsewhere.
  const std::string before =
      "<0005> iujsyit\u00e9\U0001f600flvmyua\n<0006> tvwhogh\u00e9\U0001f600xfurtgl\n<0007> "
      "qckmpar\u00e9\U0001f600jspjskt\n";
  const std::string added = "<0012> cbanyua\u00e9\U0001f600hqhhtvd\n";
  const std::string after =
      "<0005> iujsyit\u00e9\U0001f600flvmyua\n" + added + "<0006> tvwhogh<0019> wsvlexz\u00e9\U0001f600ceitwjc\n";
  const std::vector<TextEdit> edits = diff_text(before, after);
  EXPECT_EQ(apply_edits(before, edits), after);
  ASSERT_EQ(edits.size(), 2u);
  EXPECT_EQ(edits[0].inserted, added);
  EXPECT_EQ(edits[0].erased_bytes, 0u);
  EXPECT_EQ(edits[1].inserted, "<0019> wsvlexz\u00e9\U0001f600ceitwjc");
}

TEST(DiffText, KeepsALineWholeWhoseBeginningIsAlikeWithTheEndOfTheLineBefore) {
  // `poz\n<000` is in both, in the middle of two lines.
  const std::string before = "<0000> ojhoslc\u00e9\U0001f600ldftpoz\n<0001> aqsikmp\u00e9\U0001f600nrloekm\n";
  const std::string after =
      "<0000> ojho<0002> vvuymsy\u00e9\U0001f600kvvvtyc\n<0003> hreubcv\u00e9\U0001f600avuqpoz\n<0004> "
      "xdnoeuw\u00e9\U0001f600nvnbufo\n";
  const std::vector<TextEdit> edits = diff_text(before, after);
  EXPECT_EQ(apply_edits(before, edits), after);
  const auto has_new_line = [](const TextEdit& edit) { return edit.inserted.contains("<0004> xdnoeuw"); };
  EXPECT_EQ(std::ranges::count_if(edits, has_new_line), 1);
}

}  // namespace
}  // namespace diaryx::sync
