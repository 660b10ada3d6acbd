#include "diaryx/sync/links.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

TEST(Link, IsTakenApart) {
  EXPECT_EQ(parse_link("[Day](/notes/day.md)"), (Link{"Day", "/notes/day.md", true}));
  EXPECT_EQ(parse_link("[A b](<a b.md>)"), (Link{"A b", "a b.md", true}));
  EXPECT_EQ(parse_link(" notes/day.md "), (Link{"", "notes/day.md", false}));
  EXPECT_EQ(parse_link("[](x.md)"), (Link{"", "x.md", true}));
  EXPECT_EQ(parse_link("[a [b] c](x.md)"), (Link{"a [b] c", "x.md", true}));
  EXPECT_EQ(parse_link("[a\\]b](x.md)"), (Link{"a]b", "x.md", true}));
  EXPECT_EQ(parse_link("[C:\\dir](x.md)").title, "C:\\dir");
  EXPECT_EQ(parse_link("[a](b(c).md)"), (Link{"a", "b(c).md", true}));
}

TEST(Link, WhatIsNoMarkdownLinkIsAPath) {
  for (const char* text : {"", "[", "[a]", "[a](b", "a](b)", "[a] (b.md)", "[a](b.md) x", "[[wiki]]"})
    EXPECT_FALSE(parse_link(text).markdown) << text;
}

struct CanonicalCase {
  const char* text;
  const char* from;
  std::optional<std::string> path;
};

TEST(Link, MeansACanonicalPath) {
  for (const CanonicalCase& c : {
           CanonicalCase{"[x](/notes/a.md)", "d/e.md", "notes/a.md"},
           CanonicalCase{"a.md", "d/e.md", "d/a.md"},
           CanonicalCase{"./a.md", "d/e.md", "d/a.md"},
           CanonicalCase{"../a.md", "d/e.md", "a.md"},
           CanonicalCase{"..\\a.md", "d/e.md", "a.md"},
           CanonicalCase{"../../a.md", "d/e.md", std::nullopt},
           CanonicalCase{"https://example.org/a.md", "d/e.md", std::nullopt},
           CanonicalCase{"mailto:x@y", "d/e.md", std::nullopt},
           CanonicalCase{"//host/a", "d/e.md", std::nullopt},
           CanonicalCase{"", "d/e.md", std::nullopt},
           CanonicalCase{"/", "d/e.md", std::nullopt},
       })
    EXPECT_EQ(canonical_path(parse_link(c.text), c.from), c.path) << c.text;
}

TEST(Link, ReferencesWithoutAPathStayAsTheyAre) {
  EXPECT_EQ(canonicalize_reference("[x](a.md)", "d/e.md"), "d/a.md");
  EXPECT_EQ(canonicalize_reference("https://x.org/a.png", "d/e.md"), "https://x.org/a.png");
  EXPECT_EQ(canonicalize_reference("[pic](https://x.org/a.png)", "d/e.md"), "https://x.org/a.png");
  EXPECT_EQ(canonicalize_reference("../../../x", "d/e.md"), "../../../x");
}

TEST(Link, IsWrittenFromTheRoot) {
  EXPECT_EQ(format_link("notes/day.md", "Day"), "[Day](/notes/day.md)");
  EXPECT_EQ(format_link("https://x.org/a b", "X"), "[X](<https://x.org/a b>)");
}

TEST(Link, IsReadBackAsItWasWritten) {
  for (const char* target : {"a.md", "a b.md", "x (1).md", "d/é😀.md", "a<b>.md", "a[b].md"})
    for (const char* title : {"A", "a [b]", "]", "[", "\\", "a\\]b", ""}) {
      const std::string text = format_link(target, title);
      const Link link = parse_link(text);
      EXPECT_EQ(link.title, title) << text;
      EXPECT_EQ(canonical_path(link, "q/w.md"), target) << text;
    }
}

TEST(Link, TitlesComeFromFileNames) {
  EXPECT_EQ(title_from_path("a/my-long_note.md"), "My Long Note");
  EXPECT_EQ(title_from_path("été.md"), "été");
}

}  // namespace
}  // namespace diaryx::sync
