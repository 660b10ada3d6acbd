// What changed since a cursor, and the traps of sync.md that a relay must not fall into.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

std::string hex(const std::string& spaced) { return RelayBench::hex(spaced); }

const std::string kOther = "0d 62 6f 64 79 3a 77 73 31 2f 62 2e 6d 64 ";  // body:ws1/b.md

std::string wanted(const std::string& cursor = {}) { return format_control(ChangesWanted{"ws1", cursor}); }
std::string changes(const std::string& cursor, bool known, std::vector<std::string> keys) {
  return format_control(Changes{"ws1", cursor, known, std::move(keys)});
}

/// Connection 1 writes, connection 2 follows the workspace and has no body open.
struct RelayFollowing : testing::Test {
  RelayFollowing() : bench({}, "L") {
    bench.open(1, Handshake::Lean);
    bench.open(2, Handshake::Lean);
    bench.frame(2, kW + "00 00 01 00");
    bench.frame(1, kB + "00 00 01 00");
    bench.take(1);
    bench.take(2);
  }
  RelayBench bench;
};

TEST_F(RelayFollowing, IsOfferedByAServerThatHasALineage) {
  bench.handle(ConnectionOpened{ConnectionId{9}, {}, Handshake::Lean});
  EXPECT_THAT(bench.take(9), ElementsAre(HasSubstr(R"("lineage":"L","changes":true)")));
}

TEST_F(RelayFollowing, SendsUpdatesOfBodiesThatAreNotOpen) {
  bench.text(2, wanted());
  bench.take(2);
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
}

TEST_F(RelayFollowing, SendsAnUpdateOnceToAFollowerThatOpenedTheBody) {
  bench.text(2, wanted());
  bench.frame(2, kB + "00 00 01 00");
  bench.take(2);
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), SizeIs(1));
}

TEST_F(RelayFollowing, ListsWhatChangedSinceTheCursor) {
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.text(2, wanted());
  EXPECT_THAT(bench.take(2), ElementsAre(changes("L:1", false, {})));
  bench.close(2);
  bench.frame(1, kOther + "00 02 12 " + kHello);

  bench.open(3, Handshake::Lean);
  bench.frame(3, kW + "00 00 01 00");
  bench.take(3);
  bench.text(3, wanted("L:1"));
  EXPECT_THAT(bench.take(3), ElementsAre(changes("L:2", true, {"b.md"})));
  bench.text(3, wanted("L:2"));
  EXPECT_THAT(bench.take(3), ElementsAre(changes("L:2", true, {})));
}

TEST_F(RelayFollowing, KnowsNoCursorOfAnotherLineageAndNoNonsense) {
  bench.frame(1, kB + "00 02 12 " + kHello);
  for (const char* cursor : {"M:1", "L:", "L:x", "L:1x", "L:-1", "1", "L:99999999999999999999999"}) {
    bench.text(2, wanted(cursor));
    EXPECT_THAT(bench.take(2), ElementsAre(changes("L:1", false, {}))) << cursor;
  }
}

TEST_F(RelayFollowing, GivesNoCursorBeforeTheUpdatesThatItStandsFor) {
  bench.text(2, wanted());
  bench.take(2);
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kOther + "00 02 12 " + kHello);
  bench.answer_changes = false;
  bench.text(2, wanted());
  bench.sequence = 2;  // the storage has both, the relay has heard of neither
  bench.list_one();
  EXPECT_THAT(bench.take(2), IsEmpty());
  bench.sequence = 0;
  bench.commit_one();
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  bench.commit_one();
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kOther + "00 02 12 " + kHello), changes("L:2", false, {})));
}

TEST_F(RelayFollowing, ListsAnUpdateThatWasBeingStoredWhenTheFollowerCame) {
  bench.frame(1, kOther + "00 02 12 " + kHello);
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.text(2, wanted("L:1"));
  bench.commit_all();
  const std::vector<std::string> seen = bench.take(2);
  EXPECT_THAT(seen, Contains(changes("L:1", true, {"notes/a.md"})));
}

TEST_F(RelayFollowing, EndsWithTheAccessToTheWorkspace) {
  bench.text(2, wanted());
  bench.take(2);
  bench.handle(AccessRevoked{"ws1", "user-2"});  // of somebody else
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), SizeIs(1));
  bench.open(4, Handshake::Lean, "writer");
  bench.frame(4, kB + "00 00 01 00");
  bench.handle(AccessRevoked{"ws1", "user-1"});
  bench.take(2);
  bench.frame(4, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.take(2), IsEmpty());
}

