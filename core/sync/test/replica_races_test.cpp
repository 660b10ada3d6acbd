// What people do between a decision of the replica and its being carried out on a slow disk. Each story is tried at every moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "diaryx/testing/world.h"
#include "note_talk.h"

namespace diaryx::sync {
namespace {

using testing::Device;
using testing::FakeDisk;
using testing::World;

using Files = std::map<std::string, std::string>;

constexpr const char* kGarden = "# The garden\n\nbeans along the wall\ntomatoes in the glasshouse\npeas at the fence\n";
constexpr const char* kPond = "# The pond\n\nfrogs since March\nlilies in the shade\n";
constexpr const char* kTravel = "# Travel\n\ntrains to Lisbon\nthe ferry leaves at nine\npack the blue bag\n";

/// Steps that something may be on its way, on the line and on the disk.
constexpr int kMoments = 40;

/// Two devices whose disks take a step for everything, with these files on both.
World slow_world(const Files& files, std::vector<DiskTraits> disks = {}) {
  testing::WorldOptions options{.devices = 2, .disks = std::move(disks)};
  World world{11, options};
  for (const auto& [path, bytes] : files) world.device(0).user_writes(path, bytes);
  EXPECT_TRUE(world.run_until_quiet());
  options.slow_disk = 1;
  world.set_faults(options);
  return world;
}

/// The files of all devices once nothing moves any more.
Files at_rest(World& world) {
  EXPECT_TRUE(world.run_until_quiet()) << "devices did not come to rest";
  EXPECT_EQ(world.first_difference(), "");
  const auto& files = world.device(0).disk().files();
  return Files(files.begin(), files.end());
}

TEST(Races, AMoveTakesNoFileThatWasPutInThePlaceOfTheOther) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}, {"b.md", kTravel}});
    world.device(1).user_renames("a.md", "c.md");
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(0);
    if (device.disk().has("a.md")) device.user_renames("a.md", "d.md");
    device.look_and_settle();
    device.user_renames("b.md", "a.md");
    Files files = at_rest(world);
    EXPECT_EQ(files["a.md"], kTravel) << moment;
    EXPECT_EQ(files.size(), 2u) << moment;
    EXPECT_EQ(files.contains("c.md") ? files["c.md"] : files["d.md"], kGarden) << moment;
  }
}

TEST(Races, AFileThatWasMovedBeforeACrashAndEditedIsNoOtherFile) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}});
    world.device(1).user_renames("a.md", "b.md");
    Device& device = world.device(0);
    for (int i = 0; i < moment; ++i) world.step();
    device.die_behind_disk_actions();
    const std::string name = device.disk().has("a.md") ? "a.md" : "b.md";
    device.user_writes(name, std::string(kGarden) + "and herbs\n");
    EXPECT_EQ(at_rest(world), (Files{{"b.md", std::string(kGarden) + "and herbs\n"}})) << moment;
  }
}

TEST(Races, AnEditWinsOverARenameWithADeletionThatIsJustHeardOf) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a first name.md", kGarden}});
    Device& other = world.device(1);
    other.user_renames("a first name.md", "a.md");
    const std::string text = std::string(kGarden) + "plums\n";
    other.look_and_settle();
    other.user_writes("a.md", text);
    at_rest(world);
    world.set_faults({.devices = 2, .slow_disk = 1});
    other.go_offline();
    other.user_renames("a.md", "b.md");
    other.look_and_settle();
    other.user_deletes("b.md");
    other.look_and_settle();
    other.go_online();
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(0);
    const bool is_edited = device.disk().has("a.md");
    const std::string edited = text + "and herbs\n";
    if (is_edited) device.user_writes("a.md", edited);
    EXPECT_EQ(at_rest(world), is_edited ? (Files{{"b.md", edited}}) : Files{}) << moment;
  }
}

