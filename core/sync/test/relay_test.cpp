// The relay's promises: nothing leaves before it is stored, nobody is read further than allowed, failures store nothing.
#include "diaryx/sync/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

testing::Matcher<std::string> error(const std::string& code) {
  return AllOf(HasSubstr("\"type\":\"error\""), HasSubstr("\"code\":\"" + code + "\""));
}

// --- durability ---------------------------------------------------------------------------------------------------------

TEST_F(RelayPair, RelaysAndConfirmsOnlyAfterTheCommit) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), IsEmpty());
  EXPECT_THAT(bench.take(2), IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
}

TEST_F(RelayPair, ConfirmsWhatWasStoredTogetherOnce) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 0f 01 01 01 05 84 01 04 02 70 21 01 01 01 03 02");
  std::vector<Event> stored;
  for (const AppendUpdate& append : bench.appends)
    stored.push_back(UpdateStored{append.ticket, Sequence{++bench.sequence}});
  ASSERT_THAT(stored, SizeIs(2));
  std::vector<Action> actions;
  bench.relay.handle(std::move(stored), bench.now, actions);
  // Both updates for the reader, then one receipt for both.
  ASSERT_THAT(actions, SizeIs(2));
  EXPECT_EQ(std::get<SendBinary>(actions[0]).to, std::vector{ConnectionId{2}});
  EXPECT_EQ(to_hex(*std::get<SendBinary>(actions[0]).bytes), hex(kB + "00 02 1c " + kHelloThenHelp));
  EXPECT_EQ(*std::get<SendText>(actions[1]).text, saved(kBodyName, 2));
}

// --- bursts -------------------------------------------------------------------------------------------------------------

/// A letter of a writer at a clock, as a message.
std::string letter(int client, int clock, size_t size = 1) {
  Writer update;
  for (const uint64_t number : {1, 1, client, clock, 4, 1}) update.var_uint(number);
  update.var_string("body");
  update.var_string(std::string(size, static_cast<char>('a' + clock % 26)));
  update.var_uint(0);
  Writer message;
  message.var_uint(0);
  message.var_uint(2);
  message.var_bytes(update.view());
  return to_hex(message.view());
}

struct RelayBurst : RelayPair {
  RelayBurst() { bench.commit_at_once = false; }

  void frames(const std::vector<std::pair<uint64_t, std::string>>& frames) {
    std::vector<Event> events;
    for (const auto& [from, message] : frames)
      events.push_back(BinaryFrame{ConnectionId{from}, RelayBench::bytes(kB + message)});
    bench.handle(std::move(events));
  }
  void commit_together() {
    std::vector<Event> stored;
    for (const AppendUpdate& append : std::exchange(bench.appends, {}))
      stored.push_back(UpdateStored{append.ticket, Sequence{++bench.sequence}});
    bench.handle(std::move(stored));
  }
  /// The clocks that each frame sent to a connection holds, by writer.
  std::vector<std::map<uint64_t, uint64_t>> heard(uint64_t connection) {
    std::vector<std::map<uint64_t, uint64_t>> frames;
    for (const std::string& sent : bench.take(connection)) {
      if (sent.starts_with("{")) continue;
      const Bytes frame = RelayBench::bytes(sent);
      const auto messages = parse_messages(decode_frame(frame)->payload);
      const auto* update = std::get_if<Update>(&messages->at(0));
      if (update == nullptr) continue;
      frames.emplace_back();
      for (const auto& [client, end] : crdt::summarize_update_v1(update->update)->ends)
        frames.back()[client.value()] = end.value();
    }
    return frames;
  }
};

TEST_F(RelayBurst, OfOneSenderIsOneRecordAndOneMessage) {
  frames({{1, letter(7, 0)}, {1, letter(7, 1)}, {1, letter(7, 2)}});
  ASSERT_THAT(bench.appends, SizeIs(1));
  EXPECT_EQ(bench.appends[0].user_id, "user-1");
  bench.commit_one();
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 3}}));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 3)));
  EXPECT_THAT(heard(1), IsEmpty());
}

