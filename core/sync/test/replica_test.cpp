#include "diaryx/sync/replica.h"

#include <gtest/gtest.h>

#include "diaryx/testing/world.h"

namespace diaryx::sync {
namespace {

using testing::World;

constexpr const char* kNote = "---\ntitle: Note  # mine\nfoo: [a, b]\n---\n\n# Heading\n\nText é😀\n";

/// A world in which the first device has these files and everybody is in step.
World world_with(std::map<std::string, std::string> files, size_t devices = 3) {
  World world{7, {.devices = devices}};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  return world;
}

void expect_step(World& world) {
  ASSERT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
  ASSERT_EQ(world.first_difference(), "");
}

TEST(Replica, CarriesEveryKindOfFileByteForByte) {
  World world{1, {.devices = 3}};
  const std::map<std::string, std::string> files = {
      {"note.md", kNote},
      {"folder/deep/crlf.md", "---\r\ntitle: x\r\n---\r\nbody\r\n"},
      {"no-newline.md", "no newline at the end"},
      {"empty.md", ""},
      {"broken.md", "---\ntitle: [unclosed\n  x: : :\n---\nbody\n"},
      {"latin1.md", std::string("caf\xe9\n")},
      {"picture.png", std::string("\x89PNG\0\1\2", 7)},
      {"empty.bin", ""},
      {".obsidian/app.json", "{}"},
  };
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  world.device(0).user_writes("draft.tmp", "not carried");
  world.device(0).user_writes(".git/config", "not carried");
  ASSERT_TRUE(world.run_until_quiet());
  for (size_t i = 1; i < world.size(); ++i) {
    for (const auto& [path, bytes] : files) EXPECT_EQ(world.device(i).disk().read(path), bytes) << path;
    EXPECT_EQ(world.device(i).disk().files().size(), files.size());
  }
}

TEST(Replica, MergesEditsOfOneFileOnThreeDevicesAtOnce) {
  World world{2, {.devices = 3}};
  world.device(0).user_writes("a.md", "one\ntwo\nthree\n");
  expect_step(world);
  world.device(0).user_writes("a.md", "ONE\none\ntwo\nthree\n");
  world.device(1).user_writes("a.md", "one\ntwo\nTWO\nthree\n");
  world.device(2).user_writes("a.md", "one\ntwo\nthree\nTHREE\n");
  expect_step(world);
  EXPECT_EQ(world.device(0).disk().read("a.md"), "ONE\none\ntwo\nTWO\nthree\nTHREE\n");
}

TEST(Replica, DoesNotDoubleAFileThatTwoDevicesImportAtOnce) {  // T1
  World world{3, {.devices = 3}};
  for (size_t i = 0; i < 3; ++i) world.device(i).user_writes("same.md", kNote);
  expect_step(world);
  EXPECT_EQ(world.device(1).disk().read("same.md"), kNote);
  EXPECT_EQ(world.device(1).disk().files().size(), 1u);
}

TEST(Replica, KeepsBothTextsWhenTwoDevicesImportDifferentFilesUnderOneName) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world{seed, {.devices = 2}};
    world.device(0).user_writes("x.md", "the text of the first device\n");
    world.device(1).user_writes("x.md", "what the second one wrote\n");
    expect_step(world);
    std::string all;
    for (const auto& [path, bytes] : world.device(0).disk().files()) all += bytes;
    EXPECT_EQ(world.device(0).disk().files().size(), 2u) << "seed " << seed;
    EXPECT_NE(all.find("the text of the first device\n"), std::string::npos) << "seed " << seed;
    EXPECT_NE(all.find("what the second one wrote\n"), std::string::npos) << "seed " << seed;
    EXPECT_EQ(all.size(), 55u) << "seed " << seed << ": " << all;
  }
}

TEST(Replica, SendsWhatWasTypedOffline) {  // A5
  World world{4, {.devices = 2}};
  world.device(0).user_writes("a.md", "start\n");
  expect_step(world);
  world.device(0).go_offline();
  world.device(1).go_offline();
  world.device(0).user_writes("a.md", "start\noffline on 0\n");
  world.device(0).user_writes("new.md", "made offline\n");
  world.device(1).user_writes("a.md", "offline on 1\nstart\n");
  for (int i = 0; i < 20; ++i) world.step();
  world.device(0).crash_and_restart();
  expect_step(world);
  EXPECT_EQ(world.device(1).disk().read("a.md"), "offline on 1\nstart\noffline on 0\n");
  EXPECT_EQ(world.device(1).disk().read("new.md"), "made offline\n");
}

