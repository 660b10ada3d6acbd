// The relay's promises: nothing leaves before it is stored, nobody is read further than allowed, failures store nothing.
#include "diaryx/sync/relay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

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

// --- what is asked -------------------------------------------------------------------------------------------------------

TEST_F(RelayPair, AnswersManyWhoAskTheSameOfALargeDocumentWithOnePieceOfMemory) {
  bench.frame(1, kB + letter_of(1, 0, 5'000));
  const auto ask = [&](uint64_t from, const std::string& vector) {
    std::vector<Action> actions;
    bench.relay.handle(BinaryFrame{ConnectionId{from}, RelayBench::bytes(kB + "00 00 " + vector)}, bench.now, actions);
    return std::get<SendBinary>(actions.at(0)).bytes;
  };
  const SharedBytes first = ask(1, "01 00");
  EXPECT_EQ(ask(2, "01 00"), first);
  EXPECT_NE(ask(2, "03 01 01 02"), first);  // another question
  const SharedBytes again = ask(1, "01 00");
  bench.frame(1, kB + letter_of(2, 0));
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

}  // namespace
}  // namespace diaryx::sync::relay
