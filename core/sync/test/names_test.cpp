// Names that one disk cannot hold, on devices with different disks (T30).
#include <gtest/gtest.h>

#include "diaryx/testing/world.h"

namespace diaryx::sync {
namespace {

using testing::Device;
using testing::World;

constexpr DiskTraits kLinux{};
constexpr DiskTraits kMac{.case_insensitive = true, .normalising = true};
constexpr DiskTraits kWindows{.case_insensitive = true, .windows_names = true};

using Files = std::map<std::string, std::string>;

World mixed(uint64_t seed = 21) { return World{seed, {.devices = 3, .disks = {kLinux, kMac, kWindows}}}; }

void expect_step(World& world) {
  ASSERT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
  ASSERT_EQ(world.first_difference(), "");
}

Files by_key(const World& world, size_t device) {
  const auto files = world.files_by_key(device);
  return Files(files.begin(), files.end());
}

TEST(Names, KeepsNamesThatAnotherDiskRefuses) {
  World world = mixed();
  const Files files = {{"what?.md", "a question\n"},   {"aa:b.md", "a colon\n"}, {"dots...", "bytes"},
                       {"trailing ./note.md", "in\n"}, {"pic|ture.png", "png"},  {"plain.md", "plain\n"}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  expect_step(world);
  EXPECT_EQ(by_key(world, 2), files);
  EXPECT_FALSE(world.device(2).disk().has("what?.md"));
  EXPECT_TRUE(world.device(2).disk().has("plain.md"));

  const std::string alias = world.device(2).replica().disk_path("what?.md");
  world.device(2).user_writes(alias, "a question\nand an answer\n");
  expect_step(world);
  EXPECT_EQ(world.device(0).disk().read("what?.md"), "a question\nand an answer\n");

  world.device(2).crash_and_restart();
  world.device(0).user_writes("what?.md", "a question\nand two answers\n");
  expect_step(world);
  EXPECT_EQ(world.device(2).disk().read(alias), "a question\nand two answers\n");
  EXPECT_EQ(world.device(2).disk().files().size(), files.size());
}

TEST(Names, KeepsAnAliasInAFolderThatIsRenamedInCaseAlone) {
  World world = mixed();
  world.device(0).user_writes("notes/a.md", "the first\n");
  world.device(0).user_writes("notes/what?.md", "a question\n");
  expect_step(world);
  world.device(2).user_renames_folder("notes", "Notes");
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"Notes/a.md", "the first\n"}, {"Notes/what?.md", "a question\n"}}));
}

TEST(Names, TakesAFileThatComesToAFolderWhichIsRenamedInCaseAloneForNoOther) {
  for (int moment = 0; moment < 40; ++moment) {
    World world = mixed();
    world.device(0).user_writes("notes/a.md", "the first\n");
    expect_step(world);
    world.device(0).user_writes("notes/b.md", "the second\n");
    for (int i = 0; i < moment; ++i) world.step();
    world.device(2).user_renames_folder("notes", "Notes");  // and the other comes to it before the watcher tells
    expect_step(world);
    Files files = by_key(world, 0);
    EXPECT_EQ(files.size(), 2u) << moment;
    EXPECT_EQ(files["Notes/a.md"], "the first\n") << moment;
    EXPECT_EQ(files[files.contains("notes/b.md") ? "notes/b.md" : "Notes/b.md"], "the second\n") << moment;
  }
}

TEST(Names, TellsOfAFileThatWeMovedInAFolderWhichWasJustRenamedInCaseAlone) {
  for (int moment = 0; moment < 40; ++moment) {
    World world = mixed();
    world.device(0).user_writes("notes/a.md", "the first\n");
    world.device(0).user_writes("notes/b.md", "the second\n");
    expect_step(world);
    world.device(0).user_renames("notes/b.md", "notes/c.md");
    for (int i = 0; i < moment; ++i) world.step();
    world.device(2).user_renames_folder("notes", "Notes");  // and we move the other there before the watcher tells
    world.step();
    const bool is_moved = world.device(2).disk().has("Notes/c.md");
    world.device(2).user_writes(is_moved ? "Notes/c.md" : "Notes/b.md", "the second\nand more\n");
    expect_step(world);
    const Files files = by_key(world, 0);
    EXPECT_EQ(files.size(), 2u) << moment;
    size_t edited = 0;
    for (const auto& [path, text] : files) edited += text == "the second\nand more\n" ? 1 : 0;
    EXPECT_EQ(edited, 1u) << moment;
  }
}

