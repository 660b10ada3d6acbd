#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

const std::string kNotUtf8 = "\xff";

struct Refusal {
  const char* name;
  NewValue value;
  ErrorCode code;
};

class Refused : public testing::TestWithParam<Refusal> {};

TEST_P(Refused, ByAListAsAWhole) {
  Doc doc({.client = ClientId{1}});
  Transaction txn = doc.transact();
  const NewValue values[] = {Any::number(1), NewType::text("fine"), GetParam().value};
  const Result<void> result = doc.array("a").insert(txn, 0, values);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, GetParam().code);
  EXPECT_FALSE(std::move(txn).commit().changed());
}

INSTANTIATE_TEST_SUITE_P(
    Values, Refused,
    testing::Values(Refusal{"undefined", Any::undefined(), ErrorCode::WrongType},
                    Refusal{"bigint", Any::bigint(1), ErrorCode::WrongType},
                    Refusal{"bigint_in_a_new_list", NewType::array({Any::bigint(1)}), ErrorCode::WrongType},
                    Refusal{"text_that_is_no_utf8", NewType::text(kNotUtf8), ErrorCode::InvalidUtf8},
                    Refusal{"name_that_is_no_utf8", NewType::xml_element(kNotUtf8), ErrorCode::InvalidUtf8},
                    Refusal{"key_that_is_no_utf8", NewType::map({{kNotUtf8, Any::null()}}), ErrorCode::InvalidUtf8},
                    Refusal{"guid_that_is_no_utf8", NewSubdocument{.guid = kNotUtf8}, ErrorCode::InvalidUtf8},
                    Refusal{"no_kind", NewType{.kind = Shared::Kind::Undeclared}, ErrorCode::WrongType}),
    [](const auto& info) { return info.param.name; });

TEST(NewValues, OfAMapMayBeUndefinedAndBigint) {
  Doc doc({.client = ClientId{1}});
  Map map = doc.map("m");
  Transaction txn = doc.transact();
  ASSERT_TRUE(map.set(txn, "u", Any::undefined()).has_value());
  ASSERT_TRUE(map.set(txn, "b", NewValue(Any::bigint(-1))).has_value());
  ASSERT_TRUE(map.set(txn, "t", NewType::map({{"b", Any::bigint(2)}})).has_value());
  (void)std::move(txn).commit();
  EXPECT_TRUE(map.contains("u"));
  EXPECT_TRUE(map.get("u")->is_undefined());
  EXPECT_EQ(*map.get("b")->as_bigint(), -1);
  EXPECT_EQ(*map.get_map("t")->get("b")->as_bigint(), 2);
}

TEST(NewValues, InARowArePackedAsYjsPacksThem) {
  Doc doc({.client = ClientId{1}});
  Transaction txn = doc.transact();
  const NewValue values[] = {
      Any::number(1), Any::string("a"), Any::bytes({7}), Any::number(2), NewType::array({Any::number(3)}),
      Any::number(4)};
  ASSERT_TRUE(doc.array("a").push(txn, values).has_value());
  (void)std::move(txn).commit();
  // 1 and "a" in one item, then bytes, 2, the array, what it holds, 4.
  EXPECT_EQ(doc.struct_count(), 6u);
  EXPECT_EQ(doc.array("a").size(), 6u);
  EXPECT_EQ(doc.array("a").to_vector().size(), 5u);
  EXPECT_EQ(doc.array("a").get_array(4)->size(), 1u);
  doc.check_invariants();
}

TEST(NewValues, ATextOfATypeAloneReadsAsNothing) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert_type(txn, Utf16Offset{0}, NewType::map(), {}).has_value());
  std::move(txn).commit();
  EXPECT_EQ(text.length(), Length{1});
  EXPECT_EQ(text.to_string(), "");
}

}  // namespace
}  // namespace diaryx::crdt