TEST(Races, AFileThatWasWrittenBeforeACrashKeepsItsNameWhereTheDiskSpellsItAnew) {
  for (int moment = 0; moment < kMoments; ++moment) {
    for (const bool is_new : {true, false}) {
      World world = slow_world({{"a.md", kGarden}}, {{.case_insensitive = true, .normalising = true}, {}});
      if (is_new) {
        world.device(1).user_writes("cafe\u0301.md", kTravel);
      } else {
        world.device(1).user_renames("a.md", "cafe\u0301.md");
      }
      for (int i = 0; i < moment; ++i) world.step();
      world.device(0).die_behind_disk_actions();
      ASSERT_TRUE(world.run_until_quiet());
      EXPECT_EQ(world.first_difference(), "") << moment;
      EXPECT_EQ(world.device(1).disk().files().size(), is_new ? 2u : 1u) << moment;
      EXPECT_EQ(world.device(1).disk().read("cafe\u0301.md"), is_new ? kTravel : kGarden) << moment;
    }
  }
}

TEST(Races, AnEditOfAFileThatIsToChangeInCaseAloneStaysWithItWhereTheDiskSpellsItAnew) {
  // Its key is the decomposed form, which the disk's own spelling does not tell; and the new name has the place already.
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"cafe\u0301.md", kGarden}}, {{}, {.case_insensitive = true, .normalising = true}});
    world.device(0).user_renames("cafe\u0301.md", "Cafe\u0301.md");
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(1);
    device.user_writes(device.disk().files().begin()->first, std::string(kGarden) + "and herbs\n");
    device.look_and_settle();  // sooner than the disk comes to the move
    EXPECT_EQ(at_rest(world), (Files{{"Cafe\u0301.md", std::string(kGarden) + "and herbs\n"}})) << moment;
  }
}

TEST(Races, ALateAnswerBelongsToTheFileThatWasWrittenAndNotToTheOneThatHasItsNameNow) {
  // A file that has an alias on this disk is written, and the user changes that name in case before the answer is here.
  for (int moment = 0; moment < kMoments; ++moment) {
    testing::WorldOptions options{.devices = 2, .disks = {{}, {.case_insensitive = true}}};
    World world{11, options};
    world.device(0).user_writes("start.md", kGarden);
    world.device(0).user_writes("Start.md", kTravel);
    ASSERT_EQ(at_rest(world).size(), 2u);
    Device& device = world.device(1);
    const FakeDisk::Files listed(device.disk().files());
    const auto has_alias = [](const auto& file) { return file.first.contains("(name "); };
    const std::string alias = std::ranges::find_if(listed, has_alias)->first;
    const std::string other = (alias[0] == 's' ? "S" : "s") + alias.substr(1);
    const std::string key = alias.substr(0, 5) + ".md";
    const std::string text = *device.disk().read(alias);
    options.late_answer = 1;
    world.set_faults(options);
    world.device(0).user_writes(key, text + "one\n");
    for (int i = 0; i < moment; ++i) world.step();
    device.user_renames(alias, other);
    device.look_and_settle();  // sooner than the answer
    at_rest(world);
    world.device(0).user_renames(other, key);
    at_rest(world);
    world.device(0).user_writes(key, text + "one\ntwo\n");
    EXPECT_EQ(at_rest(world)[key], text + "one\ntwo\n") << moment;
  }
}

TEST(Races, ARemovalOfOursThatHitsAFileRenamedInCaseAloneIsNoDeletionOfTheUser) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}}, {{}, {.case_insensitive = true}});
    world.device(0).user_deletes("a.md");
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(1);
    if (!device.disk().has("a.md")) break;
    device.user_renames("a.md", "A.md");
    device.look_and_settle();  // sooner than the disk comes to the removal
    EXPECT_EQ(at_rest(world), (Files{{"A.md", kGarden}})) << moment;
  }
}

TEST(Races, ALateEditStaysWithItsFileWhenTwoFilesGetOneName) {
  for (int moment = 0; moment < kMoments; ++moment) {
    for (const uint64_t seed : {11u, 12u, 13u, 14u}) {
      World world{seed, {.devices = 3, .max_delay_ms = 40}};
      world.device(0).user_writes("a.md", kGarden);
      world.device(0).user_writes("b.md", kTravel);
      ASSERT_EQ(at_rest(world).size(), 2u);
      world.device(0).user_renames("a.md", "t.md");
      for (int i = 0; i < moment / 2; ++i) world.step();
      const bool is_first = !world.device(1).disk().has("t.md");
      if (is_first) world.device(1).user_renames("b.md", "t.md");
      for (int i = 0; i < moment; ++i) world.step();
      Device& third = world.device(2);
      const bool is_moved = !third.disk().has("a.md");
      if (!is_moved) third.user_writes("a.md", std::string(kGarden) + "and herbs\n");
      size_t gardens = 0;
      for (const auto& [path, bytes] : at_rest(world)) {
        const bool is_garden = bytes.starts_with("# The garden");
        gardens += is_garden ? 1 : 0;
        EXPECT_EQ(bytes, !is_garden ? kTravel : is_moved ? kGarden : std::string(kGarden) + "and herbs\n") << path;
      }
      EXPECT_EQ(gardens, 1u) << moment << " " << seed;
    }
  }
}

