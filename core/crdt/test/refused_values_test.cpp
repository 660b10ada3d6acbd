// What the engine lets in, every decoder lets in: the same limits hold for local edits as for updates.
#include <gtest/gtest.h>

#include <string>

#include "diaryx/crdt/awareness.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

constexpr uint32_t kDepth = DecodeLimits{}.max_depth;
constexpr const char* kNoText = "a\xff";

Any arrays_around(Any value, uint32_t depth) {
  for (uint32_t i = 0; i < depth; ++i) {
    Any::Array outer;
    outer.push_back(std::move(value));
    value = Any::array(std::move(outer));
  }
  return value;
}

/// Every way in for a value, tried with one value in documents of their own.
struct Tried {
  const char* way;
  Result<void> result;
  Bytes update;
};

std::vector<Tried> put_everywhere(const Any& value) {
  std::vector<Tried> all;
  const auto attempt = [&](const char* way, auto&& edit) {
    Doc doc({.client = ClientId{1}});
    Transaction txn = doc.transact();
    EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, "text").has_value());
    Result<void> result = edit(doc, txn);
    all.push_back({way, std::move(result), std::move(txn).commit().update_v1()});
    doc.check_invariants();
  };
  attempt("set", [&](Doc& doc, Transaction& txn) { return doc.map("m").set(txn, "k", value); });
  attempt("set a new value", [&](Doc& doc, Transaction& txn) { return doc.map("m").set(txn, "k", NewValue{value}); });
  attempt("set in a new map", [&](Doc& doc, Transaction& txn) {
    return doc.map("m").set(txn, "k", NewValue{NewType::map({{"inner", NewValue{value}}})});
  });
  attempt("push", [&](Doc& doc, Transaction& txn) { return doc.array("a").push(txn, std::span(&value, 1)); });
  attempt("insert", [&](Doc& doc, Transaction& txn) { return doc.array("a").insert(txn, 0, std::span(&value, 1)); });
  attempt("set_attribute", [&](Doc& doc, Transaction& txn) { return doc.text("t").set_attribute(txn, "k", value); });
  attempt("insert_embed",
          [&](Doc& doc, Transaction& txn) { return doc.text("t").insert_embed(txn, Utf16Offset{1}, value); });
  attempt("insert with attributes", [&](Doc& doc, Transaction& txn) {
    return doc.text("t").insert(txn, Utf16Offset{1}, "x", Attributes{{"k", value}});
  });
  attempt("insert_embed with attributes", [&](Doc& doc, Transaction& txn) {
    return doc.text("t").insert_embed(txn, Utf16Offset{1}, Any::number(1), Attributes{{"k", value}});
  });
  attempt("format", [&](Doc& doc, Transaction& txn) {
    return doc.text("t").format(txn, Utf16Offset{1}, Length{2}, Attributes{{"k", value}});
  });
  attempt("apply_delta, an embed", [&](Doc& doc, Transaction& txn) {
    const TextEdit edit = TextEdit::embed_value(value);
    return doc.text("t").apply_delta(txn, std::span(&edit, 1));
  });
  attempt("apply_delta, a mark", [&](Doc& doc, Transaction& txn) {
    const TextEdit edit = TextEdit::retain(Length{2}, Attributes{{"k", value}});
    return doc.text("t").apply_delta(txn, std::span(&edit, 1));
  });
  return all;
}

TEST(RefusedValues, AreThoseThatNestTooDeep) {
  for (const bool in_object : {false, true}) {
    const auto nested = [&](uint32_t depth) {
      const Any inner = arrays_around(Any::number(1), depth - 1);
      return in_object ? Any::object({{"k", inner}}) : Any::array({inner});
    };
    for (const Tried& tried : put_everywhere(nested(kDepth))) {
      EXPECT_TRUE(tried.result.has_value()) << tried.way;
      EXPECT_TRUE(validate_update_v1(tried.update).has_value()) << tried.way;
      const auto v2 = convert_v1_to_v2(tried.update);
      ASSERT_TRUE(v2.has_value()) << tried.way;
      EXPECT_TRUE(convert_v2_to_v1(*v2).has_value()) << tried.way;
    }
    for (const Tried& tried : put_everywhere(nested(kDepth + 1))) {
      ASSERT_FALSE(tried.result.has_value()) << tried.way;
      EXPECT_EQ(tried.result.error().code, ErrorCode::TooDeep) << tried.way;
      EXPECT_TRUE(validate_update_v1(tried.update).has_value()) << tried.way;
    }
  }
}

