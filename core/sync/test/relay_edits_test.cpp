// The server's own edits: smallest changes, stored like those of a client, and answered.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

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

}  // namespace
}  // namespace diaryx::sync::relay