TEST(Names, KeepsAFileInAFolderWithAnAliasWhenTheNameOfTheFolderBecomesFree) {
  World world = mixed();
  world.device(0).user_writes("Notes/a.md", "the first\n");
  expect_step(world);
  world.device(0).user_writes("notes/b.md", "the second\n");
  expect_step(world);
  Device& windows = world.device(2);
  const std::string alias = windows.replica().disk_path("notes/b.md");
  ASSERT_NE(alias, "notes/b.md");
  windows.user_renames("Notes/a.md", "a.md");
  windows.look_and_settle();
  windows.user_writes("notes/c.md", "the third\n");
  windows.look_and_settle();
  windows.user_writes(alias, "the second, edited\n");
  expect_step(world);
  EXPECT_EQ(by_key(world, 0),
            (Files{{"a.md", "the first\n"}, {"notes/b.md", "the second, edited\n"}, {"notes/c.md", "the third\n"}}));
}

TEST(Names, RenamesAndDeletesUnderAnAlias) {
  World world = mixed();
  world.device(0).user_writes("what?.md", "a question\n");
  world.device(0).user_writes("which?.md", "another question\n");
  expect_step(world);
  world.device(2).user_renames(world.device(2).replica().disk_path("what?.md"), "plain.md");
  world.device(2).user_deletes(world.device(2).replica().disk_path("which?.md"));
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"plain.md", "a question\n"}}));
  world.device(0).user_renames("plain.md", "now?.md");
  expect_step(world);
  EXPECT_EQ(by_key(world, 2), (Files{{"now?.md", "a question\n"}}));
  world.device(0).user_renames("now?.md", "folder?/now.md");
  expect_step(world);
  EXPECT_EQ(by_key(world, 2), (Files{{"folder?/now.md", "a question\n"}}));
}

TEST(Names, SwapsFilesUnderAnAliasThatIsNotNeededAnyMore) {
  World world = mixed();
  Device& windows = world.device(2);
  world.device(0).user_writes("note.md", "takes the name\n");
  expect_step(world);
  world.device(0).user_writes("Note.md", "the text of the large one\n");
  world.device(0).user_writes("plain.md", "the text of the plain one\n");
  expect_step(world);
  world.device(0).user_deletes("note.md");
  expect_step(world);
  const std::string alias = windows.replica().disk_path("Note.md");
  ASSERT_NE(alias, "Note.md");
  windows.user_renames(alias, "swap.md");
  windows.user_renames("plain.md", alias);
  windows.user_renames("swap.md", "plain.md");
  expect_step(world);
  const Files swapped = {{"Note.md", "the text of the plain one\n"}, {"plain.md", "the text of the large one\n"}};
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(by_key(world, i), swapped) << i;
  world.device(0).user_writes("Note.md", "the text of the plain one\nand more\n");
  expect_step(world);
  EXPECT_EQ(windows.disk().files().size(), 2u);
}

TEST(Names, KeepsFilesThatDifferOnlyInCase) {  // A32
  World world = mixed();
  const Files files = {{"note.md", "small\n"}, {"Note.md", "large\n"}, {"Folder/a.md", "1\n"},
                       {"folder/a.md", "2\n"}, {"p.png", "p"},         {"P.png", "P"}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  expect_step(world);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(by_key(world, i), files) << i;
  world.device(1).crash_and_restart();
  world.device(2).crash_and_restart();
  world.device(1).user_writes(world.device(1).replica().disk_path("note.md"), "small, edited\n");
  world.device(2).user_writes(world.device(2).replica().disk_path("Note.md"), "large, edited\n");
  expect_step(world);
  EXPECT_EQ(world.device(0).disk().read("note.md"), "small, edited\n");
  EXPECT_EQ(world.device(0).disk().read("Note.md"), "large, edited\n");
}

TEST(Names, AFileThatFollowsOneWithAnAliasHasNone) {
  World world{22, {.devices = 2, .disks = {kLinux, kWindows}}};
  world.device(0).user_writes("a.md", "small\n");
  expect_step(world);
  world.device(0).user_writes("A.md", "large\n");
  expect_step(world);
  ASSERT_NE(world.device(1).replica().disk_path("A.md"), "A.md");
  world.device(0).user_renames("A.md", "elsewhere.md");
  world.device(0).user_deletes("a.md");
  expect_step(world);
  world.device(0).user_writes("A.md", "another\n");
  expect_step(world);
  ASSERT_EQ(world.device(1).disk().read("A.md"), "another\n");
  world.device(1).crash_and_restart();
  world.device(0).user_deletes("A.md");
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"elsewhere.md", "large\n"}}));
  EXPECT_EQ(by_key(world, 1), by_key(world, 0));
}

