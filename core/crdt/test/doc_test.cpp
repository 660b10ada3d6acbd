#include "diaryx/crdt/doc.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

Commit insert(Doc& doc, uint32_t at, std::string_view text) {
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{at}, text).has_value());
  return std::move(txn).commit();
}

TEST(Doc, EmitsTheBytesOfYjs) {
  Doc doc({.client = ClientId{1}});
  const Commit commit = insert(doc, 0, "hi");
  EXPECT_EQ(to_hex(commit.update_v1()), "010101000401017402686900");
  EXPECT_EQ(to_hex(doc.encode_update_v1()), "010101000401017402686900");
  EXPECT_TRUE(commit.touched("t"));
  EXPECT_FALSE(commit.touched("u"));
}

TEST(Doc, EmitsNothingWhenNothingChanged) {
  Doc doc({.client = ClientId{1}});
  const Commit commit = insert(doc, 0, "");
  EXPECT_FALSE(commit.changed());
  EXPECT_TRUE(commit.update_v1().empty());
}

TEST(Doc, MergesWhatIsTypedInARow) {
  Doc doc({.client = ClientId{1}});
  for (uint32_t i = 0; i < 1000; ++i) insert(doc, i, "x");
  EXPECT_EQ(doc.struct_count(), 1u);
  EXPECT_EQ(doc.text("t").length(), Length{1000});
  doc.check_invariants();
}

TEST(Doc, ConvergesWithAPeer) {
  Doc a({.client = ClientId{1}});
  Doc b({.client = ClientId{2}});
  insert(a, 0, "left ");
  insert(b, 0, "right ");
  ASSERT_TRUE(a.apply_update_v1(b.encode_update_v1()).has_value());
  ASSERT_TRUE(b.apply_update_v1(a.encode_update_v1()).has_value());
  EXPECT_EQ(a.text("t").to_string(), "left right ");
  EXPECT_EQ(b.text("t").to_string(), "left right ");
  EXPECT_EQ(a.encode_update_v1(), b.encode_update_v1());
}

TEST(Doc, NeverCutsACharacterInTwo) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "a😀b");
  insert(doc, 2, "x");
  EXPECT_EQ(doc.text("t").to_string(), "ax😀b");
  Transaction txn = doc.transact();
  ASSERT_TRUE(doc.text("t").erase(txn, Utf16Offset{3}, Length{1}).has_value());
  (void)std::move(txn).commit();
  EXPECT_EQ(doc.text("t").to_string(), "axb");
  doc.check_invariants();
}

TEST(Doc, ErasesUpToTheEnd) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "abc");
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").erase(txn, Utf16Offset{2}, Length{0xffffffffu}).has_value());
  EXPECT_EQ(doc.text("t").to_string(), "ab");
  EXPECT_TRUE(doc.text("t").erase(txn, Utf16Offset{7}, Length{1}).has_value());
  EXPECT_EQ(doc.text("t").to_string(), "ab");
}

TEST(Doc, NamesTheKeysOfRootMapsThatChanged) {
  Doc doc({.client = ClientId{1}});
  Map files = doc.map("files");
  Transaction first = doc.transact();
  files.set(first, "b.md", Any::string("{}"));
  Map inner = files.set_map(first, "a");
  const Commit one = std::move(first).commit();
  EXPECT_EQ(one.changed_keys("files"), (std::vector<std::string>{"b.md", "a"}));
  Transaction second = doc.transact();
  inner.set(second, "deep", Any::number(1));
  const Commit two = std::move(second).commit();
  EXPECT_TRUE(two.touched("files"));
  EXPECT_EQ(two.changed_keys("files"), std::vector<std::string>{"a"});
  doc.check_invariants();
}

TEST(Doc, NamesEachChangedKeyOnceWhateverComesBetween) {
  Doc doc({.client = ClientId{1}});
  Transaction first = doc.transact();
  Map outer = doc.map("files").set_map(first, "a");
  Map one = outer.set_map(first, "one");
  Map other = outer.set_map(first, "other");
  (void)std::move(first).commit();
  Transaction txn = doc.transact();
  EXPECT_TRUE(one.set(txn, "x", Any::number(1)).has_value());
  EXPECT_TRUE(doc.map("more").set(txn, "y", Any::number(1)).has_value());
  EXPECT_TRUE(other.set(txn, "x", Any::number(2)).has_value());
  EXPECT_TRUE(doc.map("more").set(txn, "y", Any::number(2)).has_value());
  const Commit commit = std::move(txn).commit();
  EXPECT_EQ(commit.changed_keys("files"), std::vector<std::string>{"a"});
  EXPECT_EQ(commit.changed_keys("more"), std::vector<std::string>{"y"});
  EXPECT_EQ(commit.touched_roots().size(), 2u);
}