TEST(RefusedValues, AreThoseThatAreNoUtf8) {
  const Any values[] = {Any::array({Any::string(kNoText)}), Any::object({{"k", Any::string(kNoText)}}),
                        Any::object({{kNoText, Any::null()}})};
  for (const Any& value : values) {
    for (const Tried& tried : put_everywhere(value)) {
      ASSERT_FALSE(tried.result.has_value()) << tried.way;
      EXPECT_EQ(tried.result.error().code, ErrorCode::InvalidUtf8) << tried.way;
      EXPECT_TRUE(validate_update_v1(tried.update).has_value()) << tried.way;
    }
  }
}

TEST(RefusedValues, AreNamesThatAreNoUtf8) {
  Doc doc({.client = ClientId{1}});
  Map map = doc.map("m");
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  EXPECT_EQ(map.set(txn, kNoText, Any::null()).error().code, ErrorCode::InvalidUtf8);
  EXPECT_EQ(map.set(txn, kNoText, NewValue{NewType::map()}).error().code, ErrorCode::InvalidUtf8);
  EXPECT_FALSE(map.set_map(txn, kNoText).is_live());
  EXPECT_FALSE(map.set_array(txn, kNoText).is_live());
  EXPECT_FALSE(map.set_text(txn, kNoText).is_live());
  EXPECT_EQ(text.set_attribute(txn, kNoText, Any::null()).error().code, ErrorCode::InvalidUtf8);
  const Attributes marks{{kNoText, Any::boolean(true)}};
  EXPECT_EQ(text.insert(txn, Utf16Offset{0}, "x", marks).error().code, ErrorCode::InvalidUtf8);
  EXPECT_EQ(text.insert_embed(txn, Utf16Offset{0}, Any::number(1), marks).error().code, ErrorCode::InvalidUtf8);
  EXPECT_EQ(text.insert_type(txn, Utf16Offset{0}, NewType::map(), marks).error().code, ErrorCode::InvalidUtf8);
  const TextEdit edit = TextEdit::insert("x", marks);
  EXPECT_EQ(text.apply_delta(txn, std::span(&edit, 1)).error().code, ErrorCode::InvalidUtf8);
  EXPECT_FALSE(std::move(txn).commit().changed());
  EXPECT_DEATH_IF_SUPPORTED((void)doc.text(kNoText), "");
}

TEST(RefusedValues, OfEmbedsAndMarksNestTooDeepInUpdatesToo) {
  const std::string json = std::string(kDepth + 1, '[') + std::string(kDepth + 1, ']');
  Writer out;
  for (const uint64_t number : {1, 1, 1, 0, 5, 1}) out.var_uint(number);
  out.var_string("t");
  out.var_string(json);
  out.var_uint(0);
  Doc doc({.client = ClientId{2}});
  EXPECT_EQ(doc.apply_update_v1(out.take()).error().code, ErrorCode::TooDeep);
}

TEST(RefusedValues, NeverReachTheStateOfAwareness) {
  Awareness here(ClientId{1}, TimestampMs{0});
  (void)here.set_local_state(arrays_around(Any::number(1), kDepth), TimestampMs{1});
  EXPECT_TRUE(decode_awareness(here.encode_all()).has_value());
  EXPECT_DEATH_IF_SUPPORTED((void)here.set_local_state(arrays_around(Any::number(1), kDepth + 1), TimestampMs{2}), "");
  EXPECT_DEATH_IF_SUPPORTED((void)here.set_local_field("name", Any::string(kNoText), TimestampMs{2}), "");
}

TEST(RefusedValues, AreNotMadeByALargeClientId) {
  Doc doc({.client = ClientId{~uint64_t{0}}});
  EXPECT_EQ(doc.client(), ClientId{(uint64_t{1} << 53) - 1});
  doc.set_client(ClientId{(uint64_t{1} << 53) + 5});
  EXPECT_EQ(doc.client(), ClientId{5});
  Transaction txn = doc.transact();
  ASSERT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, "a").has_value());
  EXPECT_TRUE(validate_update_v1(std::move(txn).commit().update_v1()).has_value());
  const Awareness here(ClientId{~uint64_t{0}}, TimestampMs{0});
  EXPECT_TRUE(decode_awareness(here.encode_all()).has_value());
}

}  // namespace
}  // namespace diaryx::crdt
