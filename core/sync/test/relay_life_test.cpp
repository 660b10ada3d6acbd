// A document's life at its edges: left, unloaded, failed or refused while something is still out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

const std::string kAsk = kB + "00 00 01 00";
const std::string kLeave = R"({"action":"leave","doc":"body:ws1/notes/a.md"})";

/// A text that client 7 typed at a clock, as an Update message for the body.
std::string typing(int clock, const std::string& text, const std::string& document = kB) {
  Writer update;
  for (const int number : {1, 1, 7, clock}) update.var_uint(static_cast<uint64_t>(number));
  if (clock == 0) {
    update.u8(4);
    update.var_uint(1);
    update.var_string("body");
  } else {
    update.u8(0x84);
    update.var_uint(7);
    update.var_uint(static_cast<uint64_t>(clock - 1));
  }
  update.var_string(text);
  update.var_uint(0);
  Writer out;
  out.var_uint(0);
  out.var_uint(2);
  out.var_bytes(update.take());
  return document + to_hex(out.take());
}

std::string letter(int clock, const std::string& document = kB) { return typing(clock, "a", document); }

std::string text_of(const Bytes& state) {
  crdt::Doc doc({.client = ClientId{9}});
  EXPECT_TRUE(doc.apply_update_v1(state));
  return doc.text("body").to_string();
}

struct RelayLife : testing::Test {
  explicit RelayLife(Limits limits = {}, const std::string& lineage = {}) : bench(limits, lineage) {
    bench.open(1);
    bench.frame(1, kAsk);
    bench.take(1);
  }
  void type(int letters) {
    for (int i = 0; i < letters; ++i) bench.frame(1, letter(typed++));
  }
  size_t documents() const { return bench.relay.statistics().documents; }

  RelayBench bench;
  int typed = 0;
};

// --- asking for a snapshot ------------------------------------------------------------------------------------------------

const std::string kSave = R"({"action":"save","doc":"body:ws1/notes/a.md"})";

TEST_F(RelayLife, WhoAsksGetsASnapshotOfEnoughRecordsAndNoSecondOne) {
  for (int i = 0; i < 31; ++i) {
    type(1);
    bench.text(1, kSave);
  }
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  type(1);
  bench.text(1, kSave);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  bench.text(1, kSave);
  type(1);
  bench.text(1, kSave);
  EXPECT_THAT(bench.snapshot_requests, SizeIs(1));
}

// A letter and a question, again and again, must not make the server write a large document each time.
TEST_F(RelayLife, ALargeDocumentIsNotWrittenForAFewRecordsBecauseSomebodyAsks) {
  bench.frame(1, typing(0, std::string(64 * 512, 'x')));
  typed = 64 * 512;
  type(62);
  bench.text(1, kSave);
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  type(3);
  bench.text(1, kSave);
  EXPECT_THAT(bench.snapshot_requests, SizeIs(1));
}

// --- unloading ----------------------------------------------------------------------------------------------------------

