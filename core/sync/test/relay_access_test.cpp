// Access that is shared, changed and taken away while it is used; presence that ends; editors.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

/// Client 9 at clock 1 says `{}`; and it is gone.
const std::string kHere = "01 06 01 09 01 02 7b 7d";
const std::string kGone = "01 08 01 09 01 04 6e 75 6c 6c";

struct RelayAccess : testing::Test {
  ConnectionId guest(uint64_t number, Handshake handshake = Handshake::Full) {
    bench.handle(ConnectionOpened{ConnectionId{number},
                                  share({.user_id = "guest:7", .device_id = "", .guest = true, .join_code = "CODE"}),
                                  handshake});
    bench.sent[number].clear();
    return ConnectionId{number};
  }
  void change(uint64_t number, Access access) { bench.handle(AccessChanged{ConnectionId{number}, "ws1", access}); }
  void end(uint64_t number) { bench.handle(AccessEnded{ConnectionId{number}, "The share session has ended."}); }
  RelayBench bench;
};

TEST_F(RelayAccess, TellsAGuestWhatItJoinedBeforeTheManifest) {
  bench.access = Access::ReadOnly;
  guest(1);
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1),
              ElementsAre(R"({"type":"session_joined","joinCode":"CODE","workspaceId":"ws1","readOnly":true})",
                          HasSubstr("file_manifest")));
}

TEST_F(RelayAccess, TakesWritingAwayWithTheNextMessageAndGivesItBack) {
  bench.open(2);
  bench.frame(2, kB + "00 00 01 00");
  guest(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  change(1, Access::ReadOnly);
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"read_only_changed","read_only":true})"));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(HasSubstr("read_only"), saved(kBodyName, 1)));
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
  EXPECT_THAT(bench.take(2), IsEmpty());
  change(1, Access::ReadOnly);  // nothing new, nothing said
  EXPECT_THAT(bench.take(1), IsEmpty());
  change(1, Access::ReadWrite);
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"read_only_changed","read_only":false})"));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
}

TEST_F(RelayAccess, AsksAgainWhenAccessChangesWhileTheQuestionIsOut) {
  bench.answer_authorize = false;
  guest(1);
  bench.frame(1, kB + "00 00 01 00");
  ASSERT_THAT(bench.authorizations, SizeIs(1));
  change(1, Access::ReadOnly);
  ASSERT_THAT(bench.authorizations, SizeIs(2));
  // The first answer is stale and opens nothing.
  bench.handle(Authorized{bench.authorizations[0].ticket, Access::ReadWrite});
  EXPECT_THAT(bench.loads, IsEmpty());
  bench.handle(Authorized{bench.authorizations[1].ticket, Access::ReadOnly});
  EXPECT_THAT(bench.take(1), Not(IsEmpty()));
}

TEST_F(RelayAccess, EndsAtOnceEverywhere) {
  bench.open(2);
  bench.frame(2, kB + "00 00 01 00");
  guest(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  end(1);
  EXPECT_THAT(bench.take(1), ElementsAre(R"({"type":"session_ended"})",
                                         AllOf(HasSubstr("unauthorized"), HasSubstr("The share session has ended."))));
  EXPECT_EQ(bench.closed.at(1), CloseCode::PolicyViolation);
  EXPECT_THAT(bench.take(2), ElementsAre(HasSubstr("peer_left")));
  // Whatever is still under way in either direction is dropped.
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
  bench.frame(2, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.close(1);
}

TEST_F(RelayAccess, EndsWhileTheQuestionOrTheLoadIsOut) {
  bench.answer_authorize = false;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  end(1);
  bench.handle(Authorized{bench.authorizations[0].ticket, Access::ReadWrite});
  EXPECT_THAT(bench.loads, IsEmpty());

  bench.answer_authorize = true;
  bench.answer_loads = false;
  bench.open(2);
  bench.frame(2, kB + "00 02 12 " + kHello);
  ASSERT_THAT(bench.loads, SizeIs(1));
  end(2);
  bench.load_one();
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
}

TEST_F(RelayAccess, CountsWhoHasADocumentOpen) {
  EXPECT_EQ(bench.relay.members(DocId("workspace:ws1")), 0u);
  bench.open(1);
  bench.open(2);
  bench.frame(1, kW + "00 00 01 00");
  bench.frame(2, kW + "00 00 01 00");
  EXPECT_EQ(bench.relay.members(DocId("workspace:ws1")), 2u);
  bench.close(1);
  EXPECT_EQ(bench.relay.members(DocId("workspace:ws1")), 1u);
}

TEST_F(RelayAccess, TellsTheOthersWhenPresenceEnds) {
  bench.open(1, Handshake::Lean);
  bench.open(2, Handshake::Lean);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(2, kB + "00 00 01 00");
  bench.frame(1, kB + kHere);
  bench.take(1);
  EXPECT_THAT(bench.take(2), Contains(hex(kB + kHere)));
  bench.close(1);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + kGone)));
  // Nobody who comes later hears of it.
  bench.open(3, Handshake::Lean);
  bench.frame(3, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(3), Contains(hex(kB + "01 01 00")));
}

