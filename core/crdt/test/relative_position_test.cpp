#include "diaryx/crdt/relative_position.h"

#include <gtest/gtest.h>

#include <random>

#include "diaryx/base/base64.h"
#include "diaryx/base/utf.h"
#include "diaryx/crdt/doc.h"

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

std::optional<uint32_t> index_of(Doc& doc, const RelativePosition& position) {
  const auto place = resolve(doc, position);
  return place ? std::optional<uint32_t>(place->index) : std::nullopt;
}

RelativePosition at(Doc& doc, uint32_t index, Side side) {
  return relative_position(doc.text("t"), Utf16Offset{index}, side);
}

TEST(RelativePosition, LetsTextInsertedThereGoToTheOtherSide) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "ab");
  const RelativePosition left = at(doc, 1, Side::Left);
  const RelativePosition right = at(doc, 1, Side::Right);
  insert(doc, 1, "xyz");
  EXPECT_EQ(index_of(doc, left), 1u);
  EXPECT_EQ(index_of(doc, right), 4u);
}

TEST(RelativePosition, HoldsOnToTheEndsOfTheType) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "ab");
  const RelativePosition front = at(doc, 0, Side::Left);
  const RelativePosition end = at(doc, 2, Side::Right);
  EXPECT_FALSE(front.item.has_value() || end.item.has_value());
  insert(doc, 2, "c");
  insert(doc, 0, "__");
  EXPECT_EQ(index_of(doc, front), 0u);
  EXPECT_EQ(index_of(doc, end), 5u);
}

TEST(RelativePosition, BeyondTheEndIsTheEnd) {
  Doc doc({.client = ClientId{1}});
  EXPECT_FALSE(at(doc, 7, Side::Left).item.has_value());  // nothing to hold on to
  insert(doc, 0, "abc");
  erase(doc, 2, 1);
  EXPECT_FALSE(at(doc, 99, Side::Right).item.has_value());
  const RelativePosition last = at(doc, 99, Side::Left);
  EXPECT_TRUE((last.item == Id{ClientId{1}, Clock{2}}));  // the tombstone, as in Yjs
  EXPECT_EQ(index_of(doc, last), 2u);
}

TEST(RelativePosition, InDeletedTextIsWhereTheTextWas) {
  Doc doc({.client = ClientId{1}});
  insert(doc, 0, "hello world");
  const RelativePosition position = at(doc, 8, Side::Right);
  erase(doc, 4, 6);
  EXPECT_EQ(index_of(doc, position), 4u);
}

TEST(RelativePosition, FollowsWhatUndoBroughtBack) {
  Doc doc({.client = ClientId{1}});
  UndoManager undo = doc.track_undo({.roots = {"t"}});
  insert(doc, 0, "hello world");
  undo.stop_capturing();
  const RelativePosition position = at(doc, 8, Side::Right);
  const RelativePosition left = at(doc, 8, Side::Left);
  erase(doc, 4, 6);
  ASSERT_TRUE(undo.undo().changed());
  ASSERT_EQ(doc.text("t").to_string(), "hello world");
  const size_t structs = doc.struct_count();
  EXPECT_EQ(index_of(doc, position), 8u);
  EXPECT_EQ(index_of(doc, left), 8u);
  const auto plain = resolve(doc, position, FollowUndone::No);
  ASSERT_TRUE(plain.has_value());
  EXPECT_NE(plain->index, 8u);  // the old unit is still deleted
  EXPECT_EQ(doc.struct_count(), structs);
  doc.check_invariants();
}

TEST(RelativePosition, IsUnknownUntilItsUnitArrives) {
  Doc mine({.client = ClientId{1}});
  Doc theirs({.client = ClientId{2}});
  insert(mine, 0, "ab");
  const RelativePosition position = at(mine, 1, Side::Right);
  EXPECT_FALSE(resolve(theirs, position).has_value());
  ASSERT_TRUE(theirs.apply_update_v1(mine.encode_update_v1()).has_value());
  EXPECT_EQ(index_of(theirs, position), 1u);
}

TEST(RelativePosition, InACollectedTypeIsGone) {
  Doc doc({.client = ClientId{1}});
  const Map map = doc.map("m");
  RelativePosition inside;
  RelativePosition end;
  {
    Transaction txn = doc.transact();
    Text text = doc.map("m").set_text(txn, "n");
    ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "abc").has_value());
    inside = relative_position(text, Utf16Offset{1});
    end = relative_position(text, Utf16Offset{3});
    EXPECT_TRUE(end.type.has_value() && !end.item.has_value());
  }
  const auto place = resolve(doc, inside);
  ASSERT_TRUE(place.has_value());
  EXPECT_TRUE(place->type == *map.get_text("n"));
  EXPECT_FALSE(place->type == doc.text("t"));
  EXPECT_EQ(place->type.as_text()->to_string(), "abc");
  {
    Transaction txn = doc.transact();
    doc.map("m").erase(txn, "n");
  }
  EXPECT_FALSE(resolve(doc, inside).has_value());
  EXPECT_FALSE(resolve(doc, end).has_value());
}

TEST(RelativePosition, InADeletedTypeThatWasKeptIsItsStart) {
  Doc doc({.client = ClientId{1}, .gc = Gc::Disabled});
  RelativePosition inside;
  {
    Transaction txn = doc.transact();
    Text text = doc.map("m").set_text(txn, "n");
    ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "abc").has_value());
    inside = relative_position(text, Utf16Offset{2});
  }
  {
    Transaction txn = doc.transact();
    doc.map("m").erase(txn, "n");
  }
  EXPECT_EQ(index_of(doc, inside), 0u);
}