TEST(Names, FollowsARenameInCaseAlone) {
  for (size_t renamer = 0; renamer < 3; ++renamer) {
    for (const bool running : {true, false}) {
      World world = mixed();
      world.device(0).user_writes("note.md", "the text of the note\n");
      world.device(0).user_writes("folder/other.md", "the text of the other one\n");
      expect_step(world);
      world.device(renamer).user_renames("note.md", "Note.md");
      world.device(renamer).user_renames_folder("folder", "Folder");
      if (!running) world.device(renamer).crash_and_restart();
      expect_step(world);
      const Files files = {{"Note.md", "the text of the note\n"}, {"Folder/other.md", "the text of the other one\n"}};
      for (size_t i = 0; i < 3; ++i) {
        const auto& disk = world.device(i).disk().files();
        EXPECT_EQ(Files(disk.begin(), disk.end()), files) << "device " << i << ", renamed on " << renamer << running;
      }
    }
  }
}

TEST(Names, TakesComposedAndDecomposedNamesForOneWhereTheDiskDoes) {
  World world = mixed();
  world.device(0).user_writes("caf\u00e9.md", "one\n");
  expect_step(world);
  EXPECT_TRUE(world.device(1).disk().files().contains("cafe\u0301.md"));
  world.device(1).crash_and_restart();
  world.device(1).user_writes("caf\u00e9.md", "one\ntwo\n");
  world.device(1).user_writes("u\u0308ber.md", "made on the Mac\n");
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"caf\u00e9.md", "one\ntwo\n"}, {"\u00fcber.md", "made on the Mac\n"}}));
}

TEST(Names, KeepsComposedAndDecomposedNamesApartWhereAnotherDiskDoes) {
  World world = mixed();
  world.device(0).user_writes("caf\u00e9.md", "composed\n");
  world.device(0).user_writes("cafe\u0301.md", "decomposed\n");
  expect_step(world);
  EXPECT_EQ(by_key(world, 1), (Files{{"caf\u00e9.md", "composed\n"}, {"cafe\u0301.md", "decomposed\n"}}));
}

TEST(Names, SwapsTwoNamesThatDifferOnlyInCase) {
  World world = mixed();
  world.device(0).user_writes("note.md", "the small one\n");
  world.device(0).user_writes("Note.md", "the large one\n");
  expect_step(world);
  world.device(0).user_renames("note.md", "t.md");
  world.device(0).user_renames("Note.md", "note.md");
  world.device(0).user_renames("t.md", "Note.md");
  expect_step(world);
  EXPECT_EQ(by_key(world, 1), (Files{{"note.md", "the large one\n"}, {"Note.md", "the small one\n"}}));
}

struct CaseTwins {
  std::string aliased;  // the one that has another name on the second device's disk
  std::string plain;
};
CaseTwins two_that_differ_in_case(World& world) {
  world.device(0).user_writes("note.md", "the small one\n");
  world.device(0).user_writes("Note.md", "the large one\n");
  expect_step(world);
  const bool is_small = world.device(1).replica().disk_path("note.md") != "note.md";
  return is_small ? CaseTwins{"note.md", "Note.md"} : CaseTwins{"Note.md", "note.md"};
}

TEST(Names, ANameThatIsGivenUpIsNotThatOfTheFileWithAnAlias) {
  World world = mixed();
  Device& mac = world.device(1);
  const auto [aliased, plain] = two_that_differ_in_case(world);
  world.device(0).user_deletes(plain);
  expect_step(world);
  mac.user_writes(aliased, "a third one\n");  // the name is free on that disk alone
  expect_step(world);
  mac.user_renames(aliased, "other.md");
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"other.md", "a third one\n"},
                                     {aliased, aliased == "note.md" ? "the small one\n" : "the large one\n"}}));
}