TEST_F(RelayFollowing, IsOnlyForWhoHasTheWorkspaceOpen) {
  bench.text(1, wanted());
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.open(3, Handshake::Lean);
  bench.access = Access::Denied;
  bench.frame(3, kW + "00 00 01 00");
  bench.take(3);
  bench.text(3, wanted());
  EXPECT_THAT(bench.take(3), IsEmpty());
}

TEST_F(RelayFollowing, AsksTheStorageOnceWhileTheAnswerIsOut) {
  bench.answer_changes = false;
  for (int i = 0; i < 5; ++i) bench.text(2, wanted("L:0"));
  EXPECT_THAT(bench.change_questions, SizeIs(1));
  bench.list_one();
  EXPECT_THAT(bench.take(2), SizeIs(1));
  bench.text(2, wanted("L:0"));
  EXPECT_THAT(bench.change_questions, SizeIs(1));
}

TEST_F(RelayFollowing, SaysThatItCannotTellWhenTheStorageFails) {
  bench.answer_changes = false;
  bench.text(2, wanted("L:1"));
  bench.handle(
      ChangesListed{.ticket = bench.change_questions.front().ticket, .known = false, .documents = {}, .through = {}});
  EXPECT_THAT(bench.take(2), ElementsAre(changes("", false, {})));
}

TEST(RelayHello, AClientMayGoWithoutTheHandshake) {
  RelayBench bench;
  bench.open(1);
  bench.text(1, format_control(ClientHello{.handshake = false}));
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(hex(kW + "00 00 01 00"), hex(kW + "01 01 00"), hex(kW + "00 01 02 00 00")));
}

// --- traps ----------------------------------------------------------------------------------------------------------

/// Two connections of old clients that have the body open.
struct RelayTrap : testing::Test {
  RelayTrap() {
    for (const uint64_t one : {1, 2}) {
      bench.open(one);
      bench.frame(one, kB + "00 00 01 00");
    }
    bench.take(1);
    bench.take(2);
  }
  RelayBench bench;
};

TEST_F(RelayTrap, T6PresenceIsReadWholeAndWhatFollowsItToo) {
  // The state of the presence is a text that looks like an empty SyncStep1 and an update of its own.
  const std::string presence = "01 0b 01 07 01 07 22 00 00 01 00 00 22 ";
  bench.frame(1, kB + presence + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + presence), hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
}

TEST_F(RelayTrap, T8ARefusedDocumentIsAnsweredAndTheOthersGoOn) {
  bench.frame(1, kOther + "00 02 02 ff ff");
  EXPECT_THAT(bench.take(1), Contains(HasSubstr(R"("doc":"body:ws1/b.md","code":"invalid")")));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
}

TEST_F(RelayTrap, T10AReplyOfTwoMessagesIsNotRelayedWhole) {
  bench.frame(1, kB + "00 01 12 " + kHello + " 00 00 01 00");
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.take(1), Contains(hex(kB + "00 01 12 " + kHello)));  // its question is answered here
}

TEST_F(RelayTrap, T11ADeletionAloneIsStoredAndRelayed) {
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.take(2);
  const std::string deletion = "00 01 01 01 03 02";  // no struct; client 1, clocks 3 and 4
  bench.frame(1, kB + "00 01 06 " + deletion);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 06 " + deletion)));
  EXPECT_THAT(bench.log[kBodyName], SizeIs(2));
}

TEST(RelayTraps, T31OnlyTheWorkspaceCountsItsPeers) {
  RelayBench bench;
  bench.open(1, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  bench.frame(1, kB + "00 00 01 00");
  bench.open(2, Handshake::Lean, "user-2");
  bench.take(1);
  bench.frame(2, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.frame(2, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(HasSubstr("peer_joined")));
}

TEST(RelayTraps, EveryUpdateIsStoredWithTheDeviceOfItsToken) {
  RelayBench bench;
  bench.commit_at_once = false;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  ASSERT_THAT(bench.appends, SizeIs(1));
  EXPECT_EQ(bench.appends[0].device_id, "device");
  EXPECT_EQ(bench.appends[0].user_id, "user-1");
}

TEST(RelayTraps, A9TheSameFrameTwiceIsStoredOnce) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  EXPECT_THAT(bench.take(1), Contains(saved(kBodyName, 2)));
}

TEST(RelayTraps, A33GarbageIsCountedAndEndsTheConnection) {
  RelayBench bench(Limits{.max_bad_frames = 3});
  bench.open(1);
  for (int i = 0; i < 3; ++i) bench.frame(1, "ff 00");
  EXPECT_THAT(bench.take(1), Contains(HasSubstr(R"("code":"invalid")")));
  EXPECT_EQ(bench.closed.at(1), CloseCode::PolicyViolation);
}

}  // namespace
}  // namespace diaryx::sync::relay