TEST(Doc, TellsWhatWasDeletedByWriterInTheOrderOfTheFirst) {
  Doc a({.client = ClientId{7}});
  Doc b({.client = ClientId{3}});
  Text text = a.text("t");
  const auto put = [](Doc& doc, Doc& peer, uint32_t at, std::string_view letters) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{at}, letters).has_value());
    ASSERT_TRUE(peer.apply_update_v1(std::move(txn).commit().update_v1()).has_value());
  };
  put(a, b, 0, "ef");  // clocks 0 and 1 of writer 7
  put(a, b, 0, "cd");  // 2 and 3
  put(a, b, 0, "b");   // 4
  put(b, a, 2, "2");   // 0 of writer 3
  put(b, a, 0, "1");   // 1
  ASSERT_EQ(text.to_string(), "1bc2def");
  Transaction txn = a.transact();
  EXPECT_TRUE(text.erase(txn, Utf16Offset{5}, Length{1}).has_value());  // e
  EXPECT_TRUE(text.erase(txn, Utf16Offset{0}, Length{4}).has_value());
  const Commit commit = std::move(txn).commit();
  ASSERT_EQ(text.to_string(), "df");
  const auto clients = commit.deletions().clients();
  ASSERT_EQ(clients.size(), 2u);
  EXPECT_EQ(clients[0].client, ClientId{7});
  const std::vector<ClockRange> of_seven(clients[0].ranges.begin(), clients[0].ranges.end());
  EXPECT_EQ(of_seven, (std::vector<ClockRange>{{Clock{0}, Length{1}}, {Clock{2}, Length{1}}, {Clock{4}, Length{1}}}));
  EXPECT_EQ(clients[1].client, ClientId{3});
  ASSERT_EQ(clients[1].ranges.size(), 1u);
  EXPECT_EQ(clients[1].ranges[0], (ClockRange{Clock{0}, Length{2}}));
  a.check_invariants();
}

TEST(Doc, ReadsALongHistoryThatV2SaysInAFewBytes) {
  Doc doc({.client = ClientId{1}, .emit = Emit::Nothing});
  for (int i = 0; i < 50'000; ++i) {
    Transaction txn = doc.transact();
    EXPECT_TRUE(doc.map("m").set(txn, "k", Any::number(i % 2)).has_value());
    EXPECT_TRUE(doc.map("m").set(txn, "l", Any::number(1)).has_value());
  }
  const Bytes update = doc.encode_update_v2();
  EXPECT_LT(update.size(), 100u);
  Doc peer({.client = ClientId{2}});
  EXPECT_TRUE(peer.apply_update_v2(update).has_value());
  EXPECT_EQ(peer.encode_update_v2(), update);
}

TEST(Doc, KnowsWhetherAValueWasReplacedKnowingly) {
  Doc a({.client = ClientId{1}});
  Doc b({.client = ClientId{2}});
  const auto set = [](Doc& doc, std::string_view value) {
    Transaction txn = doc.transact();
    doc.map("m").set(txn, "k", Any::string(std::string(value)));
    (void)std::move(txn).commit();
  };
  set(a, "first");
  const Id first = *a.map("m").current_id("k");
  set(a, "second");
  const Id second = *a.map("m").current_id("k");
  EXPECT_TRUE(a.map("m").replaced_knowingly("k", first));
  EXPECT_FALSE(a.map("m").replaced_knowingly("k", second));
  set(b, "concurrent");
  const Id concurrent = *b.map("m").current_id("k");
  ASSERT_TRUE(a.apply_update_v1(b.encode_update_v1()).has_value());
  EXPECT_EQ(a.map("m").get_string("k"), "concurrent");
  EXPECT_EQ(a.map("m").current_id("k"), concurrent);
  // By "second", though "concurrent" holds, whose writer knew of neither.
  EXPECT_TRUE(a.map("m").replaced_knowingly("k", first));
  EXPECT_FALSE(a.map("m").replaced_knowingly("k", second));
  EXPECT_FALSE(a.map("m").replaced_knowingly("k", concurrent));
  a.check_invariants();
}

TEST(Doc, KeepsWhatWaitsForItsBase) {
  Doc a({.client = ClientId{1}});
  const Bytes one = insert(a, 0, "one ").update_v1();
  const Bytes two = insert(a, 4, "two").update_v1();
  Doc b({.client = ClientId{2}});
  ASSERT_TRUE(b.apply_update_v1(two).has_value());
  EXPECT_TRUE(b.has_pending());
  EXPECT_TRUE(b.is_empty());
  const auto commit = b.apply_update_v1(one);
  ASSERT_TRUE(commit.has_value());
  EXPECT_FALSE(b.has_pending());
  EXPECT_EQ(b.text("t").to_string(), "one two");
  EXPECT_EQ(commit->update_v1(), a.encode_update_v1());
}

TEST(Doc, DoesNotJoinStructsBeforeAnotherOneNamesTheirBoundary) {
  // "d" has "c" as origin and as right origin. Yjs joins structs at the end of a transaction: in one update "c" is an item of its
  // own and "d" comes behind it; after three updates "abc" is one item, which the right origin cuts before "d" is put behind "ab".
  Doc at_once({.client = ClientId{9}});
  ASSERT_TRUE(
      at_once.apply_update_v1(from_hex("01030100040101740261628401010163c401020102016400").value()).has_value());
  EXPECT_EQ(at_once.text("t").to_string(), "abcd");
  Doc in_turn({.client = ClientId{9}});
  for (const std::string_view update :
       {"010101000401017402616200", "01010102840101016300", "01010103c401020102016400"}) {
    ASSERT_TRUE(in_turn.apply_update_v1(from_hex(update).value()).has_value());
  }
  EXPECT_EQ(in_turn.text("t").to_string(), "abdc");
}

