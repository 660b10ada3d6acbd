// Rows of docs/merge-rules.md: files that are no notes, and notes that become such files. One test per row, named as the row says.
#include <gtest/gtest.h>

#include <algorithm>

#include "merge_rules.h"

namespace diaryx::sync {
namespace {

// --- other files --------------------------------------------------------------------------------------------------

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

// --- notes that become other files --------------------------------------------------------------------------------

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