/// At each moment while a rename from elsewhere is on its way, the user gives another file that name and goes on with `then`.
void move_to_the_name_of_ours(const std::function<void(Device&)>& then) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}, {"b.md", kTravel}});
    world.device(0).user_renames("a.md", "t.md");
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(1);
    if (device.disk().has("t.md")) break;
    device.user_renames("b.md", "t.md");
    then(device);
    std::multiset<std::string> texts;
    for (const auto& [path, bytes] : at_rest(world)) texts.insert(bytes);
    EXPECT_EQ(texts, (std::multiset<std::string>{kGarden, kTravel})) << moment;
  }
}

TEST(Races, AUsersMoveToTheNameThatOneOfOursIsOnItsWayToIsNotTakenForIt) {
  move_to_the_name_of_ours([](Device&) {});
}

TEST(Races, AMoveOfOursToANameThatWasJustGivenUpIsNotTakenForTheFileThatWasThere) {
  move_to_the_name_of_ours([](Device& device) {
    device.look_and_settle();
    device.user_renames("t.md", "z.md");
  });
}

TEST(Races, AUsersMoveThatIsToldLateIsNotThatOfTheFileWhichCameIntoItsPlace) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}});
    world.device(0).user_renames("a.md", "t.md");
    Device& device = world.device(1);
    device.user_writes("t.md", kTravel);
    for (int i = 0; i < moment; ++i) world.step();
    if (device.disk().read("t.md") != kTravel) break;
    device.user_renames("t.md", "z.md");  // and a move of ours to t.md may be on its way to the disk
    std::multiset<std::string> texts;
    for (const auto& [path, bytes] : at_rest(world)) texts.insert(bytes);
    EXPECT_EQ(texts, (std::multiset<std::string>{kGarden, kTravel})) << moment;
  }
}

TEST(Races, AFileThatARefusedWriteComesUponMayHaveBeenMovedThereAndEdited) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}, {"b.md", kTravel}});
    world.device(0).user_writes("a.md", std::string(kGarden) + "plums\n");
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(1);
    device.user_renames("a.md", "c.md");
    device.look_and_settle();  // sooner than the disk comes to the write
    device.user_renames("b.md", "a.md");
    device.user_writes("a.md", std::string(kTravel) + "and the red one\n");
    EXPECT_EQ(at_rest(world),
              (Files{{"a.md", std::string(kTravel) + "and the red one\n"}, {"c.md", std::string(kGarden) + "plums\n"}}))
        << moment;
    const std::vector<Json::Member> left = device.replica().metadata("b.md")->extra;
    EXPECT_TRUE(std::ranges::any_of(left, [](const Json::Member& member) { return member.key == "_to"; })) << moment;
  }
}

TEST(Races, WhatARefusedWriteComesUponIsNoEditWhenTheFileWentBeforeAndAnotherCame) {
  const std::string theirs = "# The garden\n\nbeans along the wall\ntomatoes in the glasshouse\nplums on either side\n";
  const std::string longer = std::string(kTravel) + "a room with a view of the harbour\nand a table for four\n";
  for (int moment = 0; moment < kMoments; ++moment) {
    World world = slow_world({{"a.md", kGarden}, {"b.md", longer}});
    world.device(0).user_writes("a.md", theirs);
    for (int i = 0; i < moment; ++i) world.step();
    Device& device = world.device(1);
    device.user_renames("a.md", "c.md");
    device.user_renames("b.md", "a.md");
    const std::string edited = longer + "and the red one\n";
    device.user_writes("a.md", edited);  // and a write of ours to a.md may come before the watcher tells any of this
    EXPECT_EQ(at_rest(world), (Files{{"a.md", edited}, {"c.md", theirs}})) << moment;
  }
}

