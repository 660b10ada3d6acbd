#include "diaryx/crdt/shared.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

std::string outline(const Shared& type);

std::string outline(const Value& value) {
  if (const Any* plain = std::get_if<Any>(&value)) return plain->to_json();
  if (const Subdocument* subdocument = std::get_if<Subdocument>(&value)) return "doc " + subdocument->guid;
  return outline(std::get<Shared>(value));
}

template <typename Values>
std::string outline_all(const Values& values) {
  std::string text;
  for (const auto& value : values) text += outline(value) + ",";
  return text;
}

/// Written with nothing but the public headers, for a document of which nothing is known.
std::string outline(const Shared& type) {
  if (const auto text = type.as_text()) return "\"" + text->to_string() + "\"";
  if (const auto array = type.as_array()) return "[" + outline_all(array->values()) + "]";
  if (const auto map = type.as_map()) {
    std::string text = "{";
    for (const auto& [key, value] : map->entries()) text += key + ":" + outline(value) + ",";
    return text + "}";
  }
  if (const auto fragment = type.as_xml_fragment()) return "<" + outline_all(fragment->children()) + ">";
  return "?";
}

TEST(Shared, LetsAnUnknownDocumentBeWalked) {
  Doc source({.client = ClientId{1}});
  Transaction txn = source.transact();
  Map map = source.map("m");
  const NewValue mixed[] = {Any::number(1), NewType::text("hi"), NewType::xml_fragment({NewType::xml_element("p")}),
                            NewSubdocument{.guid = "g1"}, NewType::map({{"k", Any::null()}})};
  ASSERT_TRUE(source.array("a").insert(txn, 0, mixed).has_value());
  ASSERT_TRUE(map.set(txn, "list", NewType::array({Any::string("x"), NewType::array()})).has_value());
  (void)std::move(txn).commit();

  Doc doc({.client = ClientId{2}});
  ASSERT_TRUE(doc.apply_update_v1(source.encode_update_v1()).has_value());
  ASSERT_EQ(doc.roots().size(), 2u);
  EXPECT_EQ(doc.roots()[0].kind(), Shared::Kind::Undeclared);
  EXPECT_EQ(doc.root("a")->root_name(), "a");
  EXPECT_FALSE(doc.root("nothing").has_value());
  EXPECT_EQ(outline(doc.array("a")), "[1,\"hi\",<<>,>,doc g1,{k:null,},]");
  EXPECT_EQ(outline(doc.map("m")), "{list:[\"x\",[],],}");
  EXPECT_EQ(doc.root("a")->kind(), Shared::Kind::Array);
  doc.check_invariants();
}

TEST(Shared, KnowsItsPlace) {
  Doc doc({.client = ClientId{7}});
  Transaction txn = doc.transact();
  Map map = doc.map("m");
  Array list = map.set_array(txn, "list");
  const Text text = *list.insert_text(txn, 0);
  (void)std::move(txn).commit();
  EXPECT_TRUE(map.is_root());
  EXPECT_FALSE(map.id().has_value());
  EXPECT_FALSE(map.parent().has_value());
  EXPECT_EQ(list.parent(), Shared(map));
  EXPECT_EQ(list.parent_key(), "list");
  EXPECT_EQ(text.parent(), Shared(list));
  EXPECT_FALSE(text.parent_key().has_value());
  EXPECT_EQ(text.id(), (Id{ClientId{7}, Clock{1}}));
  EXPECT_EQ(text.as_text(), text);
  EXPECT_FALSE(text.as_map().has_value());
  EXPECT_FALSE(text.as_xml_text().has_value());
}

TEST(Shared, RefusesEditsOnceItIsGone) {
  Doc doc({.client = ClientId{1}});
  Map root = doc.map("m");
  std::optional<Map> inner;
  {
    Transaction txn = doc.transact();
    inner = root.set_map(txn, "inner");
    ASSERT_TRUE(inner->set(txn, "k", Any::number(1)).has_value());
  }
  {
    Transaction txn = doc.transact();
    EXPECT_TRUE(root.erase(txn, "inner"));
  }
  EXPECT_FALSE(inner->is_live());
  EXPECT_EQ(inner->size(), 0u);
  Transaction txn = doc.transact();
  EXPECT_EQ(inner->set(txn, "k", Any::number(2)).error().code, ErrorCode::WrongType);
  const Map nowhere = inner->set_map(txn, "deeper");
  EXPECT_FALSE(nowhere.is_live());
  EXPECT_EQ(nowhere.size(), 0u);
  EXPECT_FALSE(std::move(txn).commit().changed());
  doc.check_invariants();
}

}  // namespace
}  // namespace diaryx::crdt
