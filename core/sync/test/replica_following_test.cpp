// What a device asks for after a break of its line: what changed, and nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "diaryx/testing/world.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using diaryx::testing::World;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

struct Cost {
  uint64_t frames = 0;
  uint64_t bytes = 0;
};

std::string name(size_t number) { return "note" + std::to_string(number) + ".md"; }

/// Two devices that hold so many notes of so many bytes and have nothing to do.
World world_of(size_t files, size_t text_bytes) {
  World world{3, {.devices = 2}};
  for (size_t i = 0; i < files; ++i) {
    world.device(0).user_writes(name(i), name(i) + "\n" + std::string(text_bytes, 'x') + "\n");
  }
  EXPECT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  return world;
}

Cost reconnect(World& world, size_t device) {
  const diaryx::testing::WorldFigures before = world.figures();
  world.device(device).go_offline();
  EXPECT_TRUE(world.run_until_quiet());
  return {world.figures().frames - before.frames, world.figures().bytes - before.bytes};
}

TEST(Following, AReconnectCostsTheSameWhateverTheSizeAndNumberOfFiles) {
  World small = world_of(5, 10);
  World long_texts = world_of(5, 200'000);
  World many = world_of(400, 10);
  const Cost least = reconnect(small, 1);
  const Cost with_long_texts = reconnect(long_texts, 1);
  const Cost with_many = reconnect(many, 1);
  EXPECT_LE(least.frames, 14u);
  EXPECT_EQ(with_long_texts.frames, least.frames);
  EXPECT_EQ(with_many.frames, least.frames);
  EXPECT_LT(with_long_texts.bytes, least.bytes + 64);
  EXPECT_LT(with_many.bytes, least.bytes + 64);
}

TEST(Following, ARestartAsksForNothingThatDidNotChangeEither) {
  World world = world_of(200, 10);
  world.device(1).crash_and_restart();
  const Cost cost = reconnect(world, 1);
  EXPECT_LE(cost.frames, 30u);
  EXPECT_EQ(world.first_difference(), "");
}

TEST(Following, HearsOfABodyThatItDidNotAskFor) {
  World world = world_of(20, 10);
  reconnect(world, 0);
  reconnect(world, 1);
  world.device(0).user_writes(name(3), "edited\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().read(name(3)), "edited\n");
  world.device(1).user_writes(name(3), "edited\nand back\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(0).disk().read(name(3)), "edited\nand back\n");
}

TEST(Following, MergesEditsOfABodyThatNobodyAskedFor) {
  World world = world_of(20, 10);
  reconnect(world, 0);
  reconnect(world, 1);
  const std::string text = *world.device(0).disk().read(name(7));
  world.device(0).user_writes(name(7), "from 0\n" + text);
  world.device(1).user_writes(name(7), text + "from 1\n");
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_EQ(world.device(0).disk().read(name(7)), "from 0\n" + text + "from 1\n");
}

TEST(Following, HearsWhatOthersTypeWhileTheServerReadsTheBody) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    World world{seed, {.devices = 3, .slow_read = 0.8}};
    world.device(0).user_writes("note.md", "a note\n");
    ASSERT_TRUE(world.run_until_quiet());
    world.set_faults({.server_crash = 1});
    world.step();
    ASSERT_TRUE(world.run_until_quiet());
    for (size_t i = 0; i < world.size(); ++i) {
      const std::string line = "by " + std::to_string(i) + "\n";
      world.device(i).user_writes("note.md", *world.device(i).disk().read("note.md") + line);
    }
    ASSERT_TRUE(world.run_until_quiet()) << seed;
    ASSERT_EQ(world.first_difference(), "") << seed;
    EXPECT_EQ(world.device(0).disk().read("note.md")->size(), std::string_view("a note\n").size() + world.size() * 5)
        << seed;
  }
}

/// A while in which only these devices are online.
void pass_time(World& world, const std::set<size_t>& online) {
  for (int i = 0; i < 100; ++i) {
    for (size_t each = 0; each < world.size(); ++each) {
      if (online.contains(each)) {
        world.device(each).go_online();
      } else {
        world.device(each).go_offline();
      }
    }
    world.step();
  }
}

TEST(Following, AsksForADocumentThatWasNotListedWhenAllOthersWereAskedFor) {
  World world{3, {.devices = 3}};
  world.device(0).user_writes("note.md", "a note\n");
  ASSERT_TRUE(world.run_until_quiet());
  pass_time(world, {});
  world.device(2).user_writes("note.md", "a note\ntyped where nobody looks\n");
  pass_time(world, {2});
  world.device(0).user_renames("note.md", "moved.md");
  pass_time(world, {});
  pass_time(world, {0});
  world.server().keep_backup();
  world.server().roll_back();  // no cursor is good any more, so device 1 asks for all that is listed
  pass_time(world, {1});
  world.device(1).user_renames("moved.md", "note.md");
  pass_time(world, {});
  world.device(1).crash_and_restart();
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.first_difference(), "");
  EXPECT_THAT(world.device(1).disk().files(), SizeIs(1));
  EXPECT_EQ(world.device(1).disk().read("note.md"), "a note\ntyped where nobody looks\n");
}

