#include <gtest/gtest.h>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {
namespace {

// All values of a block as one JSON object.
std::string json_of(std::string_view block) {
  const std::string head = "---\n" + std::string(block) + "---\n";
  const auto front = Frontmatter::parse(head);
  if (!front) return describe(front.error());
  Json all = Json::object();
  for (const FrontmatterEntry& entry : front->entries()) all.set(entry.key, entry.value);
  return all.dump();
}

struct YamlCase {
  const char* name;
  const char* block;
  const char* json;
};

class Yaml : public testing::TestWithParam<YamlCase> {};

TEST_P(Yaml, MeansWhatTheStandardSays) { EXPECT_EQ(json_of(GetParam().block), GetParam().json); }

INSTANTIATE_TEST_SUITE_P(
    Written, Yaml,
    testing::Values(
        YamlCase{"plain", "a: b c\n", R"({"a":"b c"})"}, YamlCase{"spaces", "a:   b  \n", R"({"a":"b"})"},
        YamlCase{"key_with_spaces", "my key : v\n", R"({"my key":"v"})"},
        YamlCase{"comment", "a: b # c\n# d\ne: f#g\n", R"({"a":"b","e":"f#g"})"},
        YamlCase{"url", "a: http://x.org/?q=1#top\n", R"({"a":"http://x.org/?q=1#top"})"},
        YamlCase{"core_types", "a: 1\nb: -2.5\nc: true\nd: ~\ne:\nf: null\ng: .5\nh: 1e3\ni: 0x1F\nj: +4\n",
                 R"({"a":1,"b":-2.5,"c":true,"d":null,"e":null,"f":null,"g":0.5,"h":1000,"i":31,"j":4})"},
        YamlCase{"texts_that_look_like_types",
                 "a: yes\nb: 2024-01-01\nc: 12:30\nd: 007\ne: 1.2.3\nf: 12345678901234567890\n",
                 R"({"a":"yes","b":"2024-01-01","c":"12:30","d":"007","e":"1.2.3","f":"12345678901234567890"})"},
        YamlCase{"single_quoted", "a: 'it''s # not: a comment'\n", R"({"a":"it's # not: a comment"})"},
        YamlCase{"double_quoted", "a: \"x\\n\\t\\\"\\u00e9\\U0001F600\\x41\\/\" # c\n", R"({"a":"x\n\t\"é😀A/"})"},
        YamlCase{"json_surrogates", "a: \"\\ud83d\\ude00\"\n", R"({"a":"😀"})"},
        YamlCase{"quoted_keys", "\"a: b\": 1\n'c': 2\n", R"({"a: b":1,"c":2})"},
        YamlCase{"too_large_number", "a: 1e999\nb: 12345678901234567890.5\n",
                 R"({"a":"1e999","b":12345678901234567000})"},
        YamlCase{"escaped_newline_and_blank_line", "a: \"x\\\n\n  y\"\n", R"({"a":"x\ny"})"},
        YamlCase{"literal_ends_in_spaces", "a: |-\n  x\n    \nb: 1\n", R"({"a":"x\n  ","b":1})"},
        YamlCase{"quoted_over_lines", "a: \"one\n  two\n\n  three \\\n  four\"\n", R"({"a":"one two\nthree four"})"},
        YamlCase{"plain_over_lines_in_flow", "a: [one\n  two, three\n\n\n  four]\n",
                 R"({"a":["one two","three\n\nfour"]})"},
        YamlCase{"plain_over_lines", "a: one\n  two\n\n  three\nb: 1\n", R"({"a":"one two\nthree","b":1})"},
        YamlCase{"value_on_next_line", "a:\n  long text\n  here\n", R"({"a":"long text here"})"},
        YamlCase{"literal", "a: |\n  one\n   two\n\n  three\n\nb: 1\n", R"({"a":"one\n two\n\nthree\n","b":1})"},
        YamlCase{"literal_strip", "a: |-\n  one\n  # no comment\n", R"({"a":"one\n# no comment"})"},
        YamlCase{"literal_keep", "a: |+\n  one\n\n\nb: 1\n", R"({"a":"one\n\n\n","b":1})"},
        YamlCase{"literal_indent", "a: |2\n    one\n  two\n", R"({"a":"  one\ntwo\n"})"},
        YamlCase{"folded", "a: >\n  one\n  two\n\n  three\n    four\n  five\n",
                 R"({"a":"one two\nthree\n  four\nfive\n"})"},
        YamlCase{"empty_literal", "a: |\nb: 1\n", R"({"a":"","b":1})"},
        YamlCase{"list", "a:\n  - x\n  - 2\n  -\n  - 'q'\n", R"({"a":["x",2,null,"q"]})"},
        YamlCase{"list_at_key", "a:\n- x\n- y\nb: 1\n", R"({"a":["x","y"],"b":1})"},
        YamlCase{"list_with_comments", "a: # top\n  # first\n  - x # one\n\n  - y\n", R"({"a":["x","y"]})"},
        YamlCase{"list_of_maps", "a:\n  - p: 1\n    q: 2\n  - p: 3\n", R"({"a":[{"p":1,"q":2},{"p":3}]})"},
        YamlCase{"list_of_lists", "a:\n  - - x\n    - y\n  -\n    - z\n", R"({"a":[["x","y"],["z"]]})"},
        YamlCase{"map", "a:\n  b:\n    c: d\n  e: f\n", R"({"a":{"b":{"c":"d"},"e":"f"}})"},
        YamlCase{"map_with_list_at_key", "a:\n  b:\n  - x\n  c: 1\n", R"({"a":{"b":["x"],"c":1}})"},
        YamlCase{"flow", "a: [x, 'y, z', 3, [q], {k: v}]\nb: {p: 1, \"q\": [], r}\n",
                 R"({"a":["x","y, z",3,["q"],{"k":"v"}],"b":{"p":1,"q":[],"r":null}})"},
        YamlCase{"flow_over_lines", "a: [\n  x, # one\n  y,\n]\nb: {\n}\n", R"({"a":["x","y"],"b":{}})"},
        YamlCase{"wiki_link", "a: [[Some Note]]\n", R"({"a":[["Some Note"]]})"},
        YamlCase{"repeated_key", "a: 1\na: 2\n", R"({"a":2})"}, YamlCase{"nothing", "# only a comment\n\n", "{}"},
        YamlCase{"crlf", "a: b\r\nc:\r\n  - d\r\ne: |\r\n  f\r\n  g\r\n", R"({"a":"b","c":["d"],"e":"f\ng\n"})"},
        YamlCase{"dashes_and_questions", "a: -x\nb: ?y\nc: :z\n-d: 1\n", R"({"a":"-x","b":"?y","c":":z","-d":1})"}),
    [](const auto& info) { return std::string(info.param.name); });

class BrokenYaml : public testing::TestWithParam<YamlCase> {};

TEST_P(BrokenYaml, IsReportedAndNotGuessed) {
  const std::string head = "---\n" + std::string(GetParam().block) + "---\n";
  const auto front = Frontmatter::parse(head);
  ASSERT_FALSE(front) << json_of(GetParam().block);
  EXPECT_EQ(front.error().code, ErrorCode::InvalidFrontmatter);
  EXPECT_LE(front.error().position, head.size());
}

INSTANTIATE_TEST_SUITE_P(
    Refused, BrokenYaml,
    testing::Values(YamlCase{"text", "just text\n", ""}, YamlCase{"list", "- a\n", ""},
                    YamlCase{"no_space", "a:b\n", ""}, YamlCase{"anchor", "a: &x 1\n", ""},
                    YamlCase{"alias", "a: *x\n", ""}, YamlCase{"tag", "a: !!str 1\n", ""},
                    YamlCase{"complex_key", "? a\n: b\n", ""}, YamlCase{"second_document", "a: 1\n--- \nb: 2\n", ""},
                    YamlCase{"document_end", "a: 1\n...\n", ""}, YamlCase{"directive", "%YAML 1.2\n", ""},
                    YamlCase{"two_colons", "a: b: c\n", ""}, YamlCase{"open_quote", "a: \"b\n", ""},
                    YamlCase{"text_after_quote", "a: \"b\" c\n", ""}, YamlCase{"open_flow", "a: [b\n", ""},
                    YamlCase{"closed_twice", "a: [b]]\n", ""}, YamlCase{"comma_comma", "a: [b,,c]\n", ""},
                    YamlCase{"comment_inside_a_text", "a: [b # c\n  d]\n", ""},
                    YamlCase{"indented_first_key", " a: 1\n", ""}, YamlCase{"deeper_key", "a: 1\n  b: 2\n", ""},
                    YamlCase{"tab", "a:\n\tb: 1\n", ""}, YamlCase{"list_beside_key", "a: - b\n", ""},
                    YamlCase{"bad_escape", "a: \"\\q\"\n", ""}, YamlCase{"bad_hex", "a: \"\\u00g0\"\n", ""},
                    YamlCase{"control", "a: b\x01\n", ""}, YamlCase{"lone_return", "a: b\rc: d\n", ""},
                    YamlCase{"shallow_literal", "a: |4\n  b\n", ""}, YamlCase{"at_sign", "a: @b\n", ""}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(YamlLimits, DepthAndCountAreBounded) {
  const auto code = [](const std::string& block) { return Frontmatter::parse("---\n" + block + "---\n").error().code; };
  EXPECT_EQ(code("a: " + std::string(500'000, '[') + "\n"), ErrorCode::TooDeep);
  EXPECT_EQ(code("a:\n  " +
                 [] {
                   std::string dashes;
                   for (int i = 0; i < 100'000; ++i) dashes += "- ";
                   return dashes;
                 }() +
                 "x\n"),
            ErrorCode::TooDeep);
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += "k" + std::to_string(i) + ": \n";
  EXPECT_EQ(code(many), ErrorCode::TooLarge);
  EXPECT_EQ(code(std::string(kMaxFrontmatterBytes, '#') + "\n"), ErrorCode::TooLarge);
}

}  // namespace
}  // namespace diaryx::sync
