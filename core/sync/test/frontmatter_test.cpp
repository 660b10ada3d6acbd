#include "diaryx/sync/frontmatter.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

struct SplitCase {
  const char* name;
  std::string head;
  std::string body;
};

class Split : public testing::TestWithParam<SplitCase> {};

TEST_P(Split, CutsWhereOtherPeersCut) {
  const std::string text = GetParam().head + GetParam().body;
  const SplitText split = split_frontmatter(text);
  EXPECT_EQ(split.head, GetParam().head);
  EXPECT_EQ(split.body, GetParam().body);
}

INSTANTIATE_TEST_SUITE_P(
    Frontmatter, Split,
    testing::Values(
        SplitCase{"usual", "---\na: 1\n---\n", "text\n"}, SplitCase{"empty_text", "", ""},
        SplitCase{"no_block", "", "# Title\n"}, SplitCase{"body_keeps_blank_line", "---\na: 1\n---\n", "\ntext"},
        SplitCase{"nothing_after", "---\na: 1\n---\n", ""}, SplitCase{"empty_block", "", "---\n---\ntext\n"},
        SplitCase{"second_line_is_content", "---\n---\na: 1\n---\n", "text"},
        SplitCase{"blank_line_is_enough", "---\n\n---\n", "text"},
        SplitCase{"closing_without_newline", "", "---\na: 1\n---"}, SplitCase{"never_closed", "", "---\na: 1\n"},
        SplitCase{"opening_only", "", "---\n"}, SplitCase{"opening_with_space", "", "--- \na: 1\n---\n"},
        SplitCase{"closing_with_space", "", "---\na: 1\n--- \n"}, SplitCase{"four_dashes", "", "----\na: 1\n---\n"},
        SplitCase{"dashes_inside_a_line", "---\na: b---\n---\n", "x"},
        SplitCase{"mark_in_front", "", "\xef\xbb\xbf---\na: 1\n---\n"},
        SplitCase{"rule_in_the_body", "---\na: 1\n---\n", "x\n---\ny\n"},
        SplitCase{"T25_crlf", "---\r\na: 1\r\n---\r\n", "text\r\n"},
        SplitCase{"T25_crlf_blank_line", "---\r\na: 1\r\n---\r\n", "\r\ntext\r\n"},
        SplitCase{"T25_crlf_empty_block", "", "---\r\n---\r\ntext"}, SplitCase{"T25_mixed", "---\r\na: 1\n---\n", "x"},
        SplitCase{"T25_mixed_back", "---\na: 1\n---\r\n", "x"}, SplitCase{"lone_return", "", "---\ra: 1\r---\r"}),
    [](const auto& info) { return std::string(info.param.name); });

Frontmatter parse(std::string_view head) {
  auto front = Frontmatter::parse(head);
  EXPECT_TRUE(front) << (front ? "" : describe(front.error())) << "\n" << head;
  return front.value_or(Frontmatter{});
}

std::string after_set(std::string_view head, std::string_view key, const Json& value) {
  Frontmatter front = parse(head);
  EXPECT_TRUE(front.set(key, value));
  EXPECT_TRUE(front.find(key) != nullptr && *front.find(key) == value) << front.text();
  EXPECT_EQ(split_frontmatter(front.text() + "body").head, front.text());
  return front.text();
}

Json list(std::initializer_list<Json> items) { return Json(Json::Array(items)); }

TEST(Frontmatter, KeepsEveryByteItRead) {
  const std::string head = "---\n# note\ntitle:   'A'  # why\n\ntags: [a,  b]\n---\n";
  EXPECT_EQ(parse(head).text(), head);
  EXPECT_EQ(parse("").text(), "");
}

TEST(Frontmatter, EntriesSayWhereTheyStand) {
  const std::string head = "---\na: 1 # c\nb:\n  - x\n  - y\n# end\n---\n";
  const Frontmatter front = parse(head);
  ASSERT_EQ(front.entries().size(), 2u);
  const auto text = [&](size_t begin, size_t end) { return head.substr(begin, end - begin); };
  const FrontmatterEntry& a = front.entries()[0];
  const FrontmatterEntry& b = front.entries()[1];
  EXPECT_EQ(text(a.begin, a.end), "a: 1 # c\n");
  EXPECT_EQ(text(a.node.begin, a.node.end), "1");
  EXPECT_EQ(text(b.begin, b.end), "b:\n  - x\n  - y\n");
  ASSERT_EQ(b.items.size(), 2u);
  EXPECT_EQ(text(b.items[1].begin, b.items[1].end), "  - y\n");
}