TEST_F(RelayBurst, OfSeveralSendersStaysApart) {
  frames({{1, letter(7, 0)}, {2, letter(8, 0)}, {1, letter(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(3));
  bench.open(3);
  bench.frame(3, kB + "00 00 01 00");
  commit_together();
  // What was stored in one go is one message for each of them, and nobody hears their own words.
  EXPECT_THAT(heard(1), ElementsAre(std::map<uint64_t, uint64_t>{{8, 1}}));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 2}}));
}

TEST_F(RelayBurst, EndsWhereAnAnswerLiesBetween) {
  // Another question of the same connection: its answer holds the first letter and must not come before it is stored.
  frames({{1, letter(7, 0)}, {1, "00 00 01 00"}, {1, letter(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.take(1), ElementsAre(testing::StartsWith(hex(kB + "00 01")), saved(kBodyName, 1)));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}));
}

TEST_F(RelayBurst, IsNotForWhoCameInBetween) {
  bench.open(3);
  bench.frame(3, kOther + "00 00 01 00");  // so that its access is known
  frames({{1, letter(7, 0)}, {3, "00 00 01 00"}, {1, letter(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  commit_together();
  // The newcomer is answered with the first letter in it, and relayed the second alone.
  EXPECT_THAT(heard(3), ElementsAre(std::map<uint64_t, uint64_t>{{7, 2}}));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}, std::map<uint64_t, uint64_t>{{7, 2}}));
}

TEST_F(RelayBurst, OfLargeUpdatesIsNotCopiedTogether) {
  frames({{1, letter(7, 0, 9000)}, {1, letter(7, 9000, 9000)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  commit_together();
  EXPECT_THAT(heard(2), SizeIs(2));
}

TEST_F(RelayBurst, OfWhichOneIsBrokenLosesOnlyThat) {
  frames({{1, letter(7, 0)}, {1, "00 02 03 01 01 01"}, {1, letter(7, 1)}});
  commit_together();
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}, std::map<uint64_t, uint64_t>{{7, 2}}));
  const auto told = bench.take(1);
  EXPECT_THAT(told, ElementsAre(error("invalid"), saved(kBodyName, 3)));
}

TEST_F(RelayBurst, ThatIsNotStoredIsRelayedToNobody) {
  frames({{1, letter(7, 0)}, {1, letter(7, 1)}});
  bench.fail_one();
  EXPECT_THAT(heard(2), IsEmpty());
  EXPECT_THAT(bench.take(1), testing::Not(testing::Contains(HasSubstr("saved"))));
}

// --- what is asked -------------------------------------------------------------------------------------------------------

TEST_F(RelayPair, AnswersManyWhoAskTheSameOfALargeDocumentWithOnePieceOfMemory) {
  bench.frame(1, kB + letter(1, 0, 5'000));
  const auto ask = [&](uint64_t from, const std::string& vector) {
    std::vector<Action> actions;
    bench.relay.handle(BinaryFrame{ConnectionId{from}, RelayBench::bytes(kB + "00 00 " + vector)}, bench.now, actions);
    return std::get<SendBinary>(actions.at(0)).bytes;
  };
  const SharedBytes first = ask(1, "01 00");
  EXPECT_EQ(ask(2, "01 00"), first);
  EXPECT_NE(ask(2, "03 01 01 02"), first);  // another question
  const SharedBytes again = ask(1, "01 00");
  bench.frame(1, kB + letter(2, 0));
  const SharedBytes after = ask(2, "01 00");  // another answer
  EXPECT_NE(after, again);
  EXPECT_GT(after->size(), again->size());
}

TEST_F(RelayPair, HoldsAnAnswerThatWouldShowAnUncommittedUpdate) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(2, kB + "00 00 01 00");
  bench.open(3);
  bench.frame(3, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(2), IsEmpty());
  EXPECT_THAT(bench.take(3), IsEmpty());
  bench.commit_one();
  const std::string frame_answer = hex(kB + "00 01 12 " + kHello);
  EXPECT_THAT(bench.take(2), testing::Contains(frame_answer));
  EXPECT_THAT(bench.take(3), ElementsAre(hex(kB + "00 00 03 01 01 05"), hex(kB + "01 01 00"), frame_answer));
}

TEST_F(RelayPair, KeepsTheOrderOfADocumentWhileCommitsAreOut) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 0f " + kHelp);
  ASSERT_THAT(bench.appends, SizeIs(2));
  bench.commit_one();
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
  bench.commit_one();
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 0f " + kHelp)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 2)));
}

TEST_F(RelayPair, ConfirmsAnUpdateWithoutNewsOnlyBehindEarlierOnes) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 12 " + kHello);  // again: no news, nothing to store
  bench.frame(1, kB + "00 01 02 00 00");
  ASSERT_THAT(bench.appends, SizeIs(1));
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 3)));
  EXPECT_THAT(bench.take(2), SizeIs(1));
}