TEST(RelativePosition, CountsElementsOfAnArray) {
  Doc doc({.client = ClientId{1}});
  const std::vector<Any> values = {Any::number(1), Any::number(2), Any::number(3)};
  {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.array("a").push(txn, values).has_value());
  }
  const RelativePosition position = relative_position(doc.array("a"), 2);
  {
    Transaction txn = doc.transact();
    ASSERT_TRUE(doc.array("a").insert(txn, 0, values).has_value());
    ASSERT_TRUE(doc.array("a").erase(txn, 3).has_value());
  }
  const auto place = resolve(doc, position);
  ASSERT_TRUE(place.has_value());
  EXPECT_EQ(place->index, 4u);
  EXPECT_EQ(*place->type.as_array()->get(place->index)->as_number(), 3);
}

TEST(RelativePosition, StaysBesideItsCharacterInALongText) {
  std::mt19937 random(8841);
  // Every character is another one, so that a plain search tells where each position must be.
  Doc unique({.client = ClientId{2}});
  std::string text;
  for (char32_t i = 0; i < 800; ++i) append_utf8(text, 0x4e00 + i);
  insert(unique, 0, text);
  for (int i = 0; i < 300; ++i) insert(unique, static_cast<uint32_t>(random() % 800), "-");
  std::vector<std::pair<RelativePosition, std::string>> positions;
  std::string now = unique.text("t").to_string();
  for (uint32_t i = 0; i < unique.text("t").length().value(); i += 7) {
    const size_t byte = to_utf8(now, Utf16Offset{i}).value();
    if (now[byte] == '-') continue;
    positions.emplace_back(at(unique, i, Side::Right), now.substr(byte, 3));
  }
  for (int i = 0; i < 300; ++i) {
    const uint32_t length = unique.text("t").length().value();
    if (i % 3 == 0) {
      erase(unique, static_cast<uint32_t>(random() % (length - 1)), 1);
    } else {
      insert(unique, static_cast<uint32_t>(random() % length), "+");
    }
  }
  now = unique.text("t").to_string();
  size_t alive = 0;
  for (const auto& [position, character] : positions) {
    const auto index = index_of(unique, position);
    ASSERT_TRUE(index.has_value());
    const size_t byte = now.find(character);
    if (byte == std::string::npos) continue;  // deleted meanwhile
    ++alive;
    EXPECT_EQ(*index, to_utf16(now, Utf8Offset{static_cast<uint32_t>(byte)}).value());
  }
  EXPECT_GT(alive, 50u);
  unique.check_invariants();
}

struct BytesCase {
  const char* name;
  const char* hex;
  const char* again;  // what it is written as; null when it is refused
};
class RelativePositionBytes : public testing::TestWithParam<BytesCase> {};

TEST_P(RelativePositionBytes, AreReadStrictly) {
  const Bytes bytes = from_hex(GetParam().hex).value_or(Bytes{});
  const auto position = RelativePosition::decode(bytes);
  ASSERT_EQ(position.has_value(), GetParam().again != nullptr);
  if (position) EXPECT_EQ(position->encode(), from_hex(GetParam().again).value_or(Bytes{}));
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RelativePositionBytes,
    testing::Values(BytesCase{"item", "00010400", "00010400"}, BytesCase{"without_assoc", "000104", "00010400"},
                    BytesCase{"root", "01017441", "01017441"}, BytesCase{"nameless_root", "010000", "010000"},
                    BytesCase{"type", "02010d00", "02010d00"},
                    BytesCase{"assoc_of_minus_three", "00010443", "00010443"},
                    BytesCase{"minus_zero", "00010440", "00010400"},
                    BytesCase{"largest_clock", "0001ffffffff0f00", "0001ffffffff0f00"},
                    BytesCase{"clock_beyond_32_bits", "0001808080801000", nullptr},
                    BytesCase{"tag_three", "03010400", nullptr}, BytesCase{"name_is_not_utf8", "0101ff00", nullptr},
                    BytesCase{"bytes_behind_it", "0001040000", nullptr}),
    [](const auto& info) { return info.param.name; });

struct JsonCase {
  const char* name;
  const char* json;
  bool valid;
};
class RelativePositionJson : public testing::TestWithParam<JsonCase> {};

TEST_P(RelativePositionJson, IsReadStrictly) {
  const auto position = RelativePosition::from_json(*Any::from_json(GetParam().json));
  ASSERT_EQ(position.has_value(), GetParam().valid);
  if (position) EXPECT_TRUE(*RelativePosition::from_json(position->to_json()) == *position);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, RelativePositionJson,
    testing::Values(JsonCase{"root_and_item", R"({"tname":"t","item":{"client":1,"clock":2},"assoc":0})", true},
                    JsonCase{"nulls_are_absent", R"({"type":null,"tname":"","item":null,"assoc":null})", true},
                    JsonCase{"nested", R"({"type":{"client":9007199254740991,"clock":4294967295},"assoc":-1})", true},
                    JsonCase{"nothing_to_hold_on_to", R"({"assoc":0})", false}, JsonCase{"no_object", "5", false},
                    JsonCase{"clock_is_negative", R"({"item":{"client":1,"clock":-2}})", false},
                    JsonCase{"clock_is_a_fraction", R"({"item":{"client":1,"clock":0.5}})", false},
                    JsonCase{"clock_beyond_32_bits", R"({"item":{"client":1,"clock":4294967296}})", false},
                    JsonCase{"client_is_missing", R"({"item":{"clock":2}})", false},
                    JsonCase{"name_is_a_number", R"({"tname":5})", false},
                    JsonCase{"assoc_is_a_text", R"({"tname":"t","assoc":"x"})", false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace diaryx::crdt