// The bytes around the changed value are the user's.
TEST(Frontmatter, SetTouchesOneValueOnly) {
  EXPECT_EQ(after_set("---\n# n\ntitle:   Old  # why\nb: 2\n---\n", "title", "New"),
            "---\n# n\ntitle:   New  # why\nb: 2\n---\n");
  EXPECT_EQ(after_set("---\ntitle: 'Old'\n---\n", "title", "it's"), "---\ntitle: 'it''s'\n---\n");
  EXPECT_EQ(after_set("---\ntitle: \"Old\"\n---\n", "title", "New"), "---\ntitle: \"New\"\n---\n");
  EXPECT_EQ(after_set("---\ntitle:\nb: 1\n---\n", "title", "New"), "---\ntitle: New\nb: 1\n---\n");
  EXPECT_EQ(after_set("---\ntitle: # why\n---\n", "title", "New"), "---\ntitle: New # why\n---\n");
  EXPECT_EQ(after_set("---\n\"my key\": 1\n---\n", "my key", 2), "---\n\"my key\": 2\n---\n");
}

TEST(Frontmatter, T25SetKeepsTheLineEndings) {
  EXPECT_EQ(after_set("---\r\na: 1\r\nb: 2\r\n---\r\n", "a", 3), "---\r\na: 3\r\nb: 2\r\n---\r\n");
  EXPECT_EQ(after_set("---\r\na: 1\r\n---\r\n", "c", 3), "---\r\na: 1\r\nc: 3\r\n---\r\n");
  EXPECT_EQ(after_set("---\r\na:\r\n  - x\r\n---\r\n", "a", list({"x", "z"})),
            "---\r\na:\r\n  - x\r\n  - z\r\n---\r\n");
}

TEST(Frontmatter, ListsKeepTheirStyleAndTheItemsThatStay) {
  const std::string head = "---\ntags:\n- 'one' # first\n# about two\n-   two\n- three\nb: 1\n---\n";
  EXPECT_EQ(after_set(head, "tags", list({"one", "three", "four"})),
            "---\ntags:\n- 'one' # first\n# about two\n- three\n- four\nb: 1\n---\n");
  EXPECT_EQ(after_set("---\ntags: [a,  b] # c\n---\n", "tags", list({"b", "x y"})), "---\ntags: [b, x y] # c\n---\n");
  EXPECT_EQ(after_set("---\ntags: a # c\nb: 1\n---\n", "tags", list({"a", "b"})),
            "---\ntags: # c\n  - a\n  - b\nb: 1\n---\n");
  EXPECT_EQ(after_set("---\ntags:\n  - a\n---\n", "tags", list({})), "---\ntags: []\n---\n");
  EXPECT_EQ(after_set("---\ntext: |\n  a\n  b\nc: 1\n---\n", "text", "x"), "---\ntext: x\nc: 1\n---\n");
}

TEST(Frontmatter, NewKeysComeLast) {
  EXPECT_EQ(after_set("---\na: 1\n# end\n---\n", "b", "x"), "---\na: 1\n# end\nb: x\n---\n");
  EXPECT_EQ(after_set("", "b", "x"), "---\nb: x\n---\n");
}

TEST(Frontmatter, SettingTheSameValueChangesNothing) {
  const std::string head = "---\na:   [ 'x' , y ]\n---\n";
  EXPECT_EQ(after_set(head, "a", list({"x", "y"})), head);
}

TEST(Frontmatter, RepeatedKeysSurviveAndTheLastOneCounts) {
  const std::string head = "---\na: 1\nb: 2\na: 3\n---\n";
  EXPECT_TRUE(parse(head).has_repeated_key());
  EXPECT_FALSE(parse("---\na: 1\n---\n").has_repeated_key());
  EXPECT_EQ(after_set(head, "a", 4), "---\na: 1\nb: 2\na: 4\n---\n");
}

std::string after_remove(std::string_view head, std::string_view key) {
  Frontmatter front = parse(head);
  front.remove(key);
  EXPECT_EQ(front.find(key), nullptr);
  return front.text();
}

TEST(Frontmatter, RemoveTakesTheLinesOfTheKey) {
  EXPECT_EQ(after_remove("---\na: 1\n# about b\nb:\n  - x\n\nc: 2\n---\n", "b"), "---\na: 1\n# about b\n\nc: 2\n---\n");
  EXPECT_EQ(after_remove("---\na: 1\nb: 2\na: 3\n---\n", "a"), "---\nb: 2\n---\n");
  EXPECT_EQ(after_remove("---\na: 1\n---\n", "z"), "---\na: 1\n---\n");
}