TEST(Doc, TakesInWhatWaitsForSomethingThatWaitsItself) {
  // Found by the fuzzer of three peers. "jj" waits for "l", "h" for the seedling, and the seedling for "jj": Yjs, which remembers
  // only that "h" lacks something, never looks at "jj" again.
  const std::string_view kUpdates[] = {
      "01012101840b00026a6a00",  // "jj" of client 33 after "l"
      "01010b03440b00016800",  // "h" of client 11
      "010121002801036d6170016d01770332313500",  // the first operation of client 33
      "01010b00040104626f6479016c00",  // "l" of client 11
      "01010b01c42101210204f09f8cb100",  // the seedling of client 11, between the two j
  };
  Doc doc({.client = ClientId{1}});
  Doc as_yjs({.client = ClientId{1}, .waiting = WaitingUpdates::AsYjs});
  for (const std::string_view update : kUpdates) {
    ASSERT_TRUE(doc.apply_update_v1(from_hex(update).value()).has_value());
    ASSERT_TRUE(as_yjs.apply_update_v1(from_hex(update).value()).has_value());
  }
  EXPECT_FALSE(doc.has_pending());
  EXPECT_EQ(doc.text("body").to_string(), "hlj\xF0\x9F\x8C\xB1j");
  doc.check_invariants();
  EXPECT_TRUE(as_yjs.has_pending());
  as_yjs.check_invariants();
}

TEST(Doc, NoticesThatItsClientIdIsTaken) {
  Doc a({.client = ClientId{1}});
  Doc b({.client = ClientId{1}});
  insert(a, 0, "x");
  EXPECT_FALSE(b.client_is_taken());
  ASSERT_TRUE(b.apply_update_v1(a.encode_update_v1()).has_value());
  EXPECT_TRUE(b.client_is_taken());
  b.set_client(ClientId{2});
  EXPECT_FALSE(b.client_is_taken());
}

TEST(Doc, CostsLittleWhenItIsSmall) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, std::string(1024, 'x'));
  EXPECT_LE(doc.memory_bytes(), 4096u + 1024u);
}

TEST(Doc, KeepsWhatASplitLeftBehindInAMapThatIsDeleted) {
  // A map in the root `a` with the entry `k`; a stranger puts text behind that entry, of which the second unit is deleted.
  const Bytes made = {2,   1, 2,    0, 0x84, 1, 1, 4,   'a', 'b',  'c', 'd', 2, 1, 0, 7, 1, 1,
                      'a', 1, 0x28, 0, 1,    0, 1, 'k', 1,   0x77, 1,   'v', 1, 2, 1, 1, 1};
  const Bytes map_deleted = {0, 1, 1, 1, 0, 1};
  for (const Gc gc : {Gc::Enabled, Gc::Disabled}) {
    Doc doc({.client = ClientId{9}, .gc = gc});
    ASSERT_TRUE(doc.apply_update_v1(made).has_value());
    doc.check_invariants();
    ASSERT_TRUE(doc.apply_update_v1(map_deleted).has_value());
    doc.check_invariants();
    EXPECT_EQ(doc.array("a").size(), 0u);
    Doc copy({.client = ClientId{8}, .gc = gc});
    ASSERT_TRUE(copy.apply_update_v1(doc.encode_update_v1()).has_value());
    copy.check_invariants();
  }
}

TEST(Doc, MergesOnLoadingWhatLiesInARowAndOnlyThat) {
  Doc writer({.client = ClientId{1}, .emit = Emit::Updates});
  std::vector<Bytes> updates;
  const auto type = [&](uint32_t at) { updates.push_back(insert(writer, at, "x").update_v1()); };
  // Two halves typed in a row; then a letter goes between the halves, and some of each is deleted.
  for (uint32_t i = 0; i < 400; ++i) type(i);
  type(200);
  {
    Transaction txn = writer.transact();
    ASSERT_TRUE(writer.text("t").erase(txn, Utf16Offset{190}, Length{20}).has_value());
    updates.push_back(std::move(txn).commit().update_v1());
  }
  const std::vector<ByteView> views(updates.begin(), updates.end());
  const Result<Bytes> all = merge_updates_v1(views);
  ASSERT_TRUE(all.has_value());
  Doc reader({.client = ClientId{2}});
  ASSERT_TRUE(reader.apply_update_v1(*all).has_value());
  reader.check_invariants();
  // Live, deleted, the deleted letter between, deleted, live.
  EXPECT_EQ(reader.struct_count(), 5u);
  EXPECT_EQ(reader.encode_update_v1(), writer.encode_update_v1());
  // Once more: all structs are known, all deletions too.
  ASSERT_TRUE(reader.apply_update_v1(writer.encode_update_v1()).has_value());
  EXPECT_EQ(reader.encode_update_v1(), writer.encode_update_v1());
}

}  // namespace
}  // namespace diaryx::crdt