TEST(Races, ADocumentOfAFileThatWasEmptySaysWhoseItIs) {
  World world{11, {.devices = 2}};
  world.device(0).user_writes("a.md", "");
  ASSERT_EQ(at_rest(world).size(), 1u);
  world.device(1).user_writes("a.md", "text\n");
  at_rest(world);
  crdt::Doc doc({.client = ClientId{1}});
  ASSERT_TRUE(doc.apply_update_v1(world.device(0).replica().document_state("body:a.md")));
  const std::vector<std::string> notes = doc.map("seed").keys();
  EXPECT_TRUE(std::ranges::any_of(notes, [](const std::string& key) { return key.starts_with("file:"); }));
}

TEST(Races, AnEmptyFileIsWrittenEverywhereThoughTheDocumentOfItsNameTurnsOutToBeAnothers) {
  for (const size_t first : {0, 1}) {
    for (const bool is_deleted : {false, true}) {
      World world{11, {.devices = 3}};
      Device& late = world.device(first);
      Device& other = world.device(1 - first);
      world.device(0).user_writes("f.md", kTravel);
      at_rest(world);
      late.go_offline();
      world.device(2).go_offline();
      late.user_renames("f.md", "p.md");
      late.look_and_settle();
      if (is_deleted) {
        late.user_deletes("p.md");
      } else {
        late.user_renames("p.md", "q.md");
      }
      late.look_and_settle();
      other.user_writes("p.md", "");
      for (int i = 0; i < 300; ++i) world.step();
      late.go_online();
      for (int i = 0; i < 300; ++i) world.step();
      Files expected{{"p.md", ""}};
      if (!is_deleted) expected.emplace("q.md", kTravel);
      EXPECT_EQ(at_rest(world), expected) << first << is_deleted;
    }
  }
}

/// A change of the list by somebody who did not know that this file has a document of its own, and made room for it at `path`.
Bytes listed_without_document(const Device& device, const std::string& path) {
  crdt::Doc list({.client = ClientId{99}});
  EXPECT_TRUE(list.apply_update_v1(device.replica().document_state("workspace")));
  std::string entry = list.map("files").get_string(path).value_or(std::string());
  const size_t begin = entry.find(",\"_doc\":\"");
  EXPECT_NE(begin, std::string::npos) << entry;
  entry.erase(begin, entry.find('"', begin + 9) + 1 - begin);
  crdt::Transaction txn = list.transact();
  list.map("files").set(txn, path, crdt::Any::string(entry));
  return std::move(txn).commit().update_v1();
}

TEST(Races, AFileThatLeftTheDocumentOfItsPathKeepsItsOwnWhenItIsListedThereAnew) {
  const auto some_steps = [](World& world) {
    for (int i = 0; i < 300; ++i) world.step();
  };
  World world{11, {.devices = 4}};
  Device& late = world.device(1);
  Device& new_one = world.device(3);
  new_one.go_offline();
  world.device(0).user_writes("f.md", kTravel);
  some_steps(world);
  late.go_offline();
  world.device(0).user_writes("p.md", kGarden);
  some_steps(world);
  world.device(0).user_renames("p.md", "a.md");
  some_steps(world);
  late.user_renames("f.md", "p.md");  // whose document is the garden's
  late.look_and_settle();
  late.go_online();
  some_steps(world);
  const Bytes update = listed_without_document(world.device(0), "p.md");
  late.tell(UpdateMade{.doc = "workspace", .update = update});
  EXPECT_EQ(at_rest(world), (Files{{"a.md", kGarden}, {"p.md", kTravel}}));
  const std::string edited = std::string(kTravel) + "and the red one\n";
  world.device(2).user_writes("p.md", edited);
  EXPECT_EQ(at_rest(world), (Files{{"a.md", kGarden}, {"p.md", edited}}));
}

