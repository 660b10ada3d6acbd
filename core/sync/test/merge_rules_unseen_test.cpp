// Rows of docs/merge-rules.md: changes made while no program runs. One test per row, named as the row says.
#include <gtest/gtest.h>

#include "merge_rules.h"

namespace diaryx::sync {
namespace {

TEST(MergeRules, SwapOfTwoNamesAndEditBeforeAnybodyLooked) {
  for (const std::string edited : {"a.md", "b.md"}) {
    World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
    const auto swap = [&](Device& d) {
      swap_names(d);
      d.user_writes(edited, *d.disk().read(edited) + "here\n");
      d.crash_and_restart();
    };
    const Files files =
        together(world, {swap, [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); }});
    const std::string a = edited == "a.md" ? "here\n" : "";
    EXPECT_EQ(files.at("a.md"), kOther + a) << edited;
    EXPECT_TRUE(files.at("b.md").starts_with(kLong)) << files.at("b.md");
    EXPECT_EQ(count(files.at("b.md"), "late\n"), 1u) << edited;
    EXPECT_EQ(all_text(files).size(), std::string(kLong).size() + std::string(kOther).size() + 10) << edited;
  }
}

TEST(MergeRules, EditOfAFileWhoseNameWasUsedAnewWhileNoProgramRan) {
  for (const bool is_short : {true, false}) {
    const std::string text = is_short ? "- one\n" : kLong;
    // The new name is looked at before the old one, and behind it.
    for (const std::string name : {"a.md", "z.md"}) {
      World world = in_step({{"n.md", text}});
      const Files files = together(world, {[&](Device& d) {
                                             d.user_renames("n.md", name);
                                             d.user_writes("n.md", kOther);
                                             d.crash_and_restart();
                                           },
                                           [&](Device& d) { d.user_writes("n.md", text + "late\n"); }});
      EXPECT_EQ(files, (Files{{name, text + "late\n"}, {"n.md", kOther}}));
    }
  }
}

TEST(MergeRules, CopyAndEditOfTheFirst) {
  World world = in_step({{"b.md", kLong}});
  const Files files = together(world, {[](Device& d) {
                                         d.user_writes("a.md", kLong);
                                         d.user_writes("b.md", std::string(kLong) + "here\n");
                                         d.crash_and_restart();
                                       },
                                       [](Device& d) { d.user_writes("b.md", std::string("late\n") + kLong); }});
  EXPECT_EQ(files, (Files{{"a.md", kLong}, {"b.md", std::string("late\n") + kLong + "here\n"}}));
}

TEST(MergeRules, RenameAndEditWhileNoProgramRuns) {
  World world = in_step({{"a.md", kLong}, {"other.md", kOther}});
  const Files files = together(world, {[](Device& d) {
                                         d.user_deletes("a.md");
                                         d.user_writes("folder/b.md", std::string(kLong) + "edited too\n");
                                         d.crash_and_restart();
                                       },
                                       [](Device& d) { d.user_writes("a.md", "late\n" + std::string(kLong)); }});
  EXPECT_EQ(files, (Files{{"folder/b.md", "late\n" + std::string(kLong) + "edited too\n"}, {"other.md", kOther}}));
}

TEST(MergeRules, DeleteAndCreateSomethingElseWhileNoProgramRuns) {  // T14
  World world = in_step({{"a.md", kLong}});
  const Files files = together(world, {[](Device& d) {
                                         d.user_deletes("a.md");
                                         d.user_writes("b.md", kOther);
                                         d.crash_and_restart();
                                       },
                                       [](Device& d) { d.user_writes("a.md", "late\n" + std::string(kLong)); }});
  EXPECT_EQ(files.at("b.md"), kOther);
  EXPECT_EQ(files.at("a.md"), "late\n" + std::string(kLong));
}

TEST(MergeRules, DeleteAndCreateFromATemplateWhileNoProgramRuns) {  // T14
  const std::string page = "# Day\n\n## Morning\n\n- [ ] water the plants\n\n## Evening\n\n- [ ] write the diary\n";
  World world = in_step({{"monday.md", page + "rain\n"}, {"tuesday.md", page + "sun\n"}});
  const Files files = together(world, {[&](Device& d) {
                                         d.user_deletes("monday.md");
                                         d.user_writes("wednesday.md", page + "wind\n");
                                         d.crash_and_restart();
                                       },
                                       [&](Device& d) { d.user_writes("monday.md", page + "rain, late\n"); }});
  EXPECT_EQ(files.at("wednesday.md"), page + "wind\n");
  EXPECT_EQ(files.at("monday.md"), page + "rain, late\n");
}

TEST(MergeRules, DeleteAndCreateSomethingWithLinesAlikeWhileNoProgramRuns) {
  // No line of the new file is one of the old file's, so that it is not the old one under another name.
  const std::string old_list = "line 1 of it\nline 10 of it\nline 2 of it\nline 3 of it\n";
  const std::string new_list = "line 11 of it\nline 12 of it\nline 13 of it\nline 14 of it\n";
  World world = in_step({{"old.md", old_list}});
  const Files files = together(world, {[&](Device& d) {
                                         d.user_deletes("old.md");
                                         d.user_writes("new.md", new_list);
                                       },
                                       [&](Device& d) { d.user_writes("old.md", old_list + "late\n"); }});
  EXPECT_EQ(files, (Files{{"new.md", new_list}, {"old.md", old_list + "late\n"}}));
}

}  // namespace
}  // namespace diaryx::sync
