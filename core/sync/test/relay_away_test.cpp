// A document that is open, and of which nothing is asked for a while, is put away: who has it open keeps the seat and cannot
// tell, and its memory is free.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const std::string kAsk = kB + "00 00 01 00";
// What "Hello" and then "Help!" are once the document has both.
const std::string kHelpAtLast =
    "01 03 01 00 04 01 04 62 6f 64 79 03 48 65 6c 81 01 02 02 84 01 04 02 70 21 01 01 01 03 02";
// Client 2, clock 1: {}
const std::string kPresence = kB + "01 06 01 02 01 02 7b 7d";

struct RelayAway : testing::Test {
  RelayAway() {
    for (const uint64_t number : {1, 2}) {
      bench.open(number);
      bench.frame(number, kAsk);
    }
    bench.frame(1, kB + "00 02 12 " + kHello);
    put_away();
  }
  void put_away() {
    bench.pass_time(10'000);
    EXPECT_EQ(away(), 1u);
    EXPECT_EQ(bench.relay.state(DocId(kBodyName)), std::nullopt);
    bench.take(1);
    bench.take(2);
  }
  size_t away() const { return bench.relay.statistics().away; }
  size_t documents() const { return bench.relay.statistics().documents; }
  /// The server reads from its storage when the test says so.
  void read_slowly() { bench.answer_loads = false; }
  std::string text() const { return bench.relay.find(DocId(kBodyName))->text("body").to_string(); }

  RelayBench bench;
};

TEST_F(RelayAway, TakesNoMemoryButTheSeats) {
  EXPECT_EQ(documents(), 0u);
  EXPECT_EQ(bench.relay.members(DocId(kBodyName)), 2u);
  EXPECT_EQ(bench.relay.next_deadline(), std::nullopt);
  EXPECT_THAT(bench.closed, IsEmpty());
}

TEST_F(RelayAway, IsThereAgainForWhoTypes) {
  bench.frame(1, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 0f " + kHelp)));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 2)));
  EXPECT_EQ(text(), "Help!");
  EXPECT_EQ(documents(), 1u);
  put_away();
}

TEST_F(RelayAway, IsThereAgainForWhoAsks) {
  bench.frame(2, kAsk);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 01 12 " + kHello)));
  EXPECT_EQ(documents(), 1u);
}

TEST_F(RelayAway, IsThereAgainForWhoComes) {
  bench.open(3);
  bench.frame(3, kAsk);
  EXPECT_THAT(bench.take(3), Contains(hex(kB + "00 01 12 " + kHello)));
  bench.frame(3, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.take(1), ElementsAre(HasSubstr("peer_joined"), hex(kB + "00 02 0f " + kHelp)));
}

TEST_F(RelayAway, IsThereAgainForEditsOfTheServer) {
  bench.edit({.document = DocId(kBodyName),
              .seed = {},
              .texts = {{"body", "Hello you"}},
              .entries = {},
              .user_id = {},
              .device_id = {}});
  ASSERT_EQ(bench.edits.size(), 1u);
  EXPECT_TRUE(bench.edits[0].stored);
  EXPECT_EQ(text(), "Hello you");
  EXPECT_EQ(bench.take(1).size(), 1u);
}

TEST_F(RelayAway, PresenceGoesOnWithoutIt) {
  bench.frame(1, kPresence);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kPresence)));
  bench.frame(2, kB + "03");
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kPresence)));
  EXPECT_THAT(bench.loads, IsEmpty());
  bench.frame(2, kAsk);
  bench.pass_time(9'000);
  bench.frame(1, kPresence);
  bench.pass_time(1'000);
  EXPECT_EQ(away(), 1u) << "presence asks nothing of the document";
}

TEST_F(RelayAway, WhatComesWhileItIsReadIsTakenInOrder) {
  read_slowly();
  bench.frame(1, kB + "00 02 0f " + kHelp);
  bench.frame(2, kAsk);
  bench.frame(1, kPresence);
  bench.frame(2, kB + "00 02 01 ff");
  EXPECT_EQ(bench.loads.size(), 1u) << "asked for once";
  EXPECT_THAT(bench.take(1), IsEmpty());
  EXPECT_THAT(bench.take(2), IsEmpty());
  bench.load_one();
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 2)));
  EXPECT_THAT(bench.take(2),
              ElementsAre(hex(kB + "00 02 0f " + kHelp), hex(kPresence), hex(kB + "00 01 1e " + kHelpAtLast),
                          HasSubstr("could not be read"), saved(kBodyName, 1)));
}