/// `late` has a file under the name that others gave it, but not its text: the document of that name is another file's here, which
/// a user who was away had called so for a moment, and what the others have there did not come.
World world_with_a_contested_name() {
  World world{11, {.devices = 2}};
  Device& late = world.device(0);
  Device& other = world.device(1);
  late.user_writes("p.md", kTravel);
  late.user_writes("g.md", kGarden);
  EXPECT_EQ(at_rest(world).size(), 2u);
  late.go_offline();
  for (const auto& [from, to] : {std::pair{"p.md", "x.md"}, std::pair{"x.md", "q.md"}}) {
    late.user_renames(from, to);
    late.look_and_settle();
  }
  other.user_renames("g.md", "x.md");
  late.go_online();
  for (int i = 0; i < 300 && !late.disk().has("x.md"); ++i) world.step();
  late.go_offline();
  EXPECT_EQ(late.disk().read("x.md"), kGarden);
  EXPECT_EQ(late.replica().body_text("x.md"), kTravel);
  return world;
}

TEST(Races, AnEditOfAFileWhoseDocumentIsAnotherFilesHereIsOneOfTheTextThatItHadBefore) {
  const std::string ours = "# Our garden";
  const std::string rest = std::string(kGarden).substr(ours.size());
  for (const bool is_restarted : {false, true}) {
    World world = world_with_a_contested_name();
    Device& late = world.device(0);
    late.user_writes("x.md", kGarden + std::string("and herbs\n"));
    late.look_and_settle();
    if (is_restarted) late.crash_and_restart();
    world.device(1).user_writes("x.md", ours + rest);
    late.go_online();
    EXPECT_EQ(at_rest(world), (Files{{"q.md", kTravel}, {"x.md", ours + rest + "and herbs\n"}})) << is_restarted;
  }
}

TEST(Races, AnEditOfAFileWhoseDocumentIsAnotherFilesHereIsOneAlsoWhereItsFirstNameIsUsedAnew) {
  World world = world_with_a_contested_name();
  Device& late = world.device(0);
  late.user_writes("g.md", kPond);
  late.user_writes("x.md", kGarden + std::string("and herbs\n"));
  late.look_and_settle();
  late.crash_and_restart();
  const std::string edited = "plums\n" + std::string(kGarden);
  world.device(1).user_writes("x.md", edited);
  late.go_online();
  EXPECT_EQ(at_rest(world), (Files{{"g.md", kPond}, {"q.md", kTravel}, {"x.md", edited + "and herbs\n"}}));
}

TEST(Races, AnEditOfAFileThatIsRenamedToWhereAnotherFilesDocumentIsHereDoesNotGoThere) {
  // The disk is slow: the file is edited where it was before the move that follows the list comes to it.
  for (int moment = 0; moment < kMoments; ++moment) {
    World world{11, {.devices = 2}};
    Device& late = world.device(0);
    late.user_writes("p.md", kTravel);
    late.user_writes("g.md", kGarden);
    at_rest(world);
    world.set_faults({.devices = 2, .slow_disk = 1});
    late.go_offline();
    for (const auto& [from, to] : {std::pair{"p.md", "x.md"}, std::pair{"x.md", "q.md"}}) {
      late.user_renames(from, to);
      late.look_and_settle();
    }
    world.device(1).user_renames("g.md", "x.md");
    late.go_online();
    for (int i = 0; i < moment; ++i) world.step();
    const std::string name = late.disk().has("g.md") ? "g.md" : "x.md";
    late.user_writes(name, kGarden + std::string("and herbs\n"));
    late.look_and_settle();
    EXPECT_EQ(at_rest(world), (Files{{"q.md", kTravel}, {"x.md", kGarden + std::string("and herbs\n")}})) << moment;
  }
}

TEST(Races, AFileWhoseDocumentIsAnotherFilesHereTakesItsOwnTextAlongWhenItIsRenamed) {
  for (const bool is_edited : {false, true}) {
    World world = world_with_a_contested_name();
    Device& late = world.device(0);
    late.user_renames("x.md", "y.md");
    late.look_and_settle();
    EXPECT_EQ(late.replica().body_text("y.md"), kGarden);
    const std::string edited = is_edited ? kGarden + std::string("and herbs\n") : kGarden;
    late.user_writes("y.md", edited);
    late.look_and_settle();
    world.device(1).user_writes("x.md", "plums\n" + std::string(kGarden));
    late.go_online();
    EXPECT_EQ(at_rest(world), (Files{{"q.md", kTravel}, {"y.md", "plums\n" + edited}})) << is_edited;
  }
}

