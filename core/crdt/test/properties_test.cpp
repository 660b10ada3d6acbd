// What holds for every history: random edits by several documents, in plain C++ and with small seeds.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

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

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, testing::Range(1u, 21u));

}  // namespace
}  // namespace diaryx::crdt