// The log has everything. A disk that takes no snapshots, as a full one, must not keep every document in memory that was
// ever written to, nor be asked again and again.
TEST_F(RelayLife, ADocumentWhoseSnapshotIsNotStoredLeavesAllTheSame) {
  type(40);
  bench.close(1);
  bench.pass_time(10'000);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  bench.handle(SnapshotNotStored{bench.snapshot_requests[0].ticket, StorageFailure::Full});
  EXPECT_EQ(documents(), 0u);
  bench.pass_time(60'000);
  EXPECT_THAT(bench.snapshot_requests, SizeIs(1));
}

TEST_F(RelayLife, ADocumentWhoseSnapshotIsStoredHasWaitedLongEnough) {
  type(40);
  bench.close(1);
  bench.pass_time(10'000);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  EXPECT_EQ(documents(), 1u);
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  EXPECT_EQ(documents(), 0u);
}

TEST_F(RelayLife, WhoComesWhileTheLastSnapshotIsStoredKeepsTheDocument) {
  type(40);
  bench.close(1);
  bench.pass_time(10'000);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  bench.open(2);
  bench.frame(2, kAsk);
  bench.take(2);
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  EXPECT_EQ(documents(), 1u);
  bench.frame(2, letter(40));
  EXPECT_THAT(bench.take(2), ElementsAre(saved(kBodyName, 1)));
  bench.close(2);
  bench.pass_time(10'000);
  EXPECT_EQ(documents(), 0u);
  EXPECT_THAT(bench.loads, IsEmpty());
}

TEST_F(RelayLife, AnEditOfTheServerWhileTheLastSnapshotIsStoredIsLookedAtNext) {
  type(40);
  bench.close(1);
  bench.pass_time(10'000);
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  bench.edit({.document = DocId(kBodyName),
              .seed = {},
              .texts = {{"body", "new"}},
              .entries = {},
              .user_id = {},
              .device_id = {}});
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  ASSERT_TRUE(bench.relay.state(DocId(kBodyName)));
  EXPECT_EQ(text_of(*bench.relay.state(DocId(kBodyName))), "new");
}

// Who asked for an edit looks at the document once it is stored: it must not have left in the same moment, however long the
// storage took and however full the memory is.
struct RelayFullMemory : RelayLife {
  RelayFullMemory() : RelayLife(Limits{.max_idle_bytes = 0}) { bench.close(1); }
};

TEST_F(RelayFullMemory, WhoWaitedForASlowStorageFindsTheDocument) {
  bench.commit_at_once = false;
  const DocId document(kBodyName);
  bench.edit(
      {.document = document, .seed = {}, .texts = {{"body", "text"}}, .entries = {}, .user_id = {}, .device_id = {}});
  bench.now = bench.now + DurationMs{9'000};
  bench.edit({.document = document,
              .seed = {},
              .texts = {},
              .entries = {},
              .user_id = {},
              .device_id = {}});  // only to read it
  bench.pass_time(5'000);
  bench.commit_one();
  ASSERT_THAT(bench.edits, SizeIs(2));
  EXPECT_TRUE(bench.edits[0].stored && bench.edits[1].stored);
  EXPECT_TRUE(bench.relay.state(document));
  bench.pass_time(10'000);
  EXPECT_EQ(documents(), 0u);
}

// --- compaction ---------------------------------------------------------------------------------------------------------

// Many writers on one document: while one commit is made the updates of the next one come, so that there is never a moment
// without appends in flight.
TEST(RelayCompaction, DoesNotWaitForAMomentInWhichNobodyWrites) {
  RelayBench bench({.compact_after_records = 100});
  bench.open(1);
  bench.frame(1, kAsk);
  bench.commit_at_once = false;
  for (int clock = 0; clock < 1'000; ++clock) {
    bench.frame(1, letter(clock));
    if (clock >= 3) bench.commit_one();
    // What is said to be covered is covered, and nothing that is not stored.
    for (const StoreSnapshot& snapshot : std::exchange(bench.snapshot_requests, {})) {
      EXPECT_EQ(text_of(*snapshot.state), std::string(snapshot.through.value(), 'a'));
      EXPECT_LE(snapshot.through, Sequence{bench.sequence});
      bench.snapshots[kBodyName] = *snapshot.state;
      bench.handle(SnapshotStored{snapshot.ticket});
    }
  }
  ASSERT_FALSE(bench.snapshots[kBodyName].empty());
  EXPECT_GE(text_of(bench.snapshots[kBodyName]).size(), 880u);
}

// Who types a letter into a book must not have the book written anew every few letters.
TEST(RelayCompaction, OfALargeDocumentWaitsForMoreRecords) {
  RelayBench bench({.compact_after_records = 10});
  bench.open(1);
  bench.frame(1, kAsk);
  constexpr size_t kBookBytes = 100'000;
  bench.frame(1, typing(0, std::string(kBookBytes, 'a')));
  for (size_t i = 0; i < kBookBytes / 512 - 2; ++i) bench.frame(1, letter(static_cast<int>(kBookBytes + i)));
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  for (size_t i = 0; i < kBookBytes / 512; ++i) {
    bench.frame(1, letter(static_cast<int>(kBookBytes + kBookBytes / 512 - 2 + i)));
  }
  EXPECT_THAT(bench.snapshot_requests, SizeIs(1));
}

TEST(RelayCompaction, KeepsWhatWaitsForItsBase) {
  RelayBench bench({.compact_after_records = 1});
  bench.open(1);
  bench.frame(1, kAsk);
  bench.frame(1, kB + "00 02 0f " + kHelp);  // its base, Hello, has not come
  ASSERT_THAT(bench.snapshot_requests, SizeIs(1));
  bench.snapshots[kBodyName] = *bench.snapshot_requests[0].state;
  bench.log[kBodyName].clear();
  bench.handle(SnapshotStored{bench.snapshot_requests[0].ticket});
  bench.close(1);
  bench.pass_time(10'000);
  ASSERT_EQ(bench.relay.statistics().documents, 0u);
  bench.open(2);
  bench.frame(2, kB + "00 02 12 " + kHello);
  EXPECT_EQ(text_of(*bench.relay.state(DocId(kBodyName))), "Help!");
}

TEST(RelayCompaction, OfWhatIsNotStoredInTheEndIsGivenUp) {
  RelayBench bench({.compact_after_records = 2});
  bench.open(1);
  bench.frame(1, kAsk);
  bench.commit_at_once = false;
  for (int clock = 0; clock < 5; ++clock) bench.frame(1, letter(clock));
  for (int i = 0; i < 4; ++i) bench.commit_one();
  bench.fail_one();
  EXPECT_THAT(bench.snapshot_requests, IsEmpty());
  EXPECT_TRUE(bench.relay.quiet());
}

// With little room left on the disk updates may be stored while the whole document cannot: it is not written out again for each.
TEST(RelayCompaction, IsNotTriedAgainWithEveryUpdate) {
  RelayBench bench({.compact_after_records = 100});
  bench.open(1);
  bench.frame(1, kAsk);
  for (int clock = 0; clock < 299; ++clock) {
    bench.frame(1, letter(clock));
    if (!bench.snapshot_requests.empty() && bench.relay.statistics().uncommitted == 0) {
      bench.handle(SnapshotNotStored{bench.snapshot_requests.back().ticket, StorageFailure::Full});
    }
  }
  EXPECT_THAT(bench.snapshot_requests, SizeIs(testing::AllOf(testing::Ge(2u), testing::Le(3u))));
}

// --- failures -----------------------------------------------------------------------------------------------------------

TEST_F(RelayLife, WhoWaitsForPermissionIsServedAfterAFailure) {
  bench.commit_at_once = false;
  type(1);
  bench.answer_authorize = false;
  bench.open(2);
  bench.frame(2, kAsk);
  bench.fail_one();
  EXPECT_THAT(bench.take(2), IsEmpty());
  bench.handle(Authorized{bench.authorizations.back().ticket, Access::ReadWrite});
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kAsk), hex(kB + "01 01 00"), hex(kB + "00 01 02 00 00")));
}

// Connection 1 follows the workspace and has no body open; 2 and 3 write.
struct RelayFollowersOfAFailure : testing::Test {
  RelayFollowersOfAFailure() : bench({}, "L") {
    for (const int one : {1, 2, 3}) bench.open(static_cast<uint64_t>(one), Handshake::Lean);
    bench.frame(1, kW + "00 00 01 00");
    bench.text(1, format_control(ChangesWanted{"ws1", ""}));
    for (const int one : {2, 3}) bench.frame(static_cast<uint64_t>(one), kAsk);
    for (const int one : {1, 2, 3}) bench.take(static_cast<uint64_t>(one));
    bench.commit_at_once = false;
    bench.frame(2, kB + "00 02 12 " + kHello);
    bench.frame(3, letter(0));
  }
  RelayBench bench;
};

// The second update is stored although the first is not, and the document that would have relayed it is gone: who follows
// comes back and is told that there is something.
TEST_F(RelayFollowersOfAFailure, ComeBackToo) {
  bench.fail_one();
  bench.commit_one();
  EXPECT_EQ(bench.closed[1], CloseCode::TryAgainLater);
}

TEST_F(RelayFollowersOfAFailure, AreNotGivenACursorForWhatTheyWereNotSent) {
  bench.answer_changes = false;
  bench.text(1, format_control(ChangesWanted{"ws1", ""}));
  bench.sequence = 1;  // the storage has stored the second, the relay has heard of neither
  bench.list_one();
  bench.sequence = 0;
  bench.fail_one();
  bench.commit_one();
  EXPECT_THAT(bench.take(1), Each(Not(HasSubstr("\"changes\""))));
}

// --- leaving and coming back --------------------------------------------------------------------------------------------

TEST(RelayComingBack, BeforePermissionIsGivenIsOneSeat) {
  RelayBench bench;
  bench.open(2);
  bench.frame(2, kAsk);
  bench.answer_authorize = false;
  bench.open(1);
  bench.frame(1, kAsk);
  bench.text(1, kLeave);
  bench.frame(1, kAsk);
  bench.handle(Authorized{bench.authorizations.back().ticket, Access::ReadWrite});
  EXPECT_EQ(bench.relay.members(DocId(kBodyName)), 2u);
  bench.take(1);
  bench.frame(2, letter(0));
  EXPECT_THAT(bench.take(1), SizeIs(1));
}

TEST(RelayComingBack, ToAWorkspaceBeforePermissionIsGivenIsOneSeat) {
  RelayBench bench;
  bench.answer_authorize = false;
  bench.open(1, Handshake::Full, "guest:1", true);
  const std::string ask = kW + "00 00 01 00";
  bench.frame(1, ask);
  bench.text(1, R"({"action":"leave","doc":"workspace:ws1"})");
  bench.frame(1, ask);
  bench.handle(Authorized{bench.authorizations.back().ticket, Access::ReadWrite});
  for (int i = 0; i < 3; ++i) bench.text(1, R"({"type":"FilesReady"})");
  EXPECT_EQ(bench.relay.members(DocId("workspace:ws1")), 1u);
}

// Receipts count from the opening: one for what was sent before it would confirm what was sent after it.
TEST_F(RelayLife, AReceiptIsForThePresentOpening) {
  bench.commit_at_once = false;
  type(2);
  bench.text(1, kLeave);
  bench.frame(1, kAsk);
  type(1);
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.commit_one();
  bench.commit_one();
  EXPECT_THAT(bench.take(1), Not(Contains(HasSubstr("saved"))));
  bench.commit_one();
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
}

// --- revoked and drained ------------------------------------------------------------------------------------------------

TEST(RelayRevoked, IsNotToldWhatChangedInAWorkspaceThatIsNoLongerTheirs) {
  RelayBench bench({}, "L");
  bench.open(1, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  bench.answer_changes = false;
  bench.text(1, format_control(ChangesWanted{"ws1", "L:0"}));
  bench.handle(AccessRevoked{"ws1", "user-1"});
  bench.take(1);
  bench.last_of[kBodyName] = bench.sequence = 1;
  bench.list_one();
  EXPECT_THAT(bench.take(1), IsEmpty());
}

TEST(RelayRevoked, IsNotToldItLaterEither) {
  RelayBench bench({}, "L");
  bench.open(1, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  bench.open(2, Handshake::Lean, "user-2");
  bench.frame(2, kAsk);
  bench.commit_at_once = false;
  bench.frame(2, letter(0));
  bench.text(1, format_control(ChangesWanted{"ws1", "L:0"}));  // held until that is stored
  bench.handle(AccessRevoked{"ws1", "user-1"});
  bench.take(1);
  bench.commit_one();
  EXPECT_THAT(bench.take(1), IsEmpty());
}

// Its upgrade was being answered when the signal came.
TEST_F(RelayLife, WhoComesWhileTheServerDrainsIsSentAwayAsTheOthers) {
  std::vector<Action> actions;
  bench.relay.drain(bench.now, actions);
  bench.open(2);
  EXPECT_EQ(bench.closed[2], CloseCode::GoingAway);
  bench.frame(2, letter(0));
  EXPECT_THAT(bench.appends, IsEmpty());
  EXPECT_THAT(bench.log[kBodyName], IsEmpty());
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

}  // namespace
}  // namespace diaryx::sync::relay