TEST(Following, GetsAndGivesWhatWasDoneDuringTheBreak) {
  World world = world_of(300, 10);
  world.device(1).go_offline();
  world.device(0).user_writes(name(5), "while 1 was away\n");
  world.device(1).user_writes(name(6), "typed offline\n");
  for (int i = 0; i < 100; ++i) {
    world.step();
    world.device(1).go_offline();
  }
  const uint64_t before = world.figures().frames;
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().read(name(5)), "while 1 was away\n");
  EXPECT_EQ(world.device(0).disk().read(name(6)), "typed offline\n");
  EXPECT_LE(world.figures().frames - before, 60u);
}

TEST(Following, GivesAServerBackWhatItLostToABackup) {
  World world = world_of(10, 10);
  world.server().keep_backup();
  world.device(1).go_offline();
  world.device(0).user_writes(name(2), "acknowledged, then lost by the server\n");
  for (int i = 0; i < 300; ++i) {
    world.step();
    world.device(1).go_offline();
  }
  ASSERT_TRUE(world.device(0).replica().settled());
  world.device(0).go_offline();
  world.server().roll_back();
  ASSERT_TRUE(world.run_until_quiet());
  EXPECT_EQ(world.device(1).disk().read(name(2)), "acknowledged, then lost by the server\n");
}

// --- with a server that the test plays ------------------------------------------------------------------------------

/// A replica that holds a.md, b.md and c.md and was given the cursor "L:5".
struct FollowingTalk : ::testing::Test {
  FollowingTalk() {
    for (const char* key : {"a.md", "b.md", "c.md"}) talk.list(key, "text\n");
    talk.connect();
    talk.text(Changes{"ws1", "L:5", false, {}});
    for (const char* key : {"a.md", "b.md", "c.md"}) talk.answer_body(key);
    talk.feed(Disconnected{});
    talk.forget();
  }
  Talk talk;
};

TEST_F(FollowingTalk, AsksForTheListAndThenForWhatItNames) {
  talk.connect();
  EXPECT_THAT(talk.texts, Contains(R"({"type":"changes_wanted","workspace":"ws1","cursor":"L:5"})"));
  EXPECT_THAT(talk.asked, IsEmpty());
  EXPECT_FALSE(talk.replica.settled());
  EXPECT_THAT(talk.states, Not(Contains(SyncState::Synced)));
  talk.text(Changes{"ws1", "L:9", true, {"b.md", "unknown.md", "../up.md", ""}});
  EXPECT_THAT(talk.asked, ElementsAre("b.md"));
  talk.answer_body("b.md");
  EXPECT_THAT(talk.states, Contains(SyncState::Synced));
  EXPECT_THAT(talk.stored_records.at("cursor"), HasSubstr(" L:9"));
}