TEST_F(RelayPair, ConfirmsToTheSecondSenderOfTheSameUpdateAfterTheCommit) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(2, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello), saved(kBodyName, 1)));
}

TEST_F(RelayPair, StoresWhatASenderLeftBehind) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.close(1);
  bench.take(2);
  bench.commit_one();
  EXPECT_THAT(bench.take(2), testing::Contains(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
}

TEST_F(RelayPair, ThrowsTheMemoryAwayWhenAnAppendFails) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 0f " + kHelp);
  bench.fail_one();
  EXPECT_THAT(bench.take(1), ElementsAre(error("storage")));
  EXPECT_THAT(bench.take(2), ElementsAre(error("storage")));
  EXPECT_EQ(bench.closed.at(1), CloseCode::TryAgainLater);
  EXPECT_EQ(bench.closed.at(2), CloseCode::TryAgainLater);
  // Somebody comes while the second append is still out: the document is read again only after its answer.
  bench.loads.clear();
  bench.answer_loads = false;
  bench.open(3);
  bench.frame(3, kB + "00 00 01 00");
  EXPECT_THAT(bench.loads, IsEmpty());
  bench.fail_one();
  ASSERT_THAT(bench.loads, SizeIs(1));
  bench.load_one();
  EXPECT_THAT(bench.take(3), ElementsAre(hex(kB + "00 00 01 00"), hex(kB + "01 01 00"), hex(kB + "00 01 02 00 00")));
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
}

TEST(Relay, NeverStoresADocumentThatCouldNotBeLoaded) {
  RelayBench bench;
  bench.answer_loads = false;
  bench.open(1);
  bench.frame(1, kB + "00 02 12 " + kHello);
  ASSERT_THAT(bench.loads, SizeIs(1));
  bench.handle(DocumentLoadFailed{bench.loads[0].ticket, StorageFailure::Unavailable});
  EXPECT_THAT(bench.take(1), ElementsAre(error("storage")));
  bench.pass_time(60'000);
  EXPECT_THAT(bench.appends, IsEmpty());
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  EXPECT_EQ(bench.relay.statistics().documents, 0u);
}

TEST(Relay, RefusesADocumentWithADamagedRecord) {
  RelayBench bench;
  bench.log[kBodyName] = {RelayBench::bytes(kHello), RelayBench::bytes("01 ff ff")};
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(error("storage")));
  EXPECT_THAT(bench.appends, IsEmpty());
}

TEST_F(RelayPair, KeepsAnUpdateWhoseBaseIsMissingAcrossARestart) {
  bench.frame(1, kB + "00 02 0f " + kHelp);  // its base, Hello, has not come
  ASSERT_THAT(bench.log[kBodyName], SizeIs(1));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
  bench.frame(1, kB + "00 02 0f " + kHelp);  // again: nothing new
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));

  RelayBench later;
  later.log = bench.log;
  later.open(1);
  later.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_EQ(later.relay.find(DocId(kBodyName))->text("body").to_string(), "Help!");
}

// --- messages ----------------------------------------------------------------------------------------------------------

TEST_F(RelayPair, HandlesEveryUpdateOfACombinedPayload) {
  bench.frame(1, kB + "00 00 01 00" + " 00 02 12 " + kHello + " 00 02 0f " + kHelp);
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 1c " + kHelloThenHelp)));
}

TEST_F(RelayPair, DropsUpdatesOfAReaderBeforeTheyAreApplied) {
  bench.access = Access::ReadOnly;
  bench.open(3);
  bench.frame(3, kB + "00 00 01 00");
  bench.take(1);
  bench.take(3);
  bench.frame(3, kB + "00 01 02 00 00");  // the empty answer of a reader is nothing to complain about
  EXPECT_THAT(bench.take(3), ElementsAre(saved(kBodyName, 1)));
  bench.frame(3, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(3), ElementsAre(error("read_only"), saved(kBodyName, 2)));
  EXPECT_THAT(bench.take(1), IsEmpty());
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "");
}

