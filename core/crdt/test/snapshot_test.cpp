#include "diaryx/crdt/snapshot.h"

#include <gtest/gtest.h>

#include <random>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

void insert(Doc& doc, uint32_t at, std::string_view text) {
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{at}, text).has_value());
}

void erase(Doc& doc, uint32_t at, uint32_t length) {
  Transaction txn = doc.transact();
  EXPECT_TRUE(doc.text("t").erase(txn, Utf16Offset{at}, Length{length}).has_value());
}

/// `he[added o]`, embeds as `<value>`.
std::string drawn(const std::vector<TextRun>& runs) {
  std::string result;
  for (const TextRun& run : runs) {
    std::string label;
    for (const Any::Member& attribute : run.attributes) {
      if (!label.empty()) label += ' ';
      const Any* type = attribute.value.find("type");
      label += attribute.key == "ychange" && type != nullptr ? *type->as_string() : attribute.key;
      if (const Any* user = attribute.value.find("user")) label += "/" + user->to_json();
    }
    const std::string content = run.is_text() ? run.text : "<" + run.embed.to_json() + ">";
    result += label.empty() ? content : "[" + label + " " + content + "]";
    result += '|';
  }
  return result;
}

Doc historic_doc(uint64_t client) { return Doc({.client = ClientId{client}, .gc = Gc::Disabled}); }

TEST(Snapshot, ShowsTheTextAsItWas) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "hello");
  const Snapshot first = snapshot_of(doc);
  insert(doc, 5, " world");
  erase(doc, 1, 3);
  const Snapshot second = snapshot_of(doc);
  insert(doc, 0, "!");
  EXPECT_EQ(drawn(text_at(doc.text("t"), first)), "hello|");
  EXPECT_EQ(drawn(text_at(doc.text("t"), second)), "ho world|");
  EXPECT_EQ(drawn(text_at(doc.text("t"), Snapshot{})), "");
  EXPECT_EQ(drawn(text_at(doc.text("t"), snapshot_of(doc))), "!ho world|");
}

TEST(Snapshot, NamesWhatWasAddedAndRemoved) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "hello");
  const Snapshot first = snapshot_of(doc);
  insert(doc, 5, " world");
  erase(doc, 1, 3);
  const Snapshot second = snapshot_of(doc);
  const Text text = doc.text("t");
  EXPECT_EQ(drawn(text_between(text, first, second)), "h|[removed ell]|o|[added  world]|");
  EXPECT_EQ(drawn(text_between(text, second, first)), "h|[added ell]|o|[removed  world]|");
}

TEST(Snapshot, JoinsRunsOfOneClientOnlyWhenLabelledByClient) {
  Doc mine = historic_doc(1);
  Doc theirs = historic_doc(2);
  insert(mine, 0, "a");
  insert(mine, 0, "b");
  ASSERT_TRUE(theirs.apply_update_v1(mine.encode_update_v1()).has_value());
  insert(theirs, 2, "c");
  ASSERT_TRUE(mine.apply_update_v1(theirs.encode_update_v1()).has_value());
  EXPECT_EQ(drawn(text_between(mine.text("t"), {}, snapshot_of(mine))), "[added b]|[added a]|[added c]|");
  EXPECT_EQ(drawn(text_between(mine.text("t"), {}, snapshot_of(mine), ChangeLabel::TypeAndClient)),
            "[added/1 ba]|[added/2 c]|");
}

TEST(Snapshot, ShowsMarksAndEmbedsOfItsTime) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "abc");
  {
    Transaction txn = doc.transact();
    Text text = doc.text("t");
    ASSERT_TRUE(text.format(txn, Utf16Offset{1}, Length{1}, {{"bold", Any::boolean(true)}}).has_value());
    ASSERT_TRUE(text.insert_embed(txn, Utf16Offset{3}, Any::number(7)).has_value());
  }
  const Snapshot marked = snapshot_of(doc);
  {
    Transaction txn = doc.transact();
    Text text = doc.text("t");
    ASSERT_TRUE(text.format(txn, Utf16Offset{0}, Length{3}, {{"bold", Any::null()}}).has_value());
    ASSERT_TRUE(text.erase(txn, Utf16Offset{3}, Length{1}).has_value());
  }
  EXPECT_EQ(drawn(doc.text("t").runs()), "abc|");
  EXPECT_EQ(drawn(text_at(doc.text("t"), marked)), "a|[bold b]|c|<7>|");
}

