// The event of an update that came in whole is a copy of it. It has to be what writing it anew would give.
#include <gtest/gtest.h>

#include <algorithm>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "edit_anything.h"

namespace diaryx::crdt {
namespace {

Bytes merged(std::span<const ByteView> updates) {
  const auto all = merge_updates_v1(updates);
  EXPECT_TRUE(all.has_value());
  return all.value_or(Bytes{});
}

/// Applies `update` to documents that know `known`: to two that may pass it on, and to one in which something waits (a deletion of what
/// nobody wrote), which writes its events anew.
void expect_same_event(const Bytes& known, const Bytes& update) {
  Doc passes({.client = ClientId{7}}), takes({.client = ClientId{7}}), writes({.client = ClientId{7}});
  ASSERT_TRUE(writes.apply_update_v1(Bytes{0, 1, 0x7b, 1, 0, 1}).has_value());
  ASSERT_TRUE(writes.has_pending());
  for (Doc* doc : {&passes, &takes, &writes}) {
    if (!known.empty()) ASSERT_TRUE(doc->apply_update_v1(known).has_value());
  }
  const auto passed = passes.apply_update_v1(update);
  const auto taken = takes.take_update_v1(update);
  const auto written = writes.apply_update_v1(update);
  ASSERT_EQ(passed.has_value(), written.has_value());
  ASSERT_EQ(taken.has_value(), written.has_value());
  if (!written) return;
  EXPECT_EQ(passed->update_v1(), written->update_v1());
  EXPECT_EQ(taken->update_v1(), written->update_v1());
  passes.check_invariants();
  takes.check_invariants();
}

constexpr int kMany = 20;

void set_keys(Doc& doc, Map map, std::string_view prefix) {
  Transaction txn = doc.transact();
  for (int n = 0; n < kMany; ++n) map.set(txn, std::string(prefix) + std::to_string(n), Any::number(n));
}

Bytes state_with_keys(uint64_t client, std::string_view prefix) {
  Doc doc({.client = ClientId{client}});
  set_keys(doc, doc.map("m"), prefix);
  return doc.encode_update_v1();
}

class PassedOnHistory : public testing::TestWithParam<uint32_t> {};

TEST_P(PassedOnHistory, IsWhatWouldBeWritten) {
  std::mt19937 random(GetParam());
  const Gc gc = random() % 2 == 0 ? Gc::Enabled : Gc::Disabled;
  Doc source({.client = ClientId{300}, .gc = gc}), other({.client = ClientId{400}, .gc = gc});
  Bytes half;
  for (int step = 0; step < 300; ++step) {
    Doc& doc = random() % 2 == 0 ? source : other;
    Transaction txn = doc.transact();
    edit_anything(doc, txn, random, step);
    (void)std::move(txn).commit();
    if (random() % 30 == 0) ASSERT_TRUE(source.apply_update_v1(other.encode_update_v1()).has_value());
    if (step == 150) half = source.encode_update_v1();
  }
  const Bytes state = source.encode_update_v1();
  expect_same_event({}, state);
  expect_same_event(half, state);
  for (int round = 0; round < 100; ++round) {
    Bytes bent = state;
    bent[random() % bent.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    expect_same_event(round % 4 == 0 ? half : Bytes{}, bent);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, PassedOnHistory, testing::Range(1u, 21u));

TEST(PassedOn, IsTheMemoryThatCame) {
  const Bytes state = state_with_keys(3, "key ");
  Bytes given = state;
  const uint8_t* const memory = given.data();
  Doc doc({.client = ClientId{7}});
  const auto commit = doc.take_update_v1(std::move(given));
  ASSERT_TRUE(commit.has_value());
  EXPECT_EQ(commit->update_v1().data(), memory);
  EXPECT_EQ(commit->update_v1(), state);
}

TEST(PassedOn, LeavesOutWhatWasKnown) {
  const Bytes known = state_with_keys(3, "a"), more = state_with_keys(4, "b");
  const ByteView both[] = {known, more};
  expect_same_event(known, merged(both));
}

TEST(PassedOn, LeavesOutThePartOfAStructThatWasKnown) {
  Doc doc({.client = ClientId{3}});
  const auto type = [&doc](std::string_view text) {
    Transaction txn = doc.transact();
    EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{doc.text("t").length().value()}, text).has_value());
  };
  type("known");
  const Bytes known = doc.encode_update_v1();
  // Somebody else wrote behind what is known, so that the rest does not become one struct with it.
  Doc between({.client = ClientId{2}});
  ASSERT_TRUE(between.apply_update_v1(known).has_value());
  {
    Transaction txn = between.transact();
    ASSERT_TRUE(between.text("t").insert(txn, Utf16Offset{5}, "!").has_value());
  }
  type(" and new");
  const Bytes state = doc.encode_update_v1(), more = state_with_keys(4, "b");
  const ByteView both[] = {state, more};
  expect_same_event(known, merged(both));
  expect_same_event(between.encode_update_v1(), merged(both));
}

TEST(PassedOn, IsWrittenAnewIfASubdocumentHasOptionsThatYjsDoesNotWrite) {
  Doc doc({.client = ClientId{3}});
  {
    Transaction txn = doc.transact();
    for (int n = 0; n < kMany; ++n) doc.map("m").set_map(txn, std::to_string(n));
    const NewValue subdocument = NewSubdocument{.guid = "guid", .gc = false};
    ASSERT_TRUE(doc.map("m").set(txn, "sub", subdocument).has_value());
  }
  Bytes state = doc.encode_update_v1();
  expect_same_event({}, state);
  // `gc` that is on is the default.
  const Bytes off = {2, 'g', 'c', 121}, on = {2, 'g', 'c', 120};
  const auto found = std::ranges::search(state, off);
  ASSERT_FALSE(found.empty());
  std::ranges::copy(on, found.begin());
  expect_same_event({}, state);
}

TEST(PassedOn, IsWrittenAnewIfItDeletesWhatItBrings) {
  Doc doc({.client = ClientId{3}, .gc = Gc::Disabled});
  for (uint32_t n = 0; n < kMany; ++n) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{n / 2}, "x").has_value());
  }
  {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.text("t").erase(txn, Utf16Offset{7}, Length{1}).has_value());
  }
  expect_same_event({}, doc.encode_update_v1());
}

