// Rows of docs/merge-rules.md: names of notes, and folders. One test per row, named as the row says.
#include <gtest/gtest.h>

#include "merge_rules.h"

namespace diaryx::sync {
namespace {

// --- a note and its name ------------------------------------------------------------------------------------------

TEST(MergeRules, RenameAndEdit) {
  World world = in_step({{"a.md", kLong}});
  const Files files = together(world, {[](Device& d) { d.user_renames("a.md", "b.md"); },
                                       [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"b.md", std::string(kLong) + "late\n"}}));
}

TEST(MergeRules, RenameWithSaveOverABackupAndEdit) {
  // Too short to be known by its text; the watcher tells that it was renamed.
  World world = in_step({{"notes/a.md", "beans\n"}, {"notes/b.md", "peas\n"}});
  const auto rename_and_save = [](Device& d) {
    d.user_renames("notes/a.md", "c.md");
    d.user_renames_folder("notes", "Notes");
    for (const std::string path : {"c.md", "Notes/b.md"}) {
      d.user_renames(path, path + ".bak");
      d.user_writes(path, *d.disk().read(path + ".bak") + "herbs\n");
      d.user_deletes(path + ".bak");
    }
  };
  const Files files = together(world, {rename_and_save, [](Device& d) {
                                         d.user_writes("notes/a.md", "plums\nbeans\n");
                                         d.user_writes("notes/b.md", "plums\npeas\n");
                                       }});
  EXPECT_EQ(files, (Files{{"c.md", "plums\nbeans\nherbs\n"}, {"Notes/b.md", "plums\npeas\nherbs\n"}}));
}

TEST(MergeRules, RenameAndRename) {
  World world = in_step({{"a.md", kLong}});
  const Files files = together(world, {[](Device& d) { d.user_renames("a.md", "second.md"); },
                                       [](Device& d) { d.user_renames("a.md", "first.md"); }});
  EXPECT_EQ(files, (Files{{"first.md", kLong}}));
}

TEST(MergeRules, RenameAndDelete) {
  for (const bool rename_first : {true, false}) {
    World world = in_step({{"a.md", kLong}});
    const auto rename = [](Device& d) { d.user_renames("a.md", "b.md"); };
    const auto remove = [](Device& d) { d.user_deletes("a.md"); };
    const Files files = rename_first ? together(world, {rename, remove}) : together(world, {remove, rename});
    EXPECT_EQ(files, (Files{{"b.md", kLong}})) << rename_first;
  }
}

TEST(MergeRules, DeleteAndEdit) {
  for (const bool edit_first : {true, false}) {
    World world = in_step({{"a.md", kLong}});
    const auto edit = [](Device& d) { d.user_writes("a.md", std::string(kLong) + "edited\n"); };
    const auto remove = [](Device& d) { d.user_deletes("a.md"); };
    const Files files = edit_first ? together(world, {edit, remove}) : together(world, {remove, edit});
    EXPECT_EQ(files, (Files{{"a.md", std::string(kLong) + "edited\n"}})) << edit_first;
  }
}

TEST(MergeRules, RenameWithDeleteAndEdit) {
  for (const bool edit_first : {true, false}) {
    World world = in_step({{"a.md", kLong}});
    const auto edit = [](Device& d) { d.user_writes("a.md", std::string(kLong) + "edited\n"); };
    const auto remove = [&](Device& d) {
      d.user_renames("a.md", "b.md");
      d.look_and_settle();
      d.user_deletes("b.md");
    };
    const Files files = edit_first ? together(world, {edit, remove}) : together(world, {remove, edit});
    EXPECT_EQ(files, (Files{{"b.md", std::string(kLong) + "edited\n"}})) << edit_first;
  }
}

TEST(MergeRules, DeleteAndDelete) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const auto remove = [](Device& d) { d.user_deletes("a.md"); };
  EXPECT_EQ(together(world, {remove, remove}), (Files{{"b.md", kOther}}));
}

TEST(MergeRules, DeleteWithCreateAgainAndCreateSomethingElse) {
  // One device hears of the deletion, which is half of what a program does that saves, and its user makes another file.
  const std::string saved = std::string(kLong) + "late\n";
  World world = in_step({{"a.md", kLong}});
  world.device(0).user_deletes("a.md");
  for (int step = 0; step < 100; ++step) world.step();
  ASSERT_FALSE(world.device(1).disk().has("a.md"));
  const Files files = together(
      world, {[&](Device& d) { d.user_writes("a.md", saved); }, [](Device& d) { d.user_writes("a.md", kOther); }});
  EXPECT_EQ(files.size(), 2u);
  EXPECT_TRUE(beside(files, "a.md") == (files.at("a.md") == saved ? kOther : saved)) << all_text(files);
}