// A border inside a character can only come from a stranger's snapshot.
TEST(Snapshot, CutsTheAnswerAndNotTheDocument) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "a🌱b🌱c");
  const Bytes before = doc.encode_update_v1();
  Snapshot inside = snapshot_of(doc);
  inside.state.set(ClientId{1}, Clock{5});
  inside.deletes.add(ClientId{1}, Clock{1}, Length{1});
  EXPECT_EQ(drawn(text_at(doc.text("t"), inside)),
            "a\xef\xbf\xbd"
            "b\xef\xbf\xbd|");
  EXPECT_EQ(drawn(text_between(doc.text("t"), inside, snapshot_of(doc))),
            "a|[added \xef\xbf\xbd]|\xef\xbf\xbd"
            "b\xef\xbf\xbd|[added \xef\xbf\xbd"
            "c]|");
  const auto old = doc_from_snapshot(doc, inside, {.client = ClientId{2}});
  ASSERT_TRUE(old.has_value());
  old->check_invariants();
  EXPECT_EQ(doc.struct_count(), 1u);
  EXPECT_EQ(doc.text("t").to_string(), "a🌱b🌱c");
  EXPECT_EQ(doc.encode_update_v1(), before);
}

TEST(Snapshot, ShowsMapsAndArraysAsTheyWere) {
  Doc doc = historic_doc(1);
  Map map = doc.map("m");
  Array array = doc.array("a");
  const std::vector<Any> values = {Any::number(1), Any::string("two"), Any::boolean(true)};
  {
    Transaction txn = doc.transact();
    map.set(txn, "k", Any::string("old"));
    map.set(txn, "gone", Any::number(5));
    ASSERT_TRUE(array.push(txn, values).has_value());
  }
  const Snapshot then = snapshot_of(doc);
  {
    Transaction txn = doc.transact();
    map.set(txn, "k", Any::string("new"));
    map.set(txn, "more", Any::number(1));
    map.erase(txn, "gone");
    ASSERT_TRUE(array.erase(txn, 1).has_value());
    ASSERT_TRUE(array.push(txn, Any::bytes({1, 2})).has_value());
  }
  EXPECT_EQ(*value_at(map, "k", then), Any::string("old"));
  EXPECT_FALSE(value_at(map, "more", then).has_value());
  EXPECT_FALSE(value_at(map, "unheard of", then).has_value());
  EXPECT_FALSE(value_at(map, "gone", snapshot_of(doc)).has_value());
  EXPECT_EQ(*value_at(map, "k", snapshot_of(doc)), Any::string("new"));
  const auto entries = entries_at(map, then);
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].first, "k");
  EXPECT_EQ(entries[1].second, Any::number(5));
  EXPECT_EQ(values_at(array, then), values);
  EXPECT_EQ(values_at(array, snapshot_of(doc)),
            (std::vector<Any>{Any::number(1), Any::boolean(true), Any::bytes({1, 2})}));
  // Each value of an item counts for itself.
  Snapshot two = then;
  two.state.set(ClientId{1}, Clock{4});
  EXPECT_EQ(values_at(array, two), (std::vector<Any>{Any::number(1), Any::string("two")}));
}

TEST(Snapshot, MakesADocumentThatGoesOnAndMergesBack) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "one two three");
  const Snapshot then = snapshot_of(doc);
  erase(doc, 3, 4);
  insert(doc, 3, " and");
  auto old = doc_from_snapshot(doc, then, {.client = ClientId{2}});
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->text("t").to_string(), "one two three");
  EXPECT_EQ(old->client(), ClientId{2});
  insert(*old, 13, "!");
  ASSERT_TRUE(doc.apply_update_v1(old->encode_update_v1()).has_value());
  EXPECT_EQ(doc.text("t").to_string(), "one and three!");
  ASSERT_TRUE(old->apply_update_v1(doc.encode_update_v1()).has_value());
  EXPECT_EQ(old->text("t").to_string(), "one and three!");
  old->check_invariants();
}

TEST(Snapshot, OfADocumentThatCollectsIsRefused) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "a");
  const auto old = doc_from_snapshot(doc, snapshot_of(doc), {.client = ClientId{2}});
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().code, ErrorCode::HistoryCollected);
}

TEST(Snapshot, OfAnotherDocumentIsRefused) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "a");
  Snapshot newer = snapshot_of(doc);
  newer.state.set(ClientId{1}, Clock{2});
  EXPECT_EQ(doc_from_snapshot(doc, newer, {.client = ClientId{2}}).error().code, ErrorCode::NotFound);
  newer = snapshot_of(doc);
  newer.state.set(ClientId{3}, Clock{1});
  EXPECT_EQ(doc_from_snapshot(doc, newer, {.client = ClientId{2}}).error().code, ErrorCode::NotFound);
}