TEST_F(RelayPair, RefusesABrokenUpdateAndGoesOn) {
  bench.frame(1, kB + "00 02 03 01 ff ff");
  EXPECT_THAT(bench.take(1), ElementsAre(error("invalid"), saved(kBodyName, 1)));
  EXPECT_THAT(bench.take(2), IsEmpty());
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 2)));
}

struct BadFrame {
  const char* name;
  const char* hex;
};
struct RelayBadFrame : testing::TestWithParam<BadFrame> {};

TEST_P(RelayBadFrame, IsRefusedAndTheConnectionEndsWhenTheyGoOn) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.frame(1, GetParam().hex);
  EXPECT_THAT(bench.take(1), testing::Contains(error("invalid")));
  for (int i = 0; i < 15; ++i) bench.frame(1, GetParam().hex);
  EXPECT_EQ(bench.closed.at(1), CloseCode::PolicyViolation);
  EXPECT_THAT(bench.log, testing::Not(testing::Contains(testing::Pair(kBodyName, SizeIs(testing::Gt(0u))))));
}

const std::string kBodyHex = hex(kB);
const std::string kTruncatedSync = kBodyHex + "00";
const std::string kUnknownTag = kBodyHex + "07";
const std::string kLengthBeyondEnd = kBodyHex + "0002ffffff0f";
const std::string kBadStateVector = kBodyHex + "000002ffff";
const std::string kBadAwareness = kBodyHex + "010105";
INSTANTIATE_TEST_SUITE_P(Frames, RelayBadFrame,
                         testing::Values(BadFrame{"empty", ""}, BadFrame{"id_cut", "0d776f"},
                                         BadFrame{"id_not_utf8", "02fffe00"}, BadFrame{"id_unknown", "03666f6f0000"},
                                         BadFrame{"body_without_slash", "08626f64793a77733100000100"},
                                         BadFrame{"sync_cut", kTruncatedSync.c_str()},
                                         BadFrame{"unknown_tag", kUnknownTag.c_str()},
                                         BadFrame{"length_beyond_end", kLengthBeyondEnd.c_str()},
                                         BadFrame{"bad_state_vector", kBadStateVector.c_str()},
                                         BadFrame{"bad_awareness", kBadAwareness.c_str()}),
                         [](const auto& info) { return info.param.name; });

TEST(Relay, ClosesAConnectionThatSendsTooMuchAtOnce) {
  RelayBench bench({.max_frame_bytes = 100, .max_text_bytes = 50});
  bench.open(1);
  bench.frame(1, std::string(202, '0'));
  EXPECT_THAT(bench.take(1), ElementsAre(error("too_large")));
  EXPECT_EQ(bench.closed.at(1), CloseCode::MessageTooBig);
  bench.open(2);
  bench.text(2, std::string(51, ' '));
  EXPECT_EQ(bench.closed.at(2), CloseCode::MessageTooBig);
}

TEST(Relay, IgnoresTextsItDoesNotKnow) {
  RelayBench bench;
  bench.open(1);
  for (const char* text : {"", "{", "[]", "null", R"({"type":"hello"})", R"({"type":"focus","files":["a"]})",
                           R"({"action":"leave","doc":"body:x/y"})", R"({"action":"save","doc":"../../etc"})"}) {
    bench.text(1, text);
  }
  EXPECT_THAT(bench.take(1), IsEmpty());
  EXPECT_TRUE(bench.closed.empty());
}

// --- access -------------------------------------------------------------------------------------------------------------

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

// --- bounds and life --------------------------------------------------------------------------------------------------------

TEST(Relay, PausesAConnectionWhoseUpdatesAreNotStoredYet) {
  RelayBench bench({.max_held_bytes = 30, .held_overhead_bytes = 0});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.paused, IsEmpty());
  bench.frame(1, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.paused, ElementsAre(1));
  bench.commit_one();
  EXPECT_THAT(bench.resumed, IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.resumed, ElementsAre(1));
}