TEST(Replica, FollowsRenamesMovesAndDeletions) {
  World world = world_with({{"a.md", kNote}, {"b.md", "b\n"}, {"c.png", "png"}, {"d.png", "other"}});
  expect_step(world);
  world.device(0).user_renames("a.md", "folder/renamed.md");
  world.device(1).user_deletes("b.md");
  world.device(2).user_renames("c.png", "folder/c.png");
  world.device(2).user_deletes("d.png");
  expect_step(world);
  const auto& files = world.device(1).disk().files();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files.at("folder/renamed.md"), kNote);
  EXPECT_EQ(files.at("folder/c.png"), "png");
}

TEST(Replica, BringsAnOfflineEditToTheNewNameOfAFile) {
  World world = world_with({{"old.md", "one\ntwo\n"}});
  expect_step(world);
  world.device(1).go_offline();
  world.device(1).user_writes("old.md", "one\ntwo\nedited offline\n");
  world.device(0).user_renames("old.md", "new.md");
  for (int i = 0; i < 100; ++i) {
    world.step();
    world.device(1).go_offline();
  }
  expect_step(world);
  ASSERT_EQ(world.device(2).disk().files().size(), 1u);
  EXPECT_EQ(world.device(2).disk().read("new.md"), "one\ntwo\nedited offline\n");
}

TEST(Replica, LetsAnEditWinOverADeletion) {
  World world = world_with({{"a.md", "one\n"}});
  expect_step(world);
  world.device(1).go_offline();
  world.device(1).user_writes("a.md", "one\nedited offline\n");
  world.device(0).user_deletes("a.md");
  for (int i = 0; i < 100; ++i) {
    world.step();
    world.device(1).go_offline();
  }
  EXPECT_FALSE(world.device(2).disk().has("a.md"));
  expect_step(world);
  EXPECT_EQ(world.device(2).disk().read("a.md"), "one\nedited offline\n");
}

TEST(Replica, KeepsBothOfTwoPicturesChangedAtOnce) {
  World world = world_with({{"p.png", "old"}}, 2);
  expect_step(world);
  world.device(0).go_offline();
  world.device(1).go_offline();
  world.device(0).user_writes("p.png", "from 0");
  world.device(1).user_writes("p.png", "from 1");
  world.step();
  expect_step(world);
  std::set<std::string> contents;
  for (const auto& [path, bytes] : world.device(0).disk().files()) contents.insert(bytes);
  EXPECT_EQ(contents, (std::set<std::string>{"from 0", "from 1"}));
}

TEST(Replica, MakesADeletedFileAgainWithItsNewText) {
  World world = world_with({{"a.md", "first life, some text\n"}});
  expect_step(world);
  world.device(0).user_deletes("a.md");
  expect_step(world);
  EXPECT_FALSE(world.device(1).disk().has("a.md"));
  world.device(1).user_writes("a.md", "second life\n");
  expect_step(world);
  EXPECT_EQ(world.device(2).disk().read("a.md"), "second life\n");
  EXPECT_EQ(world.device(2).disk().files().size(), 1u);
}

TEST(Replica, IsNotSettledBeforeTheServerStoredEverything) {
  World world{5, {.devices = 1}};
  world.device(0).user_writes("a.md", "text\n");
  bool settled_early = false;
  for (int i = 0; i < 200; ++i) {
    world.step();
    settled_early |= world.device(0).replica().settled() && world.server().stored_updates() < 2;
  }
  EXPECT_FALSE(settled_early);
  EXPECT_TRUE(world.device(0).replica().settled());
}

TEST(Replica, RefusesHostileInputAndStaysUsable) {
  Replica replica{{.workspace_id = "ws1", .client = ClientId{9}}};
  std::vector<Action> actions;
  replica.handle(Connected{}, TimestampMs{1}, actions);
  const Bytes junk[] = {{}, {0xff}, {3, 'a', 'b'}, {1, 'x', 0, 1, 200}, Bytes(70'000, 0xff)};
  for (const Bytes& bytes : junk) replica.handle(BinaryReceived{bytes}, TimestampMs{2}, actions);
  for (const char* text : {"", "{", "[]", "{\"type\":7}", "{\"type\":\"crdt_state\",\"state\":\"!!!\"}"}) {
    replica.handle(TextReceived{text}, TimestampMs{3}, actions);
  }
  for (const char* path : {"", "/etc/passwd", "../up.md", "a/../b.md", "a//b.md", "nul.md", "x\0y.md"}) {
    replica.handle(TextFileSeen{path, "text"}, TimestampMs{4}, actions);
  }
  for (const Action& action : actions) {
    EXPECT_FALSE(std::holds_alternative<WriteText>(action) || std::holds_alternative<RemoveFile>(action));
  }
  EXPECT_TRUE(replica.text_files().empty());
}

}  // namespace
}  // namespace diaryx::sync
