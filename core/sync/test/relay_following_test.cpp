// What changed since a cursor.
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
  bench.handle(ConnectionOpened{ConnectionId{9}, share({}), Handshake::Lean});
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

TEST_F(RelayFollowing, SendsUpdatesToAFollowerThatSentOneWhileTheBodyWasLoaded) {
  bench.frame(1, kW + "00 00 01 00");
  for (const uint64_t each : {1, 2}) bench.text(each, wanted());
  bench.answer_loads = false;
  bench.take(1);
  bench.take(2);
  const std::string of_one = kOther + "00 02 12 " + kHello;
  const std::string of_two = kOther + "00 02 12 01 01 02 00 04 01 04 62 6f 64 79 05 57 6f 72 6c 64 00";
  bench.frame(1, of_one);
  bench.frame(2, of_two);
  bench.load_one();
  EXPECT_THAT(bench.take(1), Contains(hex(of_two)));
  EXPECT_THAT(bench.take(2), Contains(hex(of_one)));
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

}  // namespace
}  // namespace diaryx::sync::relay