TEST(MergeRules, DeleteWithCreateAgainAndCreateSomethingLikeIt) {
  World world = in_step({{"a.md", kLong}});
  world.device(0).user_deletes("a.md");
  for (int step = 0; step < 100; ++step) world.step();
  const std::string edited = std::string(kLong) + "late\n";
  const Files files = together(
      world, {[](Device& d) { d.user_writes("a.md", kLong); }, [&](Device& d) { d.user_writes("a.md", edited); }});
  EXPECT_EQ(files, (Files{{"a.md", edited}}));
}

TEST(MergeRules, CreateAndCreateTheSame) {
  World world = in_step({});
  const auto create = [](Device& d) { d.user_writes("a.md", kLong); };
  EXPECT_EQ(together(world, {create, create}), (Files{{"a.md", kLong}}));
}

TEST(MergeRules, CreateAndCreateDifferently) {
  World world = in_step({});
  const Files files = together(
      world, {[](Device& d) { d.user_writes("a.md", kLong); }, [](Device& d) { d.user_writes("a.md", kOther); }});
  EXPECT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("a.md"), kLong);
  EXPECT_EQ(all_text(files).size(), std::string(kLong).size() + std::string(kOther).size());
}

TEST(MergeRules, CreateAndRenameToTheSameName) {
  for (const bool create_first : {true, false}) {
    World world = in_step({{"a.md", kLong}});
    const auto create = [](Device& d) { d.user_writes("b.md", kOther); };
    const auto rename = [](Device& d) { d.user_renames("a.md", "b.md"); };
    const Files files = create_first ? together(world, {create, rename}) : together(world, {rename, create});
    EXPECT_EQ(files.size(), 2u) << create_first;
    EXPECT_FALSE(files.contains("a.md"));
    EXPECT_EQ(files.at("b.md"), create_first ? kOther : kLong);
    EXPECT_EQ(all_text(files).size(), std::string(kLong).size() + std::string(kOther).size()) << all_text(files);
  }
}

TEST(MergeRules, RenameOfTwoFilesToOneName) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const Files files = together(
      world, {[](Device& d) { d.user_renames("a.md", "c.md"); }, [](Device& d) { d.user_renames("b.md", "c.md"); }});
  EXPECT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("c.md"), kLong);
  EXPECT_EQ(all_text(files).size(), std::string(kLong).size() + std::string(kOther).size()) << all_text(files);
}

TEST(MergeRules, EditOfAFileWhoseNameIsUsedAnew) {
  // A new file under a key that was renamed away never receives late edits meant for the old one.
  World world = in_step({{"a.md", kLong}});
  const Files files = together(world, {[](Device& d) {
                                         d.user_renames("a.md", "b.md");
                                         d.look_and_settle();
                                         d.user_writes("a.md", kOther);
                                       },
                                       [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"a.md", kOther}, {"b.md", std::string(kLong) + "late\n"}}));
}

TEST(MergeRules, EditInFlightOfAFileWhoseNameIsUsedAnew) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    World world = in_step({{"a.md", kLong}}, seed);
    world.device(0).user_renames("a.md", "b.md");
    world.device(0).look_and_settle();
    world.device(0).user_writes("a.md", kOther);
    for (uint64_t steps = seed % 9; steps > 0; --steps) world.step();
    const bool is_early = world.device(1).disk().read("a.md") == kLong;
    if (is_early) world.device(1).user_writes("a.md", std::string(kLong) + "late\n");
    ASSERT_TRUE(world.run_until_quiet());
    ASSERT_EQ(world.first_difference(), "") << seed;
    const std::string a = *world.device(2).disk().read("a.md");
    EXPECT_EQ(a, kOther) << seed;
    EXPECT_EQ(world.device(2).disk().read("b.md"), std::string(kLong) + (is_early ? "late\n" : "")) << seed;
  }
}

/// All at once, as a script does: the watcher sees two files with other texts.
TEST(MergeRules, SwapOfTwoNames) {
  for (const bool running : {true, false}) {
    World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
    const auto swap = [&](Device& d) {
      swap_names(d);
      if (!running) d.crash_and_restart();
    };
    const Files files = together(world, {swap, [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); },
                                         [](Device& d) { d.user_writes("b.md", std::string(kOther) + "later\n"); }});
    EXPECT_EQ(files, (Files{{"a.md", std::string(kOther) + "later\n"}, {"b.md", std::string(kLong) + "late\n"}}));
  }
}

