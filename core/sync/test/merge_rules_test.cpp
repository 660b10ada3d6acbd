// The table of docs/merge-rules.md: one test per row, named as the row says.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "diaryx/testing/world.h"

namespace diaryx::sync {
namespace {

using testing::Device;
using testing::World;

using Files = std::map<std::string, std::string>;

constexpr const char* kLong =
    "# The garden\n\nbeans along the wall\ntomatoes in the glasshouse\npeas at the fence\nleave room for herbs\n";
constexpr const char* kOther = "# Travel\n\ntrains to Lisbon\nthe ferry leaves at nine\npack the blue bag\n";

/// Three devices that hold `files`.
World in_step(const Files& files, uint64_t seed = 11) {
  World world{seed, {.devices = 3}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  return world;
}

/// Lets each device do its part alone, then brings them together again, the first one first.
Files together(World& world, const std::vector<std::function<void(Device&)>>& parts) {
  for (size_t i = 0; i < world.size(); ++i) world.device(i).go_offline();
  for (size_t i = 0; i < parts.size(); ++i) parts[i](world.device(i));
  for (int i = 0; i < 30; ++i) world.step_offline();
  for (size_t i = 0; i < world.size(); ++i) {
    world.device(i).go_online();
    for (int step = 0; step < 60; ++step) world.step();
  }
  EXPECT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
  EXPECT_EQ(world.first_difference(), "");
  const auto& files = world.device(0).disk().files();
  return Files(files.begin(), files.end());
}

std::string all_text(const Files& files) {
  std::string all;
  for (const auto& [path, bytes] : files) all += bytes;
  return all;
}

size_t count(const std::string& text, const std::string& marker) {
  size_t found = 0;
  for (size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) ++found;
  return found;
}

/// The one file that is not called `path`, or nothing.
std::string beside(const Files& files, const std::string& path) {
  if (files.size() != 2) return "there are " + std::to_string(files.size()) + " files";
  for (const auto& [name, bytes] : files) {
    if (name != path) return name.contains("(conflict ") ? bytes : "the other file is called " + name;
  }
  return "there is no " + path;
}

// --- a file and its name ------------------------------------------------------------------------------------------

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
void swap_names(Device& device) {
  device.user_renames("a.md", "t.md");
  device.user_renames("b.md", "a.md");
  device.user_renames("t.md", "b.md");
}

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

// --- renames that nobody saw --------------------------------------------------------------------------------------

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

// --- folders ------------------------------------------------------------------------------------------------------

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
  EXPECT_EQ(told[0],
            "a.md: the fields of the frontmatter are not read, it is synced as it is: the frontmatter is no YAML, or "
            "has anchors, tags or other things that are not read here (at byte 12)");
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

// --- attachments --------------------------------------------------------------------------------------------------

TEST(MergeRules, AttachmentEditAndEdit) {
  World world = in_step({{"p.png", "old"}});
  const Files files = together(
      world, {[](Device& d) { d.user_writes("p.png", "left"); }, [](Device& d) { d.user_writes("p.png", "right"); }});
  EXPECT_EQ(files.size(), 2u);
  EXPECT_EQ(all_text(files).size(), 9u);
}

TEST(MergeRules, AttachmentDeleteAndEdit) {
  for (const bool edit_first : {true, false}) {
    World world = in_step({{"p.png", "old"}});
    const auto edit = [](Device& d) { d.user_writes("p.png", "new"); };
    const auto remove = [](Device& d) { d.user_deletes("p.png"); };
    const Files files = edit_first ? together(world, {edit, remove}) : together(world, {remove, edit});
    EXPECT_EQ(files, (Files{{"p.png", "new"}})) << edit_first;
  }
}

TEST(MergeRules, AttachmentRenameAndDelete) {
  World world = in_step({{"p.png", "old"}});
  const Files files = together(
      world, {[](Device& d) { d.user_renames("p.png", "q.png"); }, [](Device& d) { d.user_deletes("p.png"); }});
  EXPECT_EQ(files, (Files{{"q.png", "old"}}));
}

TEST(MergeRules, AttachmentRenameAndRename) {
  World world = in_step({{"p.png", "old"}});
  const Files files = together(world, {[](Device& d) { d.user_renames("p.png", "q.png"); },
                                       [](Device& d) { d.user_renames("p.png", "r.png"); }});
  EXPECT_EQ(files, (Files{{"q.png", "old"}, {"r.png", "old"}}));
}

TEST(MergeRules, AttachmentRenamedThenEditedElsewhere) {
  World world = in_step({{"p.png", "old"}});
  world.device(0).user_renames("p.png", "q.png");
  ASSERT_TRUE(world.run_until_quiet());
  world.device(1).user_writes("q.png", "new");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(0).disk().files().size(), 1u);
  EXPECT_EQ(world.device(0).disk().read("q.png"), "new");
}

TEST(MergeRules, AttachmentEditThatWasTakenAwayAndEditOrDelete) {
  // Whoever made the change hears of two others: of one who had it and took it away, and of one who never had it. Whose entry holds
  // is decided by client ids, so each of them plays each part. If the one who knew comes last, the change was sent anew meanwhile.
  using Part = std::function<void(Device&)>;
  const auto write = [](std::string bytes) { return Part([bytes](Device& d) { d.user_writes("p.png", bytes); }); };
  const Part remove = [](Device& d) { d.user_deletes("p.png"); };
  const Part rename = [](Device& d) { d.user_renames("p.png", "q.png"); };
  struct Case {
    Part knowing;
    Part ignorant;
    std::multiset<std::string> contents;
  };
  const Case cases[] = {
      {remove, remove, {}},
      {remove, write("theirs"), {"theirs"}},
      {rename, remove, {"new"}},
      {rename, write("theirs"), {"new", "theirs"}},
      {write("newer"), remove, {"newer"}},
      {write("newer"), write("theirs"), {"newer", "theirs"}},
  };
  const auto go_on = [](World& world) {  // whoever is away stays away
    for (int step = 0; step < 100; ++step) world.step();
  };
  enum class Last { Changer, Knowing, KnowingAfterACrash };
  const auto play = [&](const Case& story, const std::vector<size_t>& roles, Last last) {
    World world = in_step({{"p.png", "old"}});
    Device& changer = world.device(roles[0]);
    Device& knowing = world.device(roles[1]);
    Device& ignorant = world.device(roles[2]);
    ignorant.go_offline();
    story.ignorant(ignorant);
    changer.user_writes("p.png", "new");
    go_on(world);
    EXPECT_EQ(knowing.disk().read("p.png"), "new");
    changer.go_offline();
    if (last >= Last::Knowing) knowing.go_offline();
    story.knowing(knowing);
    go_on(world);
    ignorant.go_online();
    go_on(world);
    changer.go_online();
    go_on(world);
    if (last == Last::KnowingAfterACrash) changer.crash_and_restart();
    EXPECT_TRUE(world.run_until_quiet());
    EXPECT_EQ(world.first_difference(), "");
    std::multiset<std::string> contents;
    for (const auto& [path, bytes] : world.device(0).disk().files()) contents.insert(bytes);
    return contents;
  };
  std::vector<size_t> roles{0, 1, 2};
  do {
    for (const Last last : {Last::Changer, Last::Knowing, Last::KnowingAfterACrash}) {
      for (const Case& story : cases) {
        EXPECT_EQ(play(story, roles, last), story.contents)
            << "case " << &story - cases << ", changed by " << roles[0] << ", taken away by " << roles[1] << ", order "
            << static_cast<int>(last);
      }
    }
  } while (std::ranges::next_permutation(roles).found);
}

// --- a note that becomes bytes, and bytes that become a note ----------------------------------------------------------

constexpr const char* kBytes = "\xff\xfe no text\n";
constexpr const char* kMoreBytes = "\xff\xfe no text, and more\n";

/// The first to reach the server has the name; the other is kept beside it, whole.
void two_kinds(const Files& before, const std::string& first, const std::string& second) {
  for (const bool running : {true, false}) {
    World world = in_step(before);
    const auto write = [&](Device& d, const std::string& bytes) {
      d.user_writes("n.md", bytes);
      if (!running) d.crash_and_restart();
    };
    const Files files = together(world, {[&](Device& d) { write(d, first); }, [&](Device& d) { write(d, second); }});
    ASSERT_TRUE(files.contains("n.md"));
    EXPECT_EQ(files.at("n.md"), first) << running;
    EXPECT_EQ(beside(files, "n.md"), second) << running;
    std::string said;
    for (size_t i = 0; i < 2; ++i) {
      for (const std::string& problem : world.device(i).problems()) said += problem;
    }
    EXPECT_TRUE(said.contains("(conflict ")) << running;
  }
}

TEST(MergeRules, NoteBecomesBytesAndEdit) {
  two_kinds({{"n.md", kLong}}, kBytes, std::string(kLong) + "late\n");
  two_kinds({{"n.md", kLong}}, std::string(kLong) + "late\n", kBytes);
}

TEST(MergeRules, BytesBecomeANoteAndEdit) {
  two_kinds({{"n.md", kBytes}}, kLong, kMoreBytes);
  two_kinds({{"n.md", kBytes}}, kMoreBytes, kLong);
}

TEST(MergeRules, NoteAndBytesUnderOneNewName) {
  two_kinds({}, kLong, kBytes);
  two_kinds({}, kBytes, kLong);
}

TEST(MergeRules, NoteBecomesBytesWhileItIsEditedOnline) {
  for (uint64_t seed = 1; seed < 30; ++seed) {
    World world = in_step({{"n.md", seed % 2 == 0 ? kLong : kBytes}}, seed);
    const std::string first = seed % 2 == 0 ? kBytes : kLong;
    const std::string second = seed % 2 == 0 ? std::string(kLong) + "late\n" : kMoreBytes;
    world.device(seed / 2 % 2).user_writes("n.md", first);
    for (uint64_t step = 0; step < seed / 4; ++step) world.step();
    world.device(1 - seed / 2 % 2).user_writes("n.md", second);
    ASSERT_TRUE(world.run_until_quiet()) << seed;
    ASSERT_EQ(world.first_difference(), "") << seed;
    const auto& found = world.device(0).disk().files();
    const Files files(found.begin(), found.end());
    ASSERT_TRUE(files.contains("n.md")) << seed;
    if (files.size() == 1) {
      EXPECT_EQ(files.at("n.md"), second) << seed;  // written over what was there: the first was seen by then
      continue;
    }
    const std::string other = beside(files, "n.md");
    EXPECT_TRUE((files.at("n.md") == first && other == second) || (files.at("n.md") == second && other == first))
        << seed << files.at("n.md") << other;
  }
}

TEST(MergeRules, NoteBecomesBytesAndANoteAgain) {
  World world = in_step({{"n.md", kLong}});
  for (const std::string bytes : {kBytes, kOther, kMoreBytes, kLong}) {
    world.device(1).user_writes("n.md", bytes);
    ASSERT_TRUE(world.run_until_quiet());
    ASSERT_EQ(world.first_difference(), "");
    EXPECT_EQ(world.device(0).disk().read("n.md"), bytes);
  }
}

}  // namespace
}  // namespace diaryx::sync
