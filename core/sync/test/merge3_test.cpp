#include "diaryx/sync/merge3.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace diaryx::sync {
namespace {

std::string merged(std::string_view base, std::string_view disk, std::string_view doc) {
  return apply_edits(doc, merge3(base, disk, doc));
}

struct MergeCase {
  const char* name;
  const char* base;
  const char* disk;
  const char* doc;
  const char* result;
};

class Merge3 : public testing::TestWithParam<MergeCase> {};

TEST_P(Merge3, KeepsBothSides) {
  const MergeCase& c = GetParam();
  EXPECT_EQ(merged(c.base, c.disk, c.doc), c.result);
}

INSTANTIATE_TEST_SUITE_P(
    Table, Merge3,
    testing::Values(
        MergeCase{"only_disk", "a b c", "a X c", "a b c", "a X c"},
        MergeCase{"only_document", "a b c", "a b c", "a X c", "a X c"},
        MergeCase{"both_alike", "one two three", "one 2 three", "one 2 three", "one 2 three"},
        MergeCase{"alike_and_more", "one two three\n", "one 2 three\nfour\n", "one 2 three\n", "one 2 three\nfour\n"},
        MergeCase{"far_apart", "one\ntwo\nthree\n", "ONE\ntwo\nthree\n", "one\ntwo\nTHREE\n", "ONE\ntwo\nTHREE\n"},
        MergeCase{"one_line_two_words", "alpha beta gamma", "ALPHA beta gamma", "alpha beta GAMMA", "ALPHA beta GAMMA"},
        MergeCase{"insert_at_one_place", "a\nb\n", "a\ndisk\nb\n", "a\ndoc\nb\n", "a\ndoc\ndisk\nb\n"},
        MergeCase{"append_both", "a\n", "a\n- eggs\n", "a\n- milk\n", "a\n- milk\n- eggs\n"},
        MergeCase{"shared_line_once", "a\n", "a\nboth\ndisk\n", "a\nboth\ndoc\n", "a\nboth\ndoc\ndisk\n"},
        MergeCase{"stale_base_prefix", "", "Hello world", "Hello", "Hello world"},
        MergeCase{"stale_base_suffix", "", "Well, Hello", "Hello", "Well, Hello"},
        MergeCase{"stale_base_other_way", "", "Hello", "Hello world", "Hello world"},
        MergeCase{"stale_base_words", "", "Hello big world", "Hello wide world", "Hello wide big world"},
        MergeCase{"disk_deletes_document_edits_inside", "one two three four five six\n", "one six\n",
                  "one two three NEW four five six\n", "one NEW six\n"},
        MergeCase{"document_deletes_disk_edits_inside", "one two three four five six\n",
                  "one two three NEW four five six\n", "one six\n", "one NEW six\n"},
        MergeCase{"both_delete", "a\nb\nc\n", "a\nc\n", "a\nc\n", "a\nc\n"},
        MergeCase{"overlapping_deletions", "0123456789 abcdefgh ABCDEFGH\n", "0123456789 ABCDEFGH\n", "0123456789\n",
                  "0123456789\n"},
        MergeCase{"both_replace_one_word", "I like tea", "I like milk", "I like wine", "I like winemilk"},
        MergeCase{"both_continue_one_word", "cont", "contact", "content", "contentact"},
        MergeCase{"disk_cleared", "a\nb\n", "", "a\nb\nnew\n", "new\n"},
        MergeCase{"document_cleared", "a\nb\n", "a\nb\nnew\n", "", "new\n"},
        MergeCase{"neighbours", "ab cd", "Xb cd", "ab Yd", "Xb Yd"}, MergeCase{"emoji", "😀 x", "😁 x", "😀 y", "😁 y"},
        MergeCase{"one_letter_is_not_taken_for_the_same", "", "a", "banana", "bananaa"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Merge3Promise, NoEditWhenNothingIsLeftToDo) {
  EXPECT_TRUE(merge3("a", "b", "b").empty());
  EXPECT_TRUE(merge3("a", "a", "b").empty());
  EXPECT_EQ(merged("a", "b", "a"), "b");
}

size_t count(std::string_view text, std::string_view what) {
  size_t found = 0;
  for (size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

// Words of one length, none like another, so that each can be counted afterwards.
std::string fresh_word(std::mt19937& random) {
  static std::set<std::string> used;
  std::string word;
  do {
    word.clear();
    while (word.size() < 6) word.push_back(static_cast<char>('a' + random() % 26));
  } while (!used.insert(word).second);
  return "<" + word + ">";
}

// One of two people who work on one text.
struct Person {
  std::mt19937& random;
  std::vector<std::string> typed;
  std::vector<std::string> erased;

  std::vector<std::string> edit(std::vector<std::string> words) {
    for (unsigned i = 1 + random() % 4; i > 0; --i) {
      const size_t at = words.empty() ? 0 : random() % words.size();
      if (random() % 3 == 0 && !words.empty()) {
        if (std::erase(typed, words[at]) == 0) erased.push_back(words[at]);
        words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
      } else {
        typed.push_back(fresh_word(random));
        words.insert(words.begin() + static_cast<std::ptrdiff_t>(at), typed.back());
      }
    }
    return words;
  }
};

std::string text_of(const std::vector<std::string>& words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) text += words[i] + (i % 5 == 4 ? "\n" : " ");
  return text;
}

TEST(Merge3Promise, EveryTypedWordIsThereOnceAndEveryErasedWordIsGone) {
  std::mt19937 random(99);
  for (int round = 0; round < 5000; ++round) {
    std::vector<std::string> words;
    for (unsigned i = random() % 30; i > 0; --i) words.push_back(fresh_word(random));
    Person disk{random, {}, {}}, doc{random, {}, {}};
    const std::string base = text_of(words), on_disk = text_of(disk.edit(words)), in_doc = text_of(doc.edit(words));
    const std::string result = merged(base, on_disk, in_doc);
    SCOPED_TRACE("base: " + base + "\ndisk: " + on_disk + "\ndoc: " + in_doc + "\nresult: " + result);
    for (const auto* writer : {&disk, &doc}) {
      for (const std::string& word : writer->typed) ASSERT_EQ(count(result, word), 1u) << word;
      for (const std::string& word : writer->erased) ASSERT_EQ(count(result, word), 0u) << word;
    }
    for (const std::string& word : words) {
      const bool erased = std::ranges::count(disk.erased, word) + std::ranges::count(doc.erased, word) > 0;
      ASSERT_EQ(count(result, word), erased ? 0u : 1u) << word;
    }
  }
}

TEST(Merge3Promise, HoldsForAnyTexts) {
  std::mt19937 random(5);
  const auto text = [&] {
    static const char* const kPieces[] = {"a", "b ", "\n", "é", "😀", "word ", "日", "\r\n"};
    std::string made;
    for (unsigned i = random() % 12; i > 0; --i) made += kPieces[random() % std::size(kPieces)];
    return made;
  };
  for (int round = 0; round < 20000; ++round) {
    const std::string base = text(), disk = text(), doc = text();
    (void)merged(base, disk, doc);  // apply_edits asserts order and bounds
    ASSERT_EQ(merged(base, disk, base), disk);
    ASSERT_EQ(merged(base, base, doc), doc);
    ASSERT_EQ(merged(base, disk, disk), disk);
  }
}

}  // namespace
}  // namespace diaryx::sync