TEST_F(RelayAway, WhoSendsMuchWhileItIsReadIsNotReadFurther) {
  bench.answer_loads = false;
  for (int i = 0; i < 70'000 && bench.paused.empty(); ++i) bench.frame(1, kB + "00 02 0f " + kHelp);
  EXPECT_THAT(bench.paused, ElementsAre(1u));
  bench.load_one();
  EXPECT_THAT(bench.resumed, ElementsAre(1u));
}

TEST_F(RelayAway, WhatCannotBeReadSendsEverybodyAwayAndBack) {
  read_slowly();
  bench.frame(1, kB + "00 02 0f " + kHelp);
  bench.open(3);
  bench.frame(3, kAsk);
  bench.handle(DocumentLoadFailed{bench.loads[0].ticket, StorageFailure::Unavailable});
  EXPECT_EQ(bench.closed.at(1), CloseCode::TryAgainLater);
  EXPECT_EQ(bench.closed.at(2), CloseCode::TryAgainLater);
  for (const uint64_t number : {1, 2, 3}) EXPECT_THAT(bench.take(number), Contains(HasSubstr(R"("code":"storage")")));
  EXPECT_EQ(documents() + away(), 0u);
  bench.loads.clear();
  bench.answer_loads = true;
  bench.frame(3, kAsk);
  EXPECT_THAT(bench.take(3), Contains(hex(kB + "00 01 12 " + kHello)));
}

TEST_F(RelayAway, IsForgottenWhenTheLastOneLeaves) {
  bench.close(1);
  EXPECT_EQ(away(), 1u);
  bench.text(2, R"({"action":"leave","doc":")" + kBodyName + R"("})");
  EXPECT_EQ(away() + documents(), 0u);
  EXPECT_THAT(bench.loads, IsEmpty());
}

TEST_F(RelayAway, WhoLeavesWhileItIsReadIsNotWaitedFor) {
  read_slowly();
  bench.frame(1, kB + "00 02 0f " + kHelp);
  bench.close(1);
  bench.close(2);
  bench.load_one();
  EXPECT_EQ(bench.appends.size(), 0u) << "was never confirmed";
  bench.pass_time(10'000);
  EXPECT_EQ(away() + documents(), 0u);
}

TEST_F(RelayAway, IsTakenFromThoseWhoLoseTheirAccess) {
  bench.handle(AccessRevoked{"ws1", "user-1"});
  EXPECT_EQ(away() + documents(), 0u);
  EXPECT_THAT(bench.take(2), Contains(HasSubstr("unauthorized")));
}

TEST_F(RelayAway, IsGoneWithItsWorkspace) {
  read_slowly();
  bench.frame(1, kAsk);
  bench.handle(AccessRevoked{"ws1", ""});
  EXPECT_EQ(away() + documents(), 0u);
  bench.load_one();
  EXPECT_EQ(away() + documents(), 0u);
}

TEST_F(RelayAway, SavingItHasNothingToDo) {
  bench.text(1, R"({"action":"save","doc":")" + kBodyName + R"("})");
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
}

TEST(RelayAwayWithRecords, IsStoredInOnePieceFirst) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kAsk);
  crdt::Doc doc({.client = ClientId{5}});
  crdt::Text body = doc.text("body");
  const auto type = [&] {
    crdt::Transaction txn = doc.transact();
    ASSERT_TRUE(body.insert(txn, Utf16Offset{0}, "x"));
    Writer out;
    out.raw(RelayBench::bytes(kB + "00 02"));
    out.var_bytes(std::move(txn).commit().update_v1());
    bench.frame(1, to_hex(out.take()));
  };
  for (int i = 0; i < 40; ++i) type();
  bench.pass_time(10'000);
  ASSERT_EQ(bench.snapshot_requests.size(), 1u);
  type();  // meanwhile: it stays
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().away, 1u) << "one record is quickly read";
  for (int i = 0; i < 40; ++i) type();
  bench.pass_time(10'000);
  ASSERT_EQ(bench.snapshot_requests.size(), 2u);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.handle(SnapshotStored{bench.snapshot_requests[1].ticket});
  EXPECT_EQ(bench.relay.statistics().away, 1u);
}

// A storage that takes long for a snapshot works on a document that nobody asks anything of.
TEST(RelayAwaySnapshots, ADocumentWhoseSnapshotIsStillBeingStoredStays) {
  RelayBench bench(Limits{.compact_after_records = 30});
  bench.answer_loads = false;
  bench.open(1);
  bench.frame(1, kAsk);
  for (int i = 0; i < 40; ++i) bench.log[kBodyName].push_back(RelayBench::bytes(kHello));
  bench.load_one();
  ASSERT_EQ(bench.snapshot_requests.size(), 1u);
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().away, 1u);
}

