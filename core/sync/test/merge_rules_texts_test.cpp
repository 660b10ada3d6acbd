// Rows of docs/merge-rules.md: text and frontmatter. One test per row, named as the row says.
#include <gtest/gtest.h>

#include "merge_rules.h"

namespace diaryx::sync {
namespace {

// --- text ---------------------------------------------------------------------------------------------------------

TEST(MergeRules, EditAndEditInTwoPlaces) {
  World world = in_step({{"a.md", "one\ntwo\nthree\n"}});
  const Files files = together(world, {[](Device& d) { d.user_writes("a.md", "ONE\ntwo\nthree\n"); },
                                       [](Device& d) { d.user_writes("a.md", "one\ntwo\nTHREE\n"); }});
  EXPECT_EQ(files, (Files{{"a.md", "ONE\ntwo\nTHREE\n"}}));
}

TEST(MergeRules, EditAndEditInOnePlace) {
  World world = in_step({{"a.md", "one\n"}});
  const Files files = together(world, {[](Device& d) { d.user_writes("a.md", "one\nleft\n"); },
                                       [](Device& d) { d.user_writes("a.md", "one\nright\n"); }});
  const std::string text = files.at("a.md");
  EXPECT_EQ(count(text, "left\n"), 1u);
  EXPECT_EQ(count(text, "right\n"), 1u);
  EXPECT_EQ(text.size(), 15u);
}

TEST(MergeRules, AppendAndAppendToALastLineWithoutAnEnd) {
  World world = in_step({{"a.md", "one\n<two>"}});
  const Files files = together(world, {[](Device& d) { d.user_writes("a.md", "one\n<two><left> x\n"); },
                                       [](Device& d) { d.user_writes("a.md", "one\n<two><right> x\n"); }});
  const std::string text = files.at("a.md");
  EXPECT_EQ(count(text, "<two>"), 1u);
  EXPECT_EQ(count(text, "<left> x\n"), 1u);
  EXPECT_EQ(count(text, "<right> x\n"), 1u);
}

TEST(MergeRules, ClearAndEdit) {
  World world = in_step({{"a.md", "one\ntwo\n"}});
  const Files files = together(world, {[](Device& d) { d.user_writes("a.md", ""); },
                                       [](Device& d) { d.user_writes("a.md", "one\ntwo\nthree\n"); }});
  EXPECT_EQ(files, (Files{{"a.md", "three\n"}}));
}

TEST(MergeRules, ClearAndEditOfLinesAlike) {
  World world = in_step({{"a.md", "<0005> a bird\n<0006> tvwhoghé😀xfurtgl\n<0007> qckmparé😀jspjskt\n"}});
  const Files files = together(
      world, {[](Device& d) { d.user_writes("a.md", ""); },
              [](Device& d) {
                d.user_writes("a.md", "<0005> a bird\n<0012> cbanyuaé😀hqhhtvd\n<0006> tvwhogh<0019> wsvlexz\n");
              }});
  EXPECT_EQ(files, (Files{{"a.md", "<0012> cbanyuaé😀hqhhtvd\n<0019> wsvlexz"}}));
}

TEST(MergeRules, SaveInTwoHalvesOnTwoDevices) {
  World world = in_step({{"a.md", kLong}});
  world.device(0).user_writes_slowly("a.md", "from one\n" + std::string(kLong));
  world.device(1).user_writes_slowly("a.md", std::string(kLong) + "from two\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(2).disk().read("a.md"), "from one\n" + std::string(kLong) + "from two\n");
}

// --- frontmatter --------------------------------------------------------------------------------------------------

std::string page(std::string_view fields) { return "---\n" + std::string(fields) + "---\nBody\n"; }

/// What becomes of `a.md` when two devices write it anew.
std::string written_on_two(const std::string& base, const std::string& one, const std::string& other) {
  World world = in_step({{"a.md", base}});
  return together(world,
                  {[&](Device& d) { d.user_writes("a.md", one); }, [&](Device& d) { d.user_writes("a.md", other); }})
      .at("a.md");
}

TEST(MergeRules, FieldAndAnotherField) {
  EXPECT_EQ(
      written_on_two(page("title: Old\ndate: 1\nsummary: |\n  text\n"),
                     page("title: New # why\ndate: 1\nsummary: |\n  text\n"), page("title: Old\nsummary: |\n  text\n")),
      page("title: New # why\nsummary: |\n  text\n"));
}

TEST(MergeRules, FieldAndAnotherFieldBesideAnchorsAndTags) {
  const auto block = [](const std::string& title, const std::string& kind) {
    return page("author: &who Anna  # once\neditor: *who\n? two\n: words\nkind: !note " + kind + "\ntitle: " + title +
                "\n");
  };
  World world = in_step({{"a.md", block("Old", "long")}});
  const Files files = together(world, {[&](Device& d) { d.user_writes("a.md", block("New", "long")); },
                                       [&](Device& d) { d.user_writes("a.md", block("Old", "short")); }});
  EXPECT_EQ(files, (Files{{"a.md", block("New", "short")}}));
  const std::vector<std::string>& told = world.device(0).problems();
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(
      told[0],
      "a.md: synced as it is, its fields are not read: the frontmatter is no YAML, or has anchors, tags or the like "
      "(at byte 12)");
}

TEST(MergeRules, FieldAndTheSameField) {
  EXPECT_EQ(written_on_two(page("title: \"Old\"\n"), page("title: \"From A\"\n"), page("title: \"From B\"\n")),
            page("title: \"From B\"\n"));
  EXPECT_EQ(written_on_two(page("title: Old\n"), page("title: New\n"), page("title: New\n")), page("title: New\n"));
}

TEST(MergeRules, UpdatedOnTwoDevices) {
  EXPECT_EQ(written_on_two(page("title: x\nupdated: 2026-11-25T10:00:00Z\n"),
                           page("title: x\nupdated: 2026-11-27T08:09:10Z\n"),
                           page("title: x\nupdated: 2026-11-26T11:22:33Z\n")),
            page("title: x\nupdated: 2026-11-27T08:09:10Z\n"));
}

TEST(MergeRules, NewFieldOnTwoDevices) {
  EXPECT_EQ(written_on_two(page("title: x\n"), page("title: x\nmood: good\n"), page("title: x\nmood: bad\n")),
            page("title: x\nmood: good\n"));
}

TEST(MergeRules, FieldDeletedAndChanged) {
  EXPECT_EQ(written_on_two(page("date: 1\nsummary: x\n"), page("summary: x\n"), page("date: 2026-03-03\nsummary: x\n")),
            page("date: 2026-03-03\nsummary: x\n"));
}

TEST(MergeRules, ListAndTheSameList) {
  EXPECT_EQ(
      written_on_two(page("contents:\n- a.md\n- b.md\n- c.md\n"), page("contents:\n- a.md\n- b.md\n- n.md\n- c.md\n"),
                     page("contents:\n- a.md\n- c.md\n- d.md\n")),
      page("contents:\n- a.md\n- n.md\n- c.md\n- d.md\n"));
  EXPECT_EQ(written_on_two(page("contents: [a.md, b.md]\n"), page("contents: [a.md, b.md, c.md]\n"),
                           page("contents: [b.md, d.md]\n")),
            page("contents: [b.md, c.md, d.md]\n"));
}

TEST(MergeRules, OneChildListedOnTwoDevices) {
  const std::string with = page("title: I\ncontents:\n- a.md\n- b.md\n");
  EXPECT_EQ(written_on_two(page("title: I\ncontents:\n- a.md\n"), with, with), with);
}

TEST(MergeRules, FrontmatterAddedOnTwoDevices) {
  EXPECT_EQ(written_on_two("Body\n", page("title: A\n"), page("tags: [b]\n")), page("tags: [b]\ntitle: A\n"));
}

TEST(MergeRules, FrontmatterRemovedAndEdited) {
  EXPECT_EQ(written_on_two(page("title: x\ndate: 1\n"), "Body\n", page("title: y\ndate: 1\n")), page("title: y\n"));
}

TEST(MergeRules, FrontmatterOnThreeDevicesOverRestarts) {
  World world = in_step({{"a.md", page("title: x\nupdated: 1\ncontents:\n- a.md\n")}});
  const Files files = together(
      world, {[](Device& d) {
                d.user_writes("a.md", page("title: one\nupdated: 7\ncontents:\n- a.md\n- b.md\n"));
                d.crash_and_restart();
              },
              [](Device& d) { d.user_writes("a.md", page("title: two\nupdated: 12\ncontents:\n- c.md\n- a.md\n")); },
              [](Device& d) {
                d.user_writes("a.md", page("title: x\nupdated: 9\nmood: fine\n"));
                d.crash_and_restart();
              }});
  EXPECT_EQ(files.at("a.md"), page("title: two\nupdated: 12\ncontents:\n- c.md\n- b.md\nmood: fine\n"));
}

}  // namespace
}  // namespace diaryx::sync