TEST_F(FollowingTalk, KeepsNoCursorBeforeWhatItStandsForIsHere) {
  talk.connect();
  talk.text(Changes{"ws1", "L:9", true, {"b.md"}});
  EXPECT_THAT(talk.stored_records.at("cursor"), HasSubstr(" L:5"));
  talk.feed(Disconnected{});
  talk.forget();
  talk.restart();
  talk.connect();
  EXPECT_THAT(talk.texts, Contains(HasSubstr(R"("cursor":"L:5")")));
}

TEST_F(FollowingTalk, DoesNotMissAnUpdateThatComesBeforeTheList) {
  talk.connect();
  const Bytes update = talk.type("c.md", "more\n");
  talk.frame("body:ws1/c.md", {Update{update}});
  talk.text(Changes{"ws1", "L:9", true, {}});
  EXPECT_THAT(talk.asked, ElementsAre("c.md"));
  talk.answer_body("c.md");
  EXPECT_EQ(talk.disk["c.md"], "text\nmore\n");
}

TEST_F(FollowingTalk, AsksAfterAllWhenAnUpdateNeedsWhatIsNotHere) {
  talk.connect();
  talk.text(Changes{"ws1", "L:9", true, {}});
  talk.type("c.md", "never told\n");
  const Bytes update = talk.type("c.md", "more\n");
  talk.frame("body:ws1/c.md", {Update{update}});
  EXPECT_THAT(talk.asked, ElementsAre("c.md"));
  talk.answer_body("c.md");
  EXPECT_EQ(talk.disk["c.md"], "text\nnever told\nmore\n");
}

TEST_F(FollowingTalk, AsksForEverythingWhenTheServerDoesNotKnowTheCursor) {
  talk.connect();
  talk.text(Changes{"ws1", "M:2", false, {}});
  EXPECT_THAT(talk.asked, UnorderedElementsAre("a.md", "b.md", "c.md"));
  EXPECT_FALSE(talk.stored_records.contains("cursor"));
}

TEST_F(FollowingTalk, AsksForEverythingOfAnOldServerAndForgetsTheCursor) {
  talk.connect("");
  EXPECT_THAT(talk.asked, UnorderedElementsAre("a.md", "b.md", "c.md"));
  EXPECT_FALSE(talk.stored_records.contains("cursor"));
}

TEST_F(FollowingTalk, AsksForEverythingOnceAWeek) {
  talk.now = talk.now + DurationMs{8LL * 24 * 60 * 60 * 1000};
  talk.connect();
  EXPECT_THAT(talk.asked, UnorderedElementsAre("a.md", "b.md", "c.md"));
}