TEST(RelayAwaySnapshots, ADocumentWhoseSnapshotSomebodyAskedForStays) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kAsk);
  for (int i = 0; i < 40; ++i) bench.frame(1, kB + letter_of(5, i));
  bench.pass_time(9'999);
  bench.text(1, R"({"action":"save","doc":")" + kBodyName + R"("})");
  ASSERT_EQ(bench.snapshot_requests.size(), 1u);
  bench.pass_time(1);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  bench.pass_time(10'000);
  EXPECT_EQ(bench.relay.statistics().away, 1u);
}

TEST(RelayAwayLarge, StaysLongerUnlessTheMemoryIsNeeded) {
  RelayBench bench(Limits{.max_idle_bytes = 100'000});
  bench.open(1);
  const auto write = [&](const std::string& document, size_t size_bytes) {
    bench.frame(1, document + "00 00 01 00");
    crdt::Doc doc({.client = ClientId{5}});
    crdt::Text body = doc.text("body");
    crdt::Transaction txn = doc.transact();
    ASSERT_TRUE(body.insert(txn, Utf16Offset{0}, std::string(size_bytes, 'x')));
    Writer out;
    out.raw(RelayBench::bytes(document + "00 02"));
    out.var_bytes(std::move(txn).commit().update_v1());
    bench.frame(1, to_hex(out.take()));
  };
  write(kB, 51'200);  // 50 ms
  bench.pass_time(10'049);
  EXPECT_EQ(bench.relay.statistics().documents, 1u);
  bench.pass_time(1);
  EXPECT_EQ(bench.relay.statistics().documents, 0u);

  bench.frame(1, kAsk);
  bench.pass_time(10'010);
  write(kOther, 60'000);
  EXPECT_EQ(bench.relay.state(DocId(kBodyName)), std::nullopt);
  EXPECT_TRUE(bench.relay.state(DocId("body:ws1/b.md")));
  EXPECT_EQ(bench.relay.statistics().away, 1u);
}

// What old clients ask again.
TEST(RelayAwayWorkspace, TellsItsStateOnceItIsRead) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kW + "00 00 01 00");
  bench.edit({.document = DocId("workspace:ws1"),
              .seed = {},
              .texts = {},
              .entries = {{"files", "a.md", R"({"deleted":false})"}},
              .user_id = {},
              .device_id = {}});
  bench.pass_time(10'000);
  ASSERT_EQ(bench.relay.statistics().away, 1u);
  bench.take(1);
  bench.answer_loads = false;
  bench.text(1, R"({"type":"FilesReady"})");
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.load_one();
  EXPECT_THAT(bench.take(1), ElementsAre(HasSubstr("crdt_state"), HasSubstr("\"files_synced\":1")));
}

}  // namespace
}  // namespace diaryx::sync::relay