TEST(Snapshot, KnowsWhichUpdatesAreNoNews) {
  Doc doc = historic_doc(1);
  insert(doc, 0, "abc");
  const Snapshot first = snapshot_of(doc);
  const Bytes old_update = doc.encode_update_v1();
  erase(doc, 1, 1);
  const Bytes deletion = doc.encode_update_v1();
  EXPECT_TRUE(*snapshot_contains_v1(first, old_update));
  EXPECT_FALSE(*snapshot_contains_v1(first, deletion));
  EXPECT_TRUE(*snapshot_contains_v1(snapshot_of(doc), deletion));
  EXPECT_TRUE(*snapshot_contains_v2(snapshot_of(doc), doc.encode_update_v2()));
  EXPECT_FALSE(*snapshot_contains_v2({}, doc.encode_update_v2()));
  EXPECT_TRUE(*snapshot_contains_v1({}, Bytes{0, 0}));
  EXPECT_FALSE(snapshot_contains_v1({}, Bytes{0}).has_value());
  EXPECT_FALSE(*snapshot_contains_v1({}, *from_hex("010101000a0300")));  // three units that are not there
}

class SnapshotHistories : public testing::TestWithParam<uint32_t> {};

/// Two writers, a snapshot after each step: each must give back exactly what the document was then.
TEST_P(SnapshotHistories, AreShownAsTheyWere) {
  std::mt19937 random(GetParam());
  Doc docs[2] = {historic_doc(1), historic_doc(2)};
  struct Moment {
    Snapshot snapshot;
    std::string text;
    Bytes state;
  };
  std::vector<Moment> moments;
  for (int step = 0; step < 60; ++step) {
    Doc& doc = docs[random() % 2];
    const uint32_t length = doc.text("t").length().value();
    const auto at = static_cast<uint32_t>(random() % (length + 1));
    switch (random() % 5) {
      case 0: erase(doc, at, std::min<uint32_t>(random() % 4, length - at)); break;
      case 1: insert(doc, at, "é🌱"); break;
      case 2: {
        Transaction txn = doc.transact();
        ASSERT_TRUE(doc.text("t")
                        .format(txn, Utf16Offset{at}, Length{std::min<uint32_t>(2, length - at)},
                                {{"bold", random() % 2 == 0 ? Any::boolean(true) : Any::null()}})
                        .has_value());
        break;
      }
      default: insert(doc, at, "word");
    }
    if (random() % 3 == 0) {
      ASSERT_TRUE(docs[0].apply_update_v1(docs[1].encode_update_v1()).has_value());
      ASSERT_TRUE(docs[1].apply_update_v1(docs[0].encode_update_v1()).has_value());
    }
    moments.push_back({snapshot_of(docs[0]), drawn(docs[0].text("t").runs()), docs[0].encode_update_v1()});
  }
  const Bytes before = docs[0].encode_update_v1();
  const size_t structs = docs[0].struct_count();
  for (const Moment& moment : moments) {
    EXPECT_EQ(drawn(text_at(docs[0].text("t"), moment.snapshot)), moment.text);
    auto old = doc_from_snapshot(docs[0], moment.snapshot, {.client = ClientId{3}, .gc = Gc::Disabled});
    ASSERT_TRUE(old.has_value());
    old->check_invariants();
    EXPECT_TRUE(snapshot_of(*old) == moment.snapshot);
    EXPECT_EQ(drawn(old->text("t").runs()), moment.text);
    // What the two snapshots share, and what each has alone, is what the comparison shows.
    std::string now;
    std::string then;
    const Snapshot end = snapshot_of(docs[0]);
    for (const TextRun& run : text_between(docs[0].text("t"), moment.snapshot, end)) {
      const Any label = [&] {
        for (const Any::Member& one : run.attributes) {
          if (one.key == "ychange") return *one.value.find("type");
        }
        return Any{};
      }();
      if (label != Any::string("removed")) now += run.text;
      if (label != Any::string("added")) then += run.text;
    }
    EXPECT_EQ(now, docs[0].text("t").to_string());
    EXPECT_EQ(then, old->text("t").to_string());
    EXPECT_TRUE(*Snapshot::decode_v1(moment.snapshot.encode_v1()) == moment.snapshot);
    EXPECT_TRUE(*Snapshot::decode_v2(moment.snapshot.encode_v2()) == moment.snapshot);
    EXPECT_TRUE(*snapshot_contains_v1(moment.snapshot, moment.state));
  }
  EXPECT_EQ(docs[0].encode_update_v1(), before);
  EXPECT_EQ(docs[0].struct_count(), structs);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SnapshotHistories, testing::Range(1u, 9u));

}  // namespace
}  // namespace diaryx::crdt