TEST_F(FollowingTalk, AsksForWhatWasTypedOfflineAlthoughTheServerHasNoNews) {
  talk.user_writes("a.md", "text\ntyped offline\n");
  talk.restart();
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.updates.clear();
  talk.answer_body("a.md");
  ASSERT_EQ(talk.updates.size(), 1u);
  ASSERT_TRUE(talk.doc("body:ws1/a.md").apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text\ntyped offline\n");
  EXPECT_TRUE(talk.stored_records.contains("unsynced:a.md"));
  talk.text(Saved{"body:ws1/a.md", 1});
  EXPECT_FALSE(talk.stored_records.contains("unsynced:a.md"));
}

TEST_F(FollowingTalk, OffersAgainWhatTheServerRefused) {
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  talk.user_writes("a.md", "text\nrefused\n");
  talk.text(DocError{"body:ws1/a.md", "read_only", "You may read this workspace but not change it."});
  talk.text(Saved{"body:ws1/a.md", 1});
  EXPECT_TRUE(talk.stored_records.contains("unsynced:a.md"));
  talk.feed(Disconnected{});
  talk.asked.clear();
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
}

// What is in step is not asked for before it is edited: the edit itself makes the server open the document, which can fail.
TEST_F(FollowingTalk, OffersAgainOnTheSameLineWhatTheServerCouldNotOpen) {
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  talk.user_writes("a.md", "text\ntyped here\n");
  ASSERT_EQ(talk.updates.size(), 1u);
  talk.text(DocError{"body:ws1/a.md", "storage", "The server cannot reach its storage now."});
  talk.updates.clear();
  talk.pass(31'000);
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
  talk.answer_body("a.md");
  ASSERT_EQ(talk.updates.size(), 1u);
  EXPECT_TRUE(talk.stored_records.contains("unsynced:a.md"));
  ASSERT_TRUE(talk.doc("body:ws1/a.md").apply_update_v1(talk.updates[0].second));
  EXPECT_EQ(talk.doc("body:ws1/a.md").text("body").to_string(), "text\ntyped here\n");
  talk.text(Saved{"body:ws1/a.md", 1});
  EXPECT_FALSE(talk.stored_records.contains("unsynced:a.md"));
}

TEST_F(FollowingTalk, GivesAServerThatWasSetBackWhatItLacksHoweverOftenTheLineIsCut) {
  talk.connect();
  talk.text(Changes{"ws1", "L:5", true, {}});
  talk.user_writes("a.md", "text\ntyped here\n");
  talk.text(Saved{"body:ws1/a.md", 1});  // stored; and then the server is set back
  talk.feed(Disconnected{});
  for (const bool cursor_is_known : {false, true, true}) {
    talk.forget();
    talk.connect();
    talk.text(Changes{"ws1", "M:1", cursor_is_known, {}});
    talk.answer_all();
    ASSERT_EQ(talk.updates.size(), 1u);
    EXPECT_EQ(talk.updates.front().first, "body:ws1/a.md");
    talk.feed(Disconnected{});  // before a receipt
  }
}

TEST_F(FollowingTalk, IsNotInStepWithAServerThatTookTheWorkspaceAway) {
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {}});
  ASSERT_TRUE(talk.replica.settled());
  talk.forget();
  talk.text(DocError{"workspace:ws1", "unauthorized", "You no longer have access to this workspace."});
  EXPECT_FALSE(talk.replica.settled());
  EXPECT_EQ(talk.states.back(), SyncState::Refused);
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("You no longer have access")));
  talk.pass(29'000);
  EXPECT_EQ(talk.lines_asked, 0u);  // it would be refused again
  talk.pass(1'000);
  EXPECT_EQ(talk.lines_asked, 1u);
  talk.feed(Disconnected{});
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {}});
  EXPECT_TRUE(talk.replica.settled());
}

// A token or a share that ends takes the whole line along. Attempts that are refused say nothing more.
TEST_F(FollowingTalk, IsRefusedByAServerThatEndedTheLineUntilItOpensOne) {
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {}});
  talk.text(DocError{"", "unauthorized", "The share session has ended."});
  EXPECT_THAT(talk.problems, ElementsAre(HasSubstr("The share session has ended.")));
  for (int attempt = 0; attempt < 2; ++attempt) {
    talk.feed(Disconnected{});
    EXPECT_EQ(talk.states.back(), SyncState::Refused);
    EXPECT_FALSE(talk.replica.settled());
  }
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {}});
  EXPECT_TRUE(talk.replica.settled());
}

TEST_F(FollowingTalk, GoesOnWhenAWorkspaceThatCouldNotBeReadIsGivenAgain) {
  talk.connect();
  talk.text(DocError{"workspace:ws1", "storage", "The server cannot reach its storage now."});
  EXPECT_EQ(talk.states.back(), SyncState::Reconnecting);
  talk.user_writes("d.md", "typed meanwhile\n");
  talk.pass(30'000);
  EXPECT_EQ(talk.lines_asked, 1u);
  talk.feed(Disconnected{});
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {}});
  talk.answer_body("d.md");
  EXPECT_THAT(talk.updates, Contains(::testing::Key("body:ws1/d.md")));
}

TEST_F(FollowingTalk, ComesBackWhenTheListDoesNotCome) {
  talk.connect();
  talk.pass(10'001);
  EXPECT_THAT(talk.asked, IsEmpty());
  talk.feed(Disconnected{});
  talk.connect();
  talk.text(Changes{"ws1", "L:6", true, {"a.md"}});
  EXPECT_THAT(talk.asked, ElementsAre("a.md"));
}

}  // namespace
}  // namespace diaryx::sync