TEST_F(RelayAccess, TakesPresenceAlongWithWhoToldItNotWithWhoRepeatedIt) {
  for (uint64_t number : {1u, 2u, 3u}) {
    bench.open(number, Handshake::Lean);
    bench.frame(number, kB + "00 00 01 00");
  }
  bench.frame(1, kB + kHere);
  bench.frame(2, kB + kHere);  // y-websocket repeats what it hears
  bench.take(3);
  bench.close(2);
  EXPECT_THAT(bench.take(3), IsEmpty());
  bench.close(1);
  EXPECT_THAT(bench.take(3), ElementsAre(hex(kB + kGone)));
}

TEST_F(RelayAccess, AnEditorHearsItsOwnPresenceAndNothingOfPeers) {
  bench.open(1, Handshake::Editor);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.open(2);
  bench.frame(2, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.frame(1, kB + kHere);
  EXPECT_THAT(bench.take(1), ElementsAre(hex(kB + kHere)));
  bench.frame(2, kB + "01 06 01 08 01 02 7b 7d");
  EXPECT_THAT(bench.take(2), Not(Contains(hex(kB + "01 06 01 08 01 02 7b 7d"))));
  EXPECT_THAT(bench.take(1), ElementsAre(hex(kB + "01 06 01 08 01 02 7b 7d")));
}

TEST(RelayHello, TellsTheLineage) {
  Relay relay({.server_version = "1", .lineage = "abc"});
  std::vector<Action> actions;
  relay.handle(ConnectionOpened{ConnectionId{1}, share({})}, TimestampMs{1}, actions);
  ASSERT_THAT(actions, SizeIs(1));
  const auto hello = parse_control(*std::get<SendText>(actions[0]).text);
  EXPECT_EQ(std::get<ServerHello>(*hello).lineage, "abc");
}

TEST(Relay, AnswersARefusedDocument) {
  RelayBench bench;
  bench.access = Access::Denied;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(AllOf(error("unauthorized"), HasSubstr(kBodyName))));
  EXPECT_THAT(bench.loads, IsEmpty());
}

TEST(Relay, AsksOncePerWorkspaceAndHoldsFramesMeanwhile) {
  RelayBench bench;
  bench.answer_authorize = false;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kW + "00 00 01 00");
  ASSERT_THAT(bench.authorizations, SizeIs(1));
  EXPECT_EQ(bench.authorizations[0].workspace, "ws1");
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.handle(Authorized{bench.authorizations[0].ticket, Access::ReadWrite});
  const auto sent = bench.take(1);
  EXPECT_THAT(sent, SizeIs(7));  // three frames and a receipt for the body, three for the workspace
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
}

TEST_F(RelayPair, ClosesDocumentsWhenAccessIsRevoked) {
  bench.handle(AccessRevoked{"ws1", ""});
  EXPECT_THAT(bench.take(1), testing::Contains(error("unauthorized")));
  EXPECT_THAT(bench.take(2), testing::Contains(error("unauthorized")));
  EXPECT_EQ(bench.relay.statistics().documents, 0u);
  bench.access = Access::Denied;
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(error("unauthorized")));
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
}

TEST(Relay, DoesNotGrantWhatWasRevokedWhileTheQuestionWasOut) {
  RelayBench bench;
  bench.answer_authorize = false;
  bench.open(1);
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.handle(AccessRevoked{"ws1", "user-1"});
  bench.handle(Authorized{bench.authorizations[0].ticket, Access::ReadWrite});
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
  bench.frame(1, kB + "00 00 01 00");
  EXPECT_THAT(bench.authorizations, SizeIs(2));
}

}  // namespace
}  // namespace diaryx::sync::relay
