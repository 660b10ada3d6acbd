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

TEST(Names, KeepsFilesThatDifferOnlyInCase) {  // A32  // A32
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

TEST(Names, ADeletionUnderANameIsNotThatOfTheFileWithAnAlias) {
  World world = mixed();
  world.device(0).user_writes("note.md", "the small one\n");
  world.device(0).user_writes("Note.md", "the large one\n");
  expect_step(world);
  for (const size_t device : {1u, 2u}) {
    // One of the two has its own name there, and the other an alias; with the one renamed, the name is nobody's.
    Device& other = world.device(device);
    const std::string plain = other.disk().has("note.md") ? other.disk().spelled("note.md") : "Note.md";
    other.user_renames(plain, "moved" + std::to_string(device) + ".md");
    expect_step(world);
    EXPECT_EQ(by_key(world, 0).size(), 2u) << device;
    other.user_renames("moved" + std::to_string(device) + ".md", plain);
    expect_step(world);
  }
}

TEST(Names, TwoDevicesSpellOneNewNameDifferently) {
  World world = mixed();
  for (size_t i = 0; i < 3; ++i) world.device(i).user_writes("a.md", "one\n");
  expect_step(world);
  for (size_t i = 0; i < 3; ++i) world.device(i).go_offline();
  world.device(0).user_renames("a.md", "caf\u00e9.md");
  world.device(2).user_renames("a.md", "cafe\u0301.md");
  expect_step(world);
  for (size_t i = 0; i < 3; ++i) EXPECT_EQ(by_key(world, i).size(), 1u) << i;
}

TEST(Names, AMoveThatIsRefusedLeavesTheAliasAsItWas) {
  World world = mixed();
  world.device(0).user_writes("why?.md", "a question\n");
  expect_step(world);
  Device& windows = world.device(2);
  const std::string alias = windows.replica().disk_path("why?.md");
  world.device(0).user_renames("why?.md", "how?.md");
  for (int i = 0; i < 200 && windows.replica().text_files() == std::vector<std::string>{"why?.md"}; ++i) {
    windows.user_writes(alias, "a question\nedited " + std::to_string(i) + "\n");
    world.step();
  }
  expect_step(world);
  EXPECT_EQ(by_key(world, 2).size(), 1u);
  EXPECT_TRUE(by_key(world, 2).begin()->second.starts_with("a question\nedited"));
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
