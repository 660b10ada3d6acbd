#include "diaryx/crdt/xml.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

/// `<page><H1>Title</H1><p class="a">one</p><!-- a hook --></page>`, below the root "x".
class Xml : public testing::Test {
 protected:
  void SetUp() override {
    const NewValue children[] = {
        NewType::xml_element("H1", {}, {NewType::xml_text("Title")}),
        NewType::xml_element("p", {{"class", Any::string("a")}},
                             {NewType::xml_text("one"), NewType::xml_element("br")}),
        NewType::xml_hook("chart", {{"kind", Any::string("bar")}}),
    };
    Transaction txn = doc.transact();
    ASSERT_TRUE(root.insert(txn, 0, children).has_value());
  }

  Doc doc{{.client = ClientId{1}}};
  XmlFragment root = doc.xml_fragment("x");
};

TEST_F(Xml, PrintsAsYjs) {
  EXPECT_EQ(root.to_string(), "<h1>Title</h1><p class=\"a\">one<br></br></p>[object Object]");
}

TEST_F(Xml, PrintsAttributesAsJavaScriptWould) {
  XmlElement p = *root.get_element(1);
  Transaction txn = doc.transact();
  EXPECT_TRUE(p.remove_attribute(txn, "class"));
  EXPECT_FALSE(p.remove_attribute(txn, "class"));
  const std::pair<const char*, Any> values[] = {
      {"n", Any::number(1.5)},
      {"t", Any::boolean(true)},
      {"z", Any::null()},
      {"u", Any::undefined()},
      {"l", Any::array({Any::number(1), Any::null(), Any::array({Any::number(2), Any::number(3)})})},
      {"o", Any::object({{"a", Any::number(1)}})},
      {"b", Any::bytes({1, 2})},
      {"i", Any::bigint(9007199254740993)},
      {"m", Any::number(-0.0)},
      {"\xf0\x9f\x98\x80", Any::string("\"")},  // sorts before the next, by UTF-16 units
      {"\xef\xbc\xa1", Any::string("")},
  };
  for (const auto& [key, value] : values) ASSERT_TRUE(p.set_attribute(txn, key, value).has_value());
  EXPECT_EQ(p.to_string(),
            "<p b=\"1,2\" i=\"9007199254740993\" l=\"1,,2,3\" m=\"0\" n=\"1.5\" o=\"[object Object]\" t=\"true\" "
            "u=\"undefined\" z=\"null\" \xf0\x9f\x98\x80=\"\"\" \xef\xbc\xa1=\"\">one<br></br></p>");
}

TEST_F(Xml, PrintsMarksAsElements) {
  XmlText text = *root.get_element(1)->get_text(0);
  Transaction txn = doc.transact();
  const Attributes marks = {{"i", Any::object({})},
                            {"b", Any::object({{"w", Any::number(7)}, {"c", Any::string("x")}})}};
  ASSERT_TRUE(text.format(txn, Utf16Offset{0}, Length{2}, marks).has_value());
  ASSERT_TRUE(text.insert_type(txn, Utf16Offset{3}, NewType::xml_element("img")).has_value());
  EXPECT_EQ(text.to_xml(), "<b c=\"x\" w=\"7\"><i>on</i></b>e<img></img>");
  EXPECT_EQ(text.to_string(), "one");
}

TEST_F(Xml, HasSiblings) {
  const XmlElement h1 = *root.get_element(0);
  const XmlElement p = *root.get_element(1);
  EXPECT_FALSE(h1.previous_sibling().has_value());
  EXPECT_EQ(h1.next_sibling(), Shared(p));
  EXPECT_EQ(p.next_sibling()->as_xml_hook()->name(), "chart");
  EXPECT_EQ(p.next_sibling()->as_xml_hook()->get_string("kind"), "bar");
  EXPECT_EQ(p.next_sibling()->as_xml_hook()->previous_sibling(), Shared(p));
  EXPECT_EQ(h1.parent(), Shared(root));
  Transaction txn = doc.transact();
  ASSERT_TRUE(root.erase(txn, 1).has_value());
  EXPECT_EQ(h1.next_sibling()->kind(), Shared::Kind::XmlHook);
}

TEST_F(Xml, IsWalkedInOrderOfTheDocument) {
  const auto walk = [this] {
    std::string names;
    XmlTreeWalker walker(root);
    while (const std::optional<Shared> node = walker.next()) {
      if (const auto element = node->as_xml_element()) names += element->name() + " ";
      if (const auto text = node->as_xml_text()) names += "'" + text->to_string() + "' ";
      if (const auto hook = node->as_xml_hook()) names += "!" + hook->name() + " ";
    }
    return names;
  };
  EXPECT_EQ(walk(), "H1 'Title' p 'one' br !chart ");
  {
    Transaction txn = doc.transact();
    ASSERT_TRUE(root.get_element(1)->erase(txn, 0).has_value());
    ASSERT_TRUE(root.erase(txn, 0).has_value());
  }
  EXPECT_EQ(walk(), "p br !chart ");
  XmlTreeWalker of_nothing(doc.xml_fragment("empty"));
  EXPECT_FALSE(of_nothing.next().has_value());
}

TEST_F(Xml, IsBuiltPieceByPiece) {
  Transaction txn = doc.transact();
  XmlElement element = *root.insert_element(txn, 0, "nav");
  ASSERT_TRUE(element.insert_text(txn, 0, "menu").has_value());
  ASSERT_TRUE(element.insert_hook(txn, 1, "h").has_value());
  EXPECT_EQ(root.insert_text(txn, 9, "x").error().code, ErrorCode::OffsetOutOfRange);
  EXPECT_EQ(element.erase(txn, 1, 2).error().code, ErrorCode::OffsetOutOfRange);
  (void)std::move(txn).commit();
  EXPECT_EQ(element.size(), 2u);
  EXPECT_EQ(root.first_child(), Shared(element));
  EXPECT_EQ(element.to_string(), "<nav>menu[object Object]</nav>");
  EXPECT_EQ(doc.xml_element("e").name(), "UNDEFINED");
  doc.check_invariants();
}

}  // namespace
}  // namespace diaryx::crdt