TEST(Races, WhatTheUserPutsWhereAnotherFilesDocumentIsHereIsNotTheFileThatTheListHasThere) {
  World world{11, {.devices = 2}};
  Device& late = world.device(0);
  late.user_writes("p.md", kTravel);
  at_rest(world);
  late.go_offline();
  for (const auto& [from, to] : {std::pair{"p.md", "x.md"}, std::pair{"x.md", "q.md"}}) {
    late.user_renames(from, to);
    late.look_and_settle();
  }
  world.device(1).user_writes("x.md", kGarden);
  for (int i = 0; i < 300; ++i) world.step();
  late.go_online();
  for (int i = 0; i < 300 && late.replica().metadata("x.md")->deleted; ++i) world.step();
  late.go_offline();
  ASSERT_EQ(late.replica().body_text("x.md"), kTravel);
  late.user_writes("x.md", kTravel);
  late.look_and_settle();
  late.go_online();
  Files files = at_rest(world);
  EXPECT_EQ(files.size(), 3u);
  EXPECT_EQ(files["q.md"], kTravel);
  EXPECT_EQ(files["x.md"], kGarden);
}

TEST(Races, WhatIsPutWhereTheTextOfTheListedFileIsYetToComeIsAnotherFile) {
  // The document of that name is the file's that had it before, and says what that one says.
  Talk talk;
  FileMetadata listed{.filename = "p.md"};
  listed.extra = {{"_id", Json("5678")}, {"_t", Json("1")}};
  talk.set_entry("p.md", format_metadata(listed));
  talk.set_entry("q.md", entry_of("q.md", "1234", {}));
  talk.type("q.md", "one\n");
  talk.type("p.md", "one\n");
  crdt::Doc& document = talk.doc("body:ws1/p.md");
  crdt::Transaction txn = document.transact();
  document.map("seed").set(txn, "file:1234", crdt::Any::string("1"));
  (void)std::move(txn).commit();
  talk.connect();
  talk.answer_all();
  ASSERT_FALSE(talk.disk.contains("p.md"));
  talk.user_writes("p.md", "one\n");
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  talk.set_entry("p.md", entry_of("p.md", "5678", "~5678"));
  talk.type("~5678", "two\n");
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk.size(), 3u);
  EXPECT_EQ(talk.disk["p.md"], "two\n");
  EXPECT_EQ(talk.disk["q.md"], "one\n");
}

TEST(Races, ADeletionOfAFileWhoseDocumentIsAnotherFilesHereIsOne) {
  for (const bool is_edited : {false, true}) {
    World world = world_with_a_contested_name();
    Device& late = world.device(0);
    late.user_deletes("x.md");
    late.look_and_settle();
    const std::string edited = std::string(kGarden) + "and herbs\n";
    if (is_edited) world.device(1).user_writes("x.md", edited);
    late.go_online();
    EXPECT_EQ(at_rest(world), is_edited ? (Files{{"q.md", kTravel}, {"x.md", edited}}) : (Files{{"q.md", kTravel}}));
  }
}

TEST(Races, AFileThatIsDeletedAndMadeAgainWhileAwayGoesOnAsTheSame) {
  for (const bool is_renamed : {false, true}) {
    World world{11, {.devices = 2}};
    Device& device = world.device(0);
    device.user_writes("a.md", kGarden);
    at_rest(world);
    device.go_offline();
    device.user_deletes("a.md");  // as a program does that saves, and is seen between its two steps
    device.look_and_settle();
    const std::string edited = kGarden + std::string("and herbs\n");
    device.user_writes("a.md", edited);
    device.look_and_settle();
    if (is_renamed) device.user_renames("a.md", "b.md");
    device.look_and_settle();
    world.device(1).user_writes("a.md", "plums\n" + std::string(kGarden));
    world.step();
    device.go_online();
    EXPECT_EQ(at_rest(world), (Files{{is_renamed ? "b.md" : "a.md", "plums\n" + edited}}));
  }
}