TEST(MergeRules, RenameOfARowOfFiles) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const auto move_up = [](Device& d) {
    d.user_renames("b.md", "c.md");
    d.user_renames("a.md", "b.md");
  };
  const Files files = together(world, {move_up, [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); },
                                       [](Device& d) { d.user_writes("b.md", std::string(kOther) + "later\n"); }});
  EXPECT_EQ(files, (Files{{"b.md", std::string(kLong) + "late\n"}, {"c.md", std::string(kOther) + "later\n"}}));
}

TEST(MergeRules, RenameOverAFile) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const auto replace = [](Device& d) {
    d.user_deletes("b.md");
    d.user_renames("a.md", "b.md");
  };
  const Files files =
      together(world, {replace, [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"b.md", std::string(kLong) + "late\n"}}));
}

TEST(MergeRules, CopyOverAFile) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const Files files = together(world, {[](Device& d) { d.user_writes("b.md", kLong); },
                                       [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"a.md", std::string(kLong) + "late\n"}, {"b.md", kLong}}));
}

TEST(MergeRules, SwapOfTwoNamesOnTwoDevices) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  const auto swap = [](Device& d, std::string_view between, const std::string& mark) {
    d.user_renames("a.md", between);
    d.look_and_settle();
    d.user_renames("b.md", "a.md");
    d.look_and_settle();
    d.user_renames(between, "b.md");
    d.look_and_settle();
    d.user_writes("a.md", std::string(kOther) + mark);
    d.user_writes("b.md", std::string(kLong) + mark);
  };
  const Files files = together(
      world, {[&](Device& d) { swap(d, "t.md", "from one\n"); }, [&](Device& d) { swap(d, "t.md", "from two\n"); }});
  ASSERT_EQ(files.size(), 2u) << all_text(files);
  for (const auto& [path, text] : files) {
    EXPECT_TRUE(text.starts_with(kLong) || text.starts_with(kOther)) << path << ": " << text;
    EXPECT_EQ(count(text, "from one\n"), 1u) << path;
    EXPECT_EQ(count(text, "from two\n"), 1u) << path;
  }
  EXPECT_EQ(all_text(files).size(), std::string(kLong).size() + std::string(kOther).size() + 36);
}

TEST(MergeRules, SwapOfTwoNamesAtOnceOnTwoDevices) {
  for (const bool running : {true, false}) {
    World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
    const auto swap = [&](Device& d) {
      swap_names(d);
      if (!running) d.crash_and_restart();
    };
    EXPECT_EQ(together(world, {swap, swap}), (Files{{"a.md", kOther}, {"b.md", kLong}})) << running;
  }
}

TEST(MergeRules, RotationOfThreeNames) {
  constexpr const char* kThird = "# Moon\n\nit was full on Friday\nthe tide came late\n";
  for (const bool running : {true, false}) {
    for (const bool on_both : {true, false}) {
      World world = in_step({{"a.md", kLong}, {"b.md", kOther}, {"c.md", kThird}});
      const auto rotate = [&](Device& d) {
        d.user_renames("a.md", "t.md");
        d.user_renames("b.md", "a.md");
        d.user_renames("c.md", "b.md");
        d.user_renames("t.md", "c.md");
        if (!running) d.crash_and_restart();
      };
      const auto edit = [](Device& d) { d.user_writes("a.md", std::string(kLong) + "late\n"); };
      const Files files = on_both ? together(world, {rotate, rotate, edit}) : together(world, {rotate, edit});
      EXPECT_EQ(files, (Files{{"a.md", kOther}, {"b.md", kThird}, {"c.md", std::string(kLong) + "late\n"}}));
    }
  }
}

TEST(MergeRules, SwapWithAConflictCopy) {
  World world = in_step({{"x.md", kLong}, {"y.md", kOther}, {"z.md", "# Moon\n\nit was full on Friday\n"}});
  together(world,
           {[](Device& d) { d.user_renames("x.md", "n.md"); }, [](Device& d) { d.user_renames("y.md", "n.md"); }});
  const std::string copy = world.device(0).disk().files().begin()->first;
  ASSERT_TRUE(copy.starts_with("n (conflict ")) << copy;
  const std::string text = *world.device(0).disk().read(copy);
  const Files files = together(world, {[&](Device& d) {
                                         d.user_renames(copy, "t.md");
                                         d.user_renames("z.md", copy);
                                         d.user_renames("t.md", "z.md");
                                       },
                                       [&](Device& d) { d.user_writes(copy, text + "late\n"); }});
  EXPECT_EQ(files.size(), 3u);
  EXPECT_EQ(files.at("z.md"), text + "late\n");
  EXPECT_EQ(files.at(copy), "# Moon\n\nit was full on Friday\n");
}