TEST(Relay, PausesAConnectionThatSendsManySmallThings) {
  RelayBench bench({.max_held_bytes = 10'000});
  bench.open(1);
  bench.answer_loads = false;
  for (int i = 0; i < 19; ++i) bench.frame(1, kB);  // empty payloads, for a document that is being loaded
  EXPECT_THAT(bench.paused, IsEmpty());
  bench.frame(1, kB);
  EXPECT_THAT(bench.paused, ElementsAre(1));
  bench.load_one();
  EXPECT_THAT(bench.resumed, ElementsAre(1));

  bench.commit_at_once = false;
  for (int clock = 0; clock < 19; ++clock) {
    const Bytes letter{1, 1, 1, static_cast<uint8_t>(clock), 4, 1, 4, 'b', 'o', 'd', 'y', 1, 'a', 0};
    bench.frame(1, kB + "00 02 0e " + to_hex(letter));
  }
  EXPECT_THAT(bench.paused, ElementsAre(1, 1));
  bench.commit_all();
  EXPECT_THAT(bench.resumed, ElementsAre(1, 1));
}

TEST(Relay, RefusesMoreDocumentsThanAConnectionMayHave) {
  RelayBench bench({.max_documents = 1});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.take(1);
  bench.frame(1, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(error("too_large")));
}

TEST(Relay, UnloadsADocumentNobodyUses) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.close(1);
  ASSERT_EQ(bench.relay.next_deadline(), bench.now + DurationMs{10'000});
  bench.pass_time(9'999);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.pass_time(1);
  EXPECT_EQ(bench.relay.statistics().documents, 0u);
  EXPECT_EQ(bench.relay.next_deadline(), std::nullopt);
}

// As an import leaves them: edited once by the server, and nobody has them open.
struct RelayLeftDocuments : testing::Test {
  void edit(int number, size_t size_bytes = 400) {
    ServerEdit edit{.document = name(number),
                    .seed = {},
                    .texts = {{"body", std::string(size_bytes, 'x')}},
                    .entries = {},
                    .user_id = {},
                    .device_id = {}};
    bench.edit(std::move(edit));
  }
  static DocId name(int number) { return DocId("body:ws1/" + std::to_string(number) + ".md"); }
  bool is_loaded(int number) { return bench.relay.state(name(number)).has_value(); }

  RelayBench bench{Limits{.max_idle_bytes = 1000}};
};

TEST_F(RelayLeftDocuments, OfWhichThereAreTooManyGoInTheOrderInWhichTheyWereLeft) {
  for (int number = 0; number < 4; ++number) {
    bench.now = bench.now + DurationMs{10};
    edit(number);
  }
  EXPECT_EQ(bench.relay.statistics().documents, 4u) << "somebody may look at them right after";
  bench.now = bench.now + DurationMs{1000};
  edit(4);
  EXPECT_FALSE(is_loaded(0) || is_loaded(1) || is_loaded(2));
  EXPECT_TRUE(is_loaded(3) && is_loaded(4));
  for (int number = 5; number < 40; ++number) {
    bench.now = bench.now + DurationMs{1000};
    edit(number);
    ASSERT_LE(bench.relay.statistics().documents, 2u);
  }
  for (int number = 0; number < 40; ++number) EXPECT_EQ(bench.log[name(number).str()].size(), 1u);
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().documents, 0u);
}

TEST_F(RelayLeftDocuments, StayUntilTheyAreStored) {
  bench.commit_at_once = false;
  edit(0, 5000);
  bench.now = bench.now + DurationMs{5000};
  edit(1);
  EXPECT_TRUE(is_loaded(0));
  bench.commit_one();
  EXPECT_EQ(bench.edits.size(), 1u);
  EXPECT_TRUE(is_loaded(0)) << "whoever made the edit looks at it now";
  bench.now = bench.now + DurationMs{1000};
  bench.commit_one();
  EXPECT_EQ(bench.edits.size(), 2u);
  EXPECT_FALSE(is_loaded(0));
  EXPECT_TRUE(is_loaded(1));
}

TEST_F(RelayLeftDocuments, AreNotThoseThatSomebodyComesBackTo) {
  edit(0, 5000);
  bench.now = bench.now + DurationMs{2000};
  edit(1, 700);
  bench.now = bench.now + DurationMs{2000};
  edit(1, 701);  // which makes it the newest
  EXPECT_FALSE(is_loaded(0));
  bench.now = bench.now + DurationMs{999};
  edit(2, 700);
  EXPECT_TRUE(is_loaded(1) && is_loaded(2));
}

TEST(Relay, KeepsADocumentSomebodyComesBackTo) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.close(1);
  bench.pass_time(5'000);
  bench.open(2);
  bench.frame(2, kB + "00 00 01 00");
  bench.pass_time(5'000);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  EXPECT_THAT(bench.loads, IsEmpty());
}

TEST(Relay, KeepsAWorkspaceWhoseHandshakeIsNotFinished) {
  RelayBench bench;
  bench.open(1, Handshake::Full, "guest:1", true);
  bench.frame(1, kW + "00 00 01 00");
  bench.pass_time(60'000);
  bench.text(1, R"({"type":"FilesReady"})");
  EXPECT_THAT(bench.take(1), testing::Contains(hex(kW + "00 00 01 00")));
}

TEST(Relay, StoresASnapshotOfWhatIsInTheLog) {
  RelayBench bench({.compact_after_records = 2});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  bench.frame(1, kB + "00 02 0f " + kHelp);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  EXPECT_EQ(bench.snapshot_requests[0].through, Sequence{2});
  crdt::Doc copy({.client = ClientId{99}});
  ASSERT_TRUE(copy.apply_update_v1(*bench.snapshot_requests[0].state));
  EXPECT_EQ(copy.text("body").to_string(), "Help!");
}

TEST(Relay, StoresNoSnapshotWhileMemoryIsAheadOfTheLog) {
  RelayBench bench({.compact_after_records = 1});
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 0f " + kHelp);
  bench.text(1, R"({"action":"save","doc":"body:ws1/notes/a.md"})");
  bench.commit_one();
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.snapshot_requests, SizeIs(1));
}

TEST_F(RelayPair, DrainsByClosingEverybodyAndWaitingForTheStorage) {
  bench.commit_at_once = false;
  bench.frame(1, kB + "00 02 12 " + kHello);
  std::vector<Action> actions;
  bench.relay.drain(bench.now, actions);
  EXPECT_THAT(actions, SizeIs(2));
  EXPECT_FALSE(bench.relay.quiet());
  bench.commit_one();
  EXPECT_TRUE(bench.relay.quiet());
}

// --- the server's own edits ----------------------------------------------------------------------------------------------

TEST_F(RelayPair, EditsALiveDocumentBySmallestChanges) {
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.take(1);
  bench.take(2);
  bench.edit({.document = DocId(kBodyName),
              .seed = {},
              .texts = {{"body", "Hello!"}},
              .entries = {},
              .user_id = {},
              .device_id = {}});
  ASSERT_THAT(bench.edits, SizeIs(1));
  EXPECT_TRUE(bench.edits[0].stored);
  EXPECT_THAT(bench.take(1), SizeIs(1));
  EXPECT_THAT(bench.take(2), SizeIs(1));
  EXPECT_LT(bench.log[kBodyName].back().size(), 24u);  // one character, not the text again
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Hello!");
}

TEST_F(RelayPair, FinishesAnEditWithoutChangeAndStoresNothing) {
  bench.edit({.document = DocId(kBodyName),
              .seed = {},
              .texts = {{"body", ""}},
              .entries = {},
              .user_id = {},
              .device_id = {}});
  ASSERT_THAT(bench.edits, SizeIs(1));
  EXPECT_TRUE(bench.edits[0].stored);
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
}

TEST(Relay, LoadsADocumentForAnEditAndUsesTheSeedOnlyIfItIsEmpty) {
  RelayBench bench;
  bench.answer_loads = false;
  const ServerEdit edit{.document = DocId(kBodyName),
                        .seed = RelayBench::bytes(kHello),
                        .texts = {{"body", "Other"}},
                        .entries = {},
                        .user_id = {},
                        .device_id = {}};
  bench.edit(edit);
  EXPECT_THAT(bench.edits, IsEmpty());
  bench.load_one();
  ASSERT_THAT(bench.edits, SizeIs(1));
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Hello");
  bench.edit(edit);
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Other");
}

TEST(Relay, AnEditMadeOnAnOlderStateLeavesWhatWasTypedSince) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 02 12 " + kHello);
  // "Hello" becomes "Help" for somebody who does not know that it is "Help!" by now: both wrote a "p", and both stay.
  crdt::Doc older({.client = ClientId{9}});
  ASSERT_TRUE(older.apply_update_v1(RelayBench::bytes(kHello)));
  crdt::Text text = older.text("body");
  crdt::Transaction txn = older.transact();
  ASSERT_TRUE(text.erase(txn, Utf16Offset{3}, Length{2}));
  ASSERT_TRUE(text.insert(txn, Utf16Offset{3}, "p"));
  const Bytes change = std::move(txn).commit().update_v1();
  bench.frame(1, kB + "00 02 0f 01 01 01 05 84 01 04 02 70 21 01 01 01 03 02");
  const std::string now = bench.relay.find(DocId(kBodyName))->text("body").to_string();
  bench.edit({.document = DocId(kBodyName),
              .seed = {},
              .update = change,
              .texts = {{"body", "Help"}},
              .entries = {},
              .origin = UpdateOrigin::Restore,
              .user_id = {},
              .device_id = {}});
  ASSERT_THAT(bench.edits, SizeIs(1));
  EXPECT_TRUE(bench.edits[0].stored);
  EXPECT_EQ(now, "Help!");
  EXPECT_EQ(bench.relay.find(DocId(kBodyName))->text("body").to_string(), "Help!p");
}

TEST(Relay, TellsThatAnEditWasNotStored) {
  RelayBench bench;
  bench.commit_at_once = false;
  bench.edit({.document = DocId("workspace:ws1"),
              .seed = {},
              .texts = {},
              .entries = {{"files", "a.md", "{}"}},
              .user_id = {},
              .device_id = {}});
  bench.fail_one();
  ASSERT_THAT(bench.edits, SizeIs(1));
  EXPECT_FALSE(bench.edits[0].stored);
}

TEST(RelayBudget, ADocumentStopsGrowingAndCanBeMadeSmaller) {
  RelayBench bench({.max_document_bytes = 70});
  bench.open(1);
  bench.open(2);
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(2, kB + "00 00 01 00");
  bench.take(1);
  bench.take(2);
  // Client 2 puts 40 letters of its own beside it: not applied, not stored, not relayed.
  const std::string forty = "01 01 02 00 04 01 04 62 6f 64 79 28 " + [] {
    std::string hex;
    for (int i = 0; i < 40; ++i) hex += "61 ";
    return hex;
  }() + "00";
  bench.frame(1, kB + "00 02 35 " + forty);
  const auto refused = bench.take(1);
  ASSERT_THAT(refused, SizeIs(2));
  EXPECT_THAT(refused[0], HasSubstr(R"("doc":"body:ws1/notes/a.md","code":"too_large")"));
  EXPECT_EQ(refused[1], saved(kBodyName, 2));
  EXPECT_THAT(bench.take(2), IsEmpty());
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  // Said once, not with each letter; what is known already is no growth.
  bench.frame(1, kB + "00 02 35 " + forty);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 3)));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 4)));
  // Ten letters typed one by one are ten updates of ten bytes, and ten bytes of the document.
  for (int clock = 5; clock < 15; ++clock) {
    const std::string at = to_hex(Bytes{uint8_t(clock)}) + " ";
    const std::string before = to_hex(Bytes{uint8_t(clock - 1)}) + " ";
    bench.frame(1, kB + "00 02 0a 01 01 01 " + at + "84 01 " + before + "01 61 00");
  }
  EXPECT_THAT(bench.log[kBodyName], SizeIs(11));
  bench.take(1);
  // Deleting is always possible, and makes room.
  bench.frame(1, kB + "00 02 06 00 01 01 01 00 0f");
  EXPECT_THAT(bench.log[kBodyName], SizeIs(12));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 15)));
  // The bound holds for what is loaded, too.
  RelayBench later({.max_document_bytes = 70});
  later.log = bench.log;
  later.open(1);
  later.frame(1, kB + "00 02 35 " + forty);
  EXPECT_THAT(later.log[kBodyName], SizeIs(13)) << "the deleted text left room for it";
  later.frame(1, kB + "00 02 12 01 01 03 00 04 01 04 62 6f 64 79 05 48 65 6c 6c 6f 00");
  EXPECT_THAT(later.take(1), Contains(HasSubstr("too_large")));
  EXPECT_THAT(later.log[kBodyName], SizeIs(13));
}

}  // namespace
}  // namespace diaryx::sync::relay
