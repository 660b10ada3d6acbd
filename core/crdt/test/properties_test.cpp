// What holds for every history: random edits by several documents, in plain C++ and with small seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "edit_anything.h"

namespace diaryx::crdt {
namespace {

struct History {
  std::vector<Bytes> updates;
  std::string text;
  Bytes state;
};

/// Three documents that hear of each other now and then; all updates, and where they end.
History random_history(uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<std::unique_ptr<Doc>> docs;
  std::vector<size_t> heard(3, 0);
  for (uint64_t i = 0; i < 3; ++i) docs.push_back(std::make_unique<Doc>(DocOptions{.client = ClientId{100 - i}}));
  History history;
  for (int step = 0; step < 120; ++step) {
    const size_t who = random() % 3;
    Doc& doc = *docs[who];
    if (random() % 4 == 0) {
      for (size_t& at = heard[who]; at < history.updates.size(); ++at) {
        EXPECT_TRUE(doc.apply_update_v1(history.updates[at]).has_value());
      }
      doc.check_invariants();
      continue;
    }
    Text text = doc.text("t");
    Transaction txn = doc.transact();
    const uint32_t length = text.length().value();
    const Utf16Offset at{length == 0 ? 0 : static_cast<uint32_t>(random() % (length + 1))};
    switch (random() % 4) {
      case 0:
        EXPECT_TRUE(text.erase(txn, at, Length{std::min<uint32_t>(random() % 5, length - at.value())}).has_value());
        break;
      case 1: doc.map("m").set(txn, std::string(1, static_cast<char>('a' + random() % 3)), Any::number(step)); break;
      default: EXPECT_TRUE(text.insert(txn, at, random() % 5 == 0 ? "x😀é" : "word ").has_value());
    }
    const Commit commit = std::move(txn).commit();
    if (commit.changed()) history.updates.push_back(commit.update_v1());
  }
  for (const Bytes& update : history.updates) EXPECT_TRUE(docs[0]->apply_update_v1(update).has_value());
  docs[0]->check_invariants();
  history.text = docs[0]->text("t").to_string();
  history.state = docs[0]->encode_update_v1();
  return history;
}

class Histories : public testing::TestWithParam<uint32_t> {};

TEST_P(Histories, EndEqualInEveryOrder) {
  History history = random_history(GetParam());
  std::mt19937 random(GetParam());
  for (int round = 0; round < 4; ++round) {
    std::shuffle(history.updates.begin(), history.updates.end(), random);
    Doc doc({.client = ClientId{7}});
    for (const Bytes& update : history.updates) {
      ASSERT_TRUE(doc.apply_update_v1(update).has_value());
      if (random() % 5 == 0) ASSERT_TRUE(doc.apply_update_v1(update).has_value());
      doc.check_invariants();
    }
    EXPECT_FALSE(doc.has_pending());
    EXPECT_EQ(doc.text("t").to_string(), history.text);
    EXPECT_EQ(doc.encode_update_v1(), history.state);
  }
}

TEST_P(Histories, MergeToWhatTheyAreOneByOne) {
  const History history = random_history(GetParam());
  const std::vector<ByteView> views(history.updates.begin(), history.updates.end());
  const auto merged = merge_updates_v1(views);
  ASSERT_TRUE(merged.has_value());
  Doc doc({.client = ClientId{7}});
  ASSERT_TRUE(doc.apply_update_v1(*merged).has_value());
  doc.check_invariants();
  EXPECT_EQ(doc.encode_update_v1(), history.state);
}

TEST_P(Histories, AreCompletedByADifference) {
  const History history = random_history(GetParam());
  Doc part({.client = ClientId{7}});
  for (size_t i = 0; i < history.updates.size() / 2; ++i) {
    ASSERT_TRUE(part.apply_update_v1(history.updates[i]).has_value());
  }
  const auto difference = diff_update_v1(history.state, part.state_vector());
  ASSERT_TRUE(difference.has_value());
  ASSERT_TRUE(part.apply_update_v1(*difference).has_value());
  part.check_invariants();
  EXPECT_EQ(part.encode_update_v1(), history.state);
}

TEST_P(Histories, SurviveBothEncodings) {
  const History history = random_history(GetParam());
  const auto v2 = convert_v1_to_v2(history.state);
  ASSERT_TRUE(v2.has_value());
  Doc doc({.client = ClientId{7}});
  ASSERT_TRUE(doc.apply_update_v2(*v2).has_value());
  doc.check_invariants();
  EXPECT_EQ(doc.encode_update_v1(), history.state);
  // Converted bytes may differ (the mark of a key on items with origins is lost, as in Yjs); what they say does not.
  Doc again({.client = ClientId{7}});
  ASSERT_TRUE(again.apply_update_v1(convert_v2_to_v1(doc.encode_update_v2()).value_or(Bytes{})).has_value());
  EXPECT_EQ(again.encode_update_v1(), history.state);
}

TEST_P(Histories, AreRefusedWholeWhenCutOrBent) {
  const History history = random_history(GetParam());
  std::mt19937 random(GetParam());
  for (int round = 0; round < 200; ++round) {
    Bytes bent = history.state;
    if (round % 2 == 0) bent.resize(random() % bent.size());
    if (!bent.empty()) bent[random() % bent.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    Doc doc({.client = ClientId{7}});
    const bool valid = validate_update_v1(bent).has_value();
    const auto commit = doc.apply_update_v1(bent);
    EXPECT_EQ(commit.has_value(), valid);
    if (!commit) EXPECT_TRUE(doc.is_empty() && !doc.has_pending());
    doc.check_invariants();
  }
}

TEST_P(Histories, AreTheSameTakenAsApplied) {
  std::mt19937 random(GetParam());
  Doc here({.client = ClientId{300}}), there({.client = ClientId{400}});
  std::vector<Bytes> updates;
  for (int step = 0; step < 900; ++step) {
    Doc& doc = random() % 2 == 0 ? here : there;
    Doc& other = &doc == &here ? there : here;
    Transaction txn = doc.transact();
    edit_anything(doc, txn, random, step);
    const Commit commit = std::move(txn).commit();
    if (commit.changed()) updates.push_back(commit.update_v1());
    if (random() % 10 == 0) ASSERT_TRUE(other.apply_update_v1(doc.encode_update_v1()).has_value());
  }
  // With the first updates missing, most of the others wait.
  const size_t first = random() % 2 == 0 ? 0 : 1 + random() % 30;
  const std::vector<ByteView> views(updates.begin() + static_cast<ptrdiff_t>(first), updates.end());
  const auto merged = merge_updates_v1(views);
  ASSERT_TRUE(merged.has_value());

  Doc applied({.client = ClientId{7}}), taken({.client = ClientId{7}});
  ASSERT_TRUE(applied.apply_update_v1(*merged).has_value());
  Bytes given = *merged;
  ASSERT_TRUE(taken.take_update_v1(std::move(given)).has_value());
  taken.check_invariants();
  ASSERT_EQ(taken.encode_update_v1(), applied.encode_update_v1());
  EXPECT_EQ(taken.has_pending(), applied.has_pending());
  for (size_t i = 0; i < first; ++i) {
    ASSERT_TRUE(applied.apply_update_v1(updates[i]).has_value());
    ASSERT_TRUE(taken.take_update_v1(updates[i]).has_value());
  }
  EXPECT_FALSE(taken.has_pending());
  for (int step = 0; step < 300; ++step) {
    const uint32_t seed = static_cast<uint32_t>(random());
    Bytes of_both[2];
    for (Doc* doc : {&applied, &taken}) {
      std::mt19937 same(seed);
      Transaction txn = doc->transact();
      edit_anything(*doc, txn, same, step);
      of_both[doc == &taken] = std::move(txn).commit().update_v1();
    }
    ASSERT_EQ(of_both[0], of_both[1]);
    if (step % 30 == 0) taken.check_invariants();
  }
  taken.check_invariants();
  EXPECT_EQ(taken.text("t").to_string(), applied.text("t").to_string());
  EXPECT_EQ(taken.encode_update_v2(), applied.encode_update_v2());
}

TEST_P(Histories, AreRefusedWholeWhenTaken) {
  std::mt19937 random(GetParam());
  Doc source({.client = ClientId{300}});
  for (int step = 0; step < 600; ++step) {
    Transaction txn = source.transact();
    edit_anything(source, txn, random, step);
  }
  const Bytes state = source.encode_update_v1();
  for (int round = 0; round < 100; ++round) {
    Bytes bent = state;
    if (round % 2 == 0) bent.resize(random() % bent.size());
    if (!bent.empty()) bent[random() % bent.size()] ^= static_cast<uint8_t>(1u << (random() % 8));
    Doc applied({.client = ClientId{7}}), taken({.client = ClientId{7}});
    const auto commit = applied.apply_update_v1(bent);
    EXPECT_EQ(taken.take_update_v1(std::move(bent)).has_value(), commit.has_value());
    taken.check_invariants();
    EXPECT_EQ(taken.encode_update_v1(), applied.encode_update_v1());
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, testing::Range(1u, 21u));

}  // namespace
}  // namespace diaryx::crdt