TEST(MergeRules, RenameThereAndBack) {
  World world = in_step({{"a.md", kLong}});
  world.device(0).user_renames("a.md", "b.md");
  ASSERT_TRUE(world.run_until_quiet());
  world.device(1).user_renames("b.md", "a.md");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(2).disk().files().size(), 1u);
  EXPECT_EQ(world.device(2).disk().read("a.md"), kLong);
}

TEST(MergeRules, RenameToTheNameOfADeletedFile) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  world.device(0).user_deletes("b.md");
  ASSERT_TRUE(world.run_until_quiet());
  const Files files = together(world, {[](Device& d) { d.user_renames("a.md", "b.md"); }});
  EXPECT_EQ(files, (Files{{"b.md", kLong}}));
}

TEST(MergeRules, RenameToTheNameOfADeletedFileAndUseOfTheOldName) {
  World world = in_step({{"a.md", kLong}, {"b.md", kOther}});
  world.device(0).user_deletes("b.md");
  ASSERT_TRUE(world.run_until_quiet());
  // Offline nobody can tell what else is under the name of the deleted file, so the rename waits; the new file waits too.
  const Files files = together(world, {[](Device& d) {
                                 d.user_renames("a.md", "b.md");
                                 d.look_and_settle();
                                 d.user_writes("a.md", "something new\n");
                               }});
  EXPECT_EQ(files, (Files{{"a.md", "something new\n"}, {"b.md", kLong}}));
}

// --- folders ------------------------------------------------------------------------------------------------------

TEST(MergeRules, FolderRenameAndEdit) {
  World world = in_step({{"f/a.md", kLong}, {"f/g/b.md", kOther}});
  const Files files = together(world, {[](Device& d) { d.user_renames_folder("f", "h"); },
                                       [](Device& d) { d.user_writes("f/g/b.md", std::string(kOther) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"h/a.md", kLong}, {"h/g/b.md", std::string(kOther) + "late\n"}}));
}

TEST(MergeRules, FolderRenameAndFolderRename) {
  World world = in_step({{"f/a.md", kLong}, {"f/b.md", kOther}});
  const Files files = together(
      world, {[](Device& d) { d.user_renames_folder("f", "y"); }, [](Device& d) { d.user_renames_folder("f", "x"); }});
  EXPECT_EQ(files, (Files{{"x/a.md", kLong}, {"x/b.md", kOther}}));
}

TEST(MergeRules, FolderRenameAndMoveIntoIt) {
  World world = in_step({{"f/a.md", kLong}, {"b.md", kOther}});
  const Files files = together(
      world, {[](Device& d) { d.user_renames_folder("f", "g"); }, [](Device& d) { d.user_renames("b.md", "f/b.md"); }});
  EXPECT_EQ(files, (Files{{"f/b.md", kOther}, {"g/a.md", kLong}}));
}

TEST(MergeRules, FolderRenameAndCreateInIt) {
  World world = in_step({{"f/a.md", kLong}});
  const Files files = together(world, {[](Device& d) { d.user_renames_folder("f", "g"); },
                                       [](Device& d) { d.user_writes("f/new.md", kOther); }});
  EXPECT_EQ(files, (Files{{"f/new.md", kOther}, {"g/a.md", kLong}}));
}

TEST(MergeRules, FolderRenameAndDeleteOfAFileInIt) {
  World world = in_step({{"f/a.md", kLong}, {"f/b.md", kOther}});
  const Files files = together(
      world, {[](Device& d) { d.user_renames_folder("f", "g"); }, [](Device& d) { d.user_deletes("f/a.md"); }});
  EXPECT_EQ(files, (Files{{"g/a.md", kLong}, {"g/b.md", kOther}}));
}

TEST(MergeRules, FolderDeleteAndEditInIt) {
  World world = in_step({{"f/a.md", kLong}, {"f/b.md", kOther}});
  const Files files = together(world, {[](Device& d) {
                                         d.user_deletes("f/a.md");
                                         d.user_deletes("f/b.md");
                                       },
                                       [](Device& d) { d.user_writes("f/a.md", std::string(kLong) + "late\n"); }});
  EXPECT_EQ(files, (Files{{"f/a.md", std::string(kLong) + "late\n"}}));
}

}  // namespace
}  // namespace diaryx::sync