TEST(Names, TwoDevicesSpellOneNewNameDifferently) {
  World world = mixed();
  world.device(0).user_writes("a.md", "one\n");
  expect_step(world);
  for (size_t i = 0; i < 3; ++i) world.device(i).go_offline();
  world.device(0).user_renames("a.md", "caf\u00e9.md");
  world.device(2).user_renames("a.md", "cafe\u0301.md");
  for (const size_t online : {0u, 1u}) world.device(online).go_online();
  for (int i = 0; i < 400; ++i) {
    world.step();
    if (i == 200) world.device(1).crash_and_restart();  // now it knows the name as its disk spells it
  }
  expect_step(world);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(by_key(world, i), (Files{{"cafe\u0301.md", "one\n"}})) << i;
}

TEST(Names, AMoveThatIsRefusedLeavesTheAliasAsItWas) {
  World world = mixed();
  Device& mac = world.device(1);
  const auto [aliased, plain] = two_that_differ_in_case(world);
  const std::string alias = mac.replica().disk_path(aliased);
  const std::string text = *mac.disk().read(alias);
  world.device(0).user_deletes(plain);
  expect_step(world);
  world.set_faults({.devices = 3, .slow_disk = 1, .disks = {kLinux, kMac, kWindows}});
  world.device(0).user_renames(aliased, "moved.md");
  while (mac.replica().metadata("moved.md") == std::nullopt) world.step();
  mac.user_writes(alias, text + "edited\n");  // before the slow disk moved it
  expect_step(world);
  EXPECT_EQ(by_key(world, 0), (Files{{"moved.md", text + "edited\n"}}));
}

void put_another_file_where_one_was_to_be_moved_from(bool is_deleted, int moment) {
  SCOPED_TRACE(std::string(is_deleted ? "deleted" : "renamed") + " at " + std::to_string(moment));
  testing::WorldOptions options{.devices = 2, .disks = {kLinux, kWindows}};
  World world{21, options};
  world.device(0).user_writes("what?.md", "a question\n");
  world.device(0).user_writes("b.md", "an answer\n");
  expect_step(world);
  Device& windows = world.device(1);
  const std::string alias = windows.replica().disk_path("what?.md");
  options.slow_disk = 1;
  world.set_faults(options);
  world.device(0).user_renames("what?.md", "moved.md");
  while (!windows.replica().file_text("moved.md")) world.step();
  ASSERT_TRUE(windows.disk().has(alias));  // we are about to move it
  if (is_deleted) {
    windows.user_deletes(alias);
  } else {
    windows.user_renames(alias, "ours.md");
  }
  windows.look_and_settle();
  for (int i = 0; i < moment; ++i) world.step();  // our move is refused
  windows.user_renames("b.md", alias);
  windows.look_and_settle();
  expect_step(world);
  world.device(0).user_writes(alias, "an answer\nand more\n");
  expect_step(world);
  // (That a file was renamed wins over that it was deleted.)
  const std::string left = is_deleted ? "moved.md" : "ours.md";
  EXPECT_EQ(by_key(world, 0), (Files{{alias, "an answer\nand more\n"}, {left, "a question\n"}}));
  EXPECT_TRUE(windows.disk().has(alias));  // where the user put it
}

TEST(Names, AMoveThatIsRefusedTakesNoNameFromAFileThatWasPutThereSince) {
  for (int moment = 0; moment < 8; ++moment) {
    put_another_file_where_one_was_to_be_moved_from(/*is_deleted=*/false, moment);
    put_another_file_where_one_was_to_be_moved_from(/*is_deleted=*/true, moment);
  }
}

TEST(Names, RefusesWhatWouldLeaveTheRoot) {  // T26, T30
  World world{3, {.devices = 2}};
  for (const char* path : {"../up.md", "/etc/passwd", "a/../../b.md", "aux.md", "CON", "c:/x.md", "a//b.md"}) {
    world.device(0).user_writes(path, "text\n");
  }
  world.device(0).user_writes(std::string("nul\0.md", 7), "text\n");
  world.device(0).user_writes(std::string(214, 'x'), "text\n");
  world.device(0).user_writes("fine.md", "text\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().files().size(), 1u);
}

}  // namespace
}  // namespace diaryx::sync