TEST(Races, AFileThatIsMadeAgainWhereOthersDeletedItStaysDeletedWhenTheyDeleteItOnceMore) {
  World world{11, {.devices = 2}};
  Device& other = world.device(0);
  Device& late = world.device(1);
  other.user_writes("a.md", kGarden);
  at_rest(world);
  late.go_offline();
  other.user_renames("a.md", "c.md");
  other.look_and_settle();
  other.user_deletes("c.md");
  for (int i = 0; i < 100; ++i) world.step();
  // What is typed here is in the document of this name alone, and deleted with it.
  late.user_renames("a.md", "b.md");
  late.look_and_settle();
  late.user_writes("b.md", kGarden + std::string("and herbs\n"));
  late.look_and_settle();
  late.user_deletes("b.md");
  late.go_online();
  ASSERT_EQ(at_rest(world), Files{});
  late.user_writes("c.md", kTravel);
  ASSERT_EQ(at_rest(world), (Files{{"c.md", kTravel}}));
  other.user_deletes("c.md");
  EXPECT_EQ(at_rest(world), Files{});
}

TEST(Races, AFileThatIsRenamedAndEditedUnseenIsOneAlsoWhereTheNameIsTakenMeanwhile) {
  const std::string edited = kGarden + std::string("and herbs\n");
  for (int moment = 0; moment < kMoments; ++moment) {
    World world{11, {.devices = 2}};
    world.device(0).user_writes("start.md", kGarden);
    at_rest(world);
    Device& device = world.device(1);
    world.device(0).user_writes("plan.md", kTravel);
    for (int i = 0; i < moment; ++i) world.step();
    if (device.disk().has("plan.md")) break;
    world.device(0).user_writes("start.md", "plums\n" + std::string(kGarden));
    device.user_renames("start.md", "plan.md.bak");
    device.user_writes("plan.md", edited);
    device.user_deletes("plan.md.bak");
    const Files files = at_rest(world);
    ASSERT_EQ(files.size(), 2u) << moment;
    ASSERT_TRUE(files.contains("plan.md")) << moment;
    std::set<std::string> texts;
    for (const auto& [path, bytes] : files) texts.insert(bytes);
    EXPECT_EQ(texts, (std::set<std::string>{kTravel, "plums\n" + edited})) << moment;
  }
}

TEST(Races, AFileThatIsMadeAgainGoesIntoNoDocumentOfAnotherFile) {
  World world{11, {.devices = 2}};
  Device& device = world.device(0);
  Device& other = world.device(1);
  device.user_writes("travel.md", kTravel);
  device.user_writes("garden.md", kGarden);
  at_rest(world);
  // Both give one name to a file for a moment, and nobody sends what is in the document of that name.
  device.go_offline();
  for (const auto& [from, to] : {std::pair{"travel.md", "p.md"}, std::pair{"p.md", "b.md"}}) {
    device.user_renames(from, to);
    device.look_and_settle();
  }
  other.go_offline();
  other.user_renames("garden.md", "p.md");
  other.look_and_settle();
  other.user_deletes("p.md");
  other.look_and_settle();
  ASSERT_EQ(at_rest(world), (Files{{"b.md", kTravel}}));
  device.user_writes("p.md", kPond);  // where the list says that the garden was
  EXPECT_EQ(at_rest(world), (Files{{"b.md", kTravel}, {"p.md", kPond}}));
}

TEST(Races, WhatWasTypedInADocumentThatAnotherFileHoldsIsWrittenWhereTheFileIs) {
  World world{11, {.devices = 2}};
  Device& device = world.device(0);
  device.user_writes("p.md", kTravel);
  at_rest(world);
  device.user_renames("p.md", "q.md");
  at_rest(world);
  // Somebody who never heard of that file makes another one under its first name, and lists it before its text comes.
  crdt::Doc list({.client = ClientId{98}});
  ASSERT_TRUE(list.apply_update_v1(device.replica().document_state("workspace")));
  crdt::Transaction listing = list.transact();
  list.map("files").set(
      listing, "p.md", crdt::Any::string(R"({"filename":"p.md","deleted":false,"modified_at":0,"extra":{"_id":"0"}})"));
  list.map("homes").set(listing, "0", crdt::Any::string("p.md\np.md\n"));
  const Bytes listed = std::move(listing).commit().update_v1();
  device.tell(UpdateMade{.doc = "workspace", .update = listed});
  // Somebody else types into the first file under its first name.
  crdt::Doc late({.client = ClientId{99}});
  ASSERT_TRUE(late.apply_update_v1(device.replica().document_state("body:p.md")));
  crdt::Transaction typing = late.transact();
  const Utf16Offset end{late.text("body").length().value()};
  ASSERT_TRUE(late.text("body").insert(typing, end, "and the red one\n"));
  const Bytes typed = std::move(typing).commit().update_v1();
  device.tell(UpdateMade{.doc = "body:p.md", .update = typed});
  // And the document turns out to be the second file's, whose id sorts first.
  crdt::Doc second({.client = ClientId{98}});
  crdt::Transaction claim = second.transact();
  second.map("seed").set(claim, "file:0", crdt::Any::string("1"));
  ASSERT_TRUE(second.text("body").insert(claim, Utf16Offset{0}, kPond));
  const Bytes claimed = std::move(claim).commit().update_v1();
  device.tell(UpdateMade{.doc = "body:p.md", .update = claimed});
  EXPECT_EQ(at_rest(world), (Files{{"p.md", kPond}, {"q.md", kTravel + std::string("and the red one\n")}}));
}