TEST(PassedOn, IsWrittenAnewIfANumberHasMoreBytesThanItNeeds) {
  Doc doc({.client = ClientId{3}});
  {
    Transaction txn = doc.transact();
    for (int n = 0; n < kMany; ++n) doc.map("m").set_map(txn, std::to_string(n));
  }
  Bytes padded = doc.encode_update_v1();
  ASSERT_EQ(padded[0], 1);  // one client
  padded[0] = 0x81;
  padded.insert(padded.begin() + 1, 0);
  expect_same_event({}, padded);
}

TEST(PassedOn, IsWrittenAnewIfWhatIsInsideIsCollected) {
  Doc first({.client = ClientId{3}});
  {
    Transaction txn = first.transact();
    first.map("m").set_map(txn, "inner");
  }
  const Bytes known = first.encode_update_v1();
  Doc second({.client = ClientId{4}});
  ASSERT_TRUE(second.apply_update_v1(known).has_value());
  // One fills it, with something else in between, and empties it again; the other puts something in its place.
  for (int n = 0; n < kMany; ++n) {
    Transaction txn = second.transact();
    second.map("m").get_map("inner")->set(txn, "k", Any::number(n));
    second.map("n").set(txn, std::to_string(n), Any::number(n));
  }
  {
    Transaction txn = second.transact();
    second.map("m").get_map("inner")->erase(txn, "k");
  }
  {
    Transaction txn = first.transact();
    first.map("m").set(txn, "inner", Any::number(1));
  }
  // Whoever collects nothing still has it as it was made.
  Doc keeper({.client = ClientId{9}, .gc = Gc::Disabled});
  for (const Bytes& state : {second.encode_update_v1(), first.encode_update_v1()}) {
    ASSERT_TRUE(keeper.apply_update_v1(state).has_value());
  }
  Doc knows({.client = ClientId{7}});
  ASSERT_TRUE(knows.apply_update_v1(known).has_value());
  expect_same_event(known, keeper.encode_update_v1(knows.state_vector()));
}

}  // namespace
}  // namespace diaryx::crdt