TEST(Frontmatter, RemoveGivesNoBlankLineToTheTextInFront) {
  EXPECT_EQ(after_remove("---\na: |+\n  x\nb: 1\n\nc: 2\n---\n", "b"), "---\na: |+\n  x\nc: 2\n---\n");
  EXPECT_EQ(after_remove("---\na:\n  - >\n    x\n\nb: 1\n     \n\n# of c\nc: 2\n---\n", "b"),
            "---\na:\n  - >\n    x\n\n# of c\nc: 2\n---\n");
  EXPECT_EQ(after_remove("---\na: |\n  x\nb: 1\n\nc: 2\n---\n", "b"), "---\na: |\n  x\n\nc: 2\n---\n");
}

TEST(Frontmatter, ABlockWithoutLinesIsNoBlock) {
  EXPECT_EQ(after_remove("---\na: 1\n---\n", "a"), "");
  EXPECT_EQ(after_remove("---\n# c\na: 1\n---\n", "a"), "---\n# c\n---\n");
}

TEST(Frontmatter, RefusesValuesThatItCouldNotReadBack) {
  Frontmatter front = parse("---\na: 1\n---\n");
  Json deep = 1;
  for (int i = 0; i < 40; ++i) deep = list({deep});
  EXPECT_FALSE(front.set("a", deep));
  EXPECT_FALSE(front.set("a", "\xff"));
  EXPECT_FALSE(front.set("\xc3", 1));
  EXPECT_FALSE(front.set("a", std::string(kMaxFrontmatterBytes, 'x')));
  EXPECT_EQ(front.text(), "---\na: 1\n---\n");
}

class Emitted : public testing::TestWithParam<std::string> {};

// Each of these is a value that some emitter gets wrong (T19).
TEST_P(Emitted, T19IsReadBackUnchanged) {
  const Json value(GetParam());
  EXPECT_EQ(*parse(after_set("", "k", value)).find("k"), value);
  EXPECT_EQ(*parse(after_set("---\nk: old # c\n---\n", "k", value)).find("k"), value);
  EXPECT_EQ(*parse(after_set("---\nk: 'old'\n---\n", "k", value)).find("k"), value);
  EXPECT_EQ(*parse(after_set("---\nk: [old]\n---\n", "k", list({value, "x"}))).find("k"), list({value, "x"}));
  EXPECT_EQ(*parse(after_set("---\nk:\n  - old\n---\n", "k", list({value, "x"}))).find("k"), list({value, "x"}));
  Json map = Json::object();
  map.set(GetParam(), value);
  EXPECT_EQ(*parse(after_set("", "k", map)).find("k"), map);
  EXPECT_EQ(*parse(after_set("", "k", list({map, map}))).find("k"), list({map, map}));
  EXPECT_EQ(*parse(after_set("", GetParam(), value)).find(GetParam()), value);
}

INSTANTIATE_TEST_SUITE_P(Strings, Emitted,
                         testing::Values("", " ", "a", " a", "a ", "a\nb", "a\n", "\n", "- x", "-", "--", "---", "~",
                                         "null", "true", "Yes", "off", "1", "1.5", "1e5", "0x1F", "007", "1_000", ".5",
                                         "+1", ".", "2024-01-01", "12:30", "a: b", "a:", ":", "a #b", "#b",
                                         "[x](/y.md)", "{a}", "a, b", "it's", "\"q\"", "a\\b", "\t", "a\tb", "é😀",
                                         "\u0085", "\u2028", "\ufeff", "\u00a0", "&a", "*a", "!a", "%a", "@a", "`a`",
                                         "|", ">", "? a", "<<", "=", "...", "a\r\nb", std::string("\x01"), "x\x7f",
                                         "key: 'v' # c"));

TEST(Emitted, NumbersAndNestedValuesAreReadBack) {
  for (const char* json :
       {"0", "-1", "1.5", "1e21", "1e-7", "9007199254740992", "1e20", "null", "true", "[]", "{}", "[[]]",
        R"([[1,[2]],{"a":[]}])", R"({"a":{"b":{"c":[{"d":1,"e":{"f":[1,2]}}]}}})", R"([{"a":1,"b":[1]}])"}) {
    const Json value = *Json::parse(json);
    EXPECT_EQ(*parse(after_set("", "k", value)).find("k"), value) << json;
    EXPECT_EQ(*parse(after_set("---\nk: [1]\n---\n", "k", value)).find("k"), value) << json;
  }
}

TEST(Emitted, MapsInListsAreWrittenNested) {
  EXPECT_EQ(emit_entry("refs", *Json::parse(R"([{"path":"a b","size":1},"x"])")),
            "refs:\n  - path: a b\n    size: 1\n  - x\n");
}

}  // namespace
}  // namespace diaryx::sync