TEST(Races, ADocumentThatSaysItIsAnotherFilesIsNotWrittenForThisOneBeforeTheListSaysSoToo) {
  // Two devices made a file of one name. The text of one comes with the document; what the list says of it is still on its way.
  Talk talk;
  const auto entry = [](const std::string& id) {
    return R"({"filename":"p.md","deleted":false,"modified_at":0,"extra":{"_id":")" + id + R"("}})";
  };
  talk.set_entry("p.md", entry("20"));
  crdt::Doc& body = talk.doc("body:ws1/p.md");
  crdt::Transaction claim = body.transact();
  body.map("seed").set(claim, "file:10", crdt::Any::string("1"));
  (void)std::move(claim).commit();
  talk.type("p.md", kPond);
  talk.connect();
  talk.answer_all();
  EXPECT_TRUE(talk.disk.empty());
  talk.set_entry("p.md", entry("10"));
  talk.answer("workspace:ws1");
  talk.answer_all();
  EXPECT_EQ(talk.disk, (Files{{"p.md", kPond}}));
}

TEST(Races, AFileThatIsMovedOverAnotherAndElsewhereToAThirdNameLeavesNothingOfTheOther) {
  for (int moment = 0; moment < kMoments; ++moment) {
    World world{11, {.devices = 2}};
    Device& device = world.device(1);
    world.device(0).user_writes("ideas.md", kTravel);
    world.device(0).user_writes("plan.md", kGarden);
    ASSERT_EQ(at_rest(world).size(), 2u);
    device.go_offline();
    world.device(0).user_renames("ideas.md", "plan.md");
    for (int i = 0; i < 100; ++i) world.step();
    device.go_online();
    for (int i = 0; i < moment; ++i) world.step();
    const bool is_there = device.disk().has("ideas.md");
    if (is_there) device.user_renames("ideas.md", "a.md");
    EXPECT_EQ(at_rest(world), (Files{{is_there ? "a.md" : "plan.md", kTravel}})) << moment;
  }
}

TEST(Races, AFileThatIsClearedAndRenamedLeavesNothingBehind) {
  World world{11, {.devices = 2, .disks = {{}, {.case_insensitive = true, .windows_names = true}}}};
  Device& windows = world.device(1);
  world.device(0).user_writes("why?.md", kGarden);
  ASSERT_EQ(at_rest(world).size(), 1u);
  const std::string name = windows.replica().disk_path("why?.md");
  windows.user_writes(name, "");
  windows.look_and_settle();  // perhaps somebody is still writing it
  windows.user_renames(name, "b.md");
  EXPECT_EQ(at_rest(world), (Files{{"b.md", ""}}));
}

TEST(Races, ANewFileThatIsRenamedAndDeletedBeforeTheServerIsThereIsWaitedForNoLonger) {
  World world{11, {.devices = 2}};
  world.device(0).user_writes("empty.md", "");
  ASSERT_EQ(at_rest(world).size(), 1u);
  Device& device = world.device(1);
  device.go_offline();
  device.user_writes("new.md", "");
  device.look_and_settle();
  device.user_renames("new.md", "again.md");  // its text is known under another name, so perhaps that file was renamed
  device.look_and_settle();
  device.user_deletes("again.md");
  device.look_and_settle();
  EXPECT_EQ(at_rest(world), (Files{{"empty.md", ""}}));
}

}  // namespace
}  // namespace diaryx::sync
