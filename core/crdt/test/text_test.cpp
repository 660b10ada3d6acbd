#include "diaryx/crdt/text.h"

#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

/// The runs in one line: text, then attributes in braces.
std::string runs_of(Doc& doc) {
  std::string line;
  for (const TextRun& run : doc.text("t").runs()) {
    line += run.is_text() ? run.text : run.embed.to_json();
    if (!run.attributes.empty()) line += Any::object(run.attributes).to_json();
    line += '|';
  }
  return line;
}

TEST(Text, MarksARange) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "hello world").has_value());
  ASSERT_TRUE(text.format(txn, Utf16Offset{0}, Length{5}, {{"bold", Any::boolean(true)}}).has_value());
  (void)std::move(txn).commit();
  EXPECT_EQ(runs_of(doc), "hello{\"bold\":true}| world|");
  EXPECT_EQ(text.length(), Length{11});
  doc.check_invariants();
}

TEST(Text, InheritsMarksFromTheLeftUnlessToldOtherwise) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "ab", {{"bold", Any::boolean(true)}}).has_value());
  ASSERT_TRUE(text.insert(txn, Utf16Offset{1}, "X").has_value());
  ASSERT_TRUE(text.insert(txn, Utf16Offset{1}, "Y", {}).has_value());
  (void)std::move(txn).commit();
  EXPECT_EQ(runs_of(doc), "a{\"bold\":true}|Y|Xb{\"bold\":true}|");
  doc.check_invariants();
}

TEST(Text, HoldsEmbeds) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "ab").has_value());
  ASSERT_TRUE(text.insert_embed(txn, Utf16Offset{1}, Any::object({{"image", Any::string("x")}})).has_value());
  (void)std::move(txn).commit();
  EXPECT_EQ(runs_of(doc), "a|{\"image\":\"x\"}|b|");
  EXPECT_EQ(text.to_string(), "ab");
  EXPECT_EQ(text.length(), Length{3});
}

TEST(Text, RefusesWhatIsNotUtf8) {
  Doc doc({.client = ClientId{1}});
  Transaction txn = doc.transact();
  const auto result = doc.text("t").insert(txn, Utf16Offset{0}, "\xff");
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::InvalidUtf8);
}

TEST(Text, RefusesEditsOnceItIsGone) {
  Doc doc({.client = ClientId{1}});
  Transaction first = doc.transact();
  Text inner = doc.map("m").set_text(first, "k");
  (void)std::move(first).commit();
  EXPECT_TRUE(inner.is_live());
  Transaction second = doc.transact();
  EXPECT_TRUE(doc.map("m").erase(second, "k"));
  EXPECT_FALSE(inner.insert(second, Utf16Offset{0}, "late").has_value());
  (void)std::move(second).commit();
  EXPECT_FALSE(inner.is_live());
  EXPECT_EQ(inner.to_string(), "");
  doc.check_invariants();
}

TEST(Text, TakesADelta) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  const TextEdit first[] = {TextEdit::insert("hello "), TextEdit::insert("bold", {{"b", Any::boolean(true)}}),
                            TextEdit::embed_value(Any::object({{"image", Any::string("i")}}))};
  ASSERT_TRUE(text.apply_delta(txn, first).has_value());
  EXPECT_EQ(runs_of(doc), "hello |bold{\"b\":true}|{\"image\":\"i\"}|");
  const TextEdit second[] = {TextEdit::erase(Length{1}),
                             TextEdit::insert("H"),
                             TextEdit::retain(Length{4}, {{"i", Any::boolean(true)}}),
                             TextEdit::embed_value(NewType::map({{"k", Any::number(1)}})),
                             TextEdit::retain(Length{1}),
                             TextEdit::erase(Length{99})};
  ASSERT_TRUE(text.apply_delta(txn, second).has_value());
  ASSERT_EQ(text.runs().size(), 4u);
  EXPECT_EQ(text.runs()[1].attributes, (Attributes{{"i", Any::boolean(true)}}));
  EXPECT_EQ(text.runs()[2].type->as_map()->get("k"), Any::number(1));
  EXPECT_EQ(text.to_string(), "Hello ");
  (void)std::move(txn).commit();
  doc.check_invariants();
}

TEST(Text, ADeltaIsDoneWholeOrNotAtAll) {
  Doc doc({.client = ClientId{1}});
  Transaction txn = doc.transact();
  const TextEdit edits[] = {TextEdit::insert("fine"), TextEdit::insert("\xff")};
  EXPECT_EQ(doc.text("t").apply_delta(txn, edits).error().code, ErrorCode::InvalidUtf8);
  const TextEdit subdocument[] = {TextEdit::embed_value(NewSubdocument{.guid = "g"})};
  EXPECT_EQ(doc.text("t").apply_delta(txn, subdocument).error().code, ErrorCode::WrongType);
  EXPECT_FALSE(std::move(txn).commit().changed());
}

TEST(Text, ADeltaBreaksNoCharacter) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "\xf0\x9f\x98\x80z").has_value());
  const TextEdit edits[] = {TextEdit::retain(Length{1}), TextEdit::insert("!")};
  ASSERT_TRUE(text.apply_delta(txn, edits).has_value());
  EXPECT_EQ(text.to_string(), "\xf0\x9f\x98\x80!z");
}

TEST(Text, AnEditBreaksNoCharacterWhereverItStandsInItsItem) {
  const std::string smile = "\xf0\x9f\x98\x80";
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, smile + "b").has_value());
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "a" + smile).has_value());
  ASSERT_EQ(text.to_string(), "a" + smile + smile + "b");

  ASSERT_TRUE(text.insert(txn, Utf16Offset{2}, "1").has_value());  // goes before the first
  ASSERT_EQ(text.to_string(), "a1" + smile + smile + "b");
  ASSERT_TRUE(text.insert(txn, Utf16Offset{4}, "2").has_value());  // between the two
  ASSERT_EQ(text.to_string(), "a1" + smile + "2" + smile + "b");
  ASSERT_TRUE(text.insert(txn, Utf16Offset{6}, "3").has_value());  // goes before the second
  ASSERT_EQ(text.to_string(), "a1" + smile + "23" + smile + "b");

  ASSERT_TRUE(text.erase(txn, Utf16Offset{3}, Length{1}).has_value());  // half of the first: all of it
  ASSERT_EQ(text.to_string(), "a123" + smile + "b");
  ASSERT_TRUE(text.erase(txn, Utf16Offset{3}, Length{2}).has_value());  // "3" and half of the second
  EXPECT_EQ(text.to_string(), "a12b");
}

TEST(Text, SplitsACharacterAsYjsDoesWhenAskedTo) {
  Doc doc({.client = ClientId{1}, .pairs = SurrogatePairs::Split});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{0}, "\xf0\x9f\x98\x80").has_value());
  ASSERT_TRUE(text.insert(txn, Utf16Offset{1}, "!").has_value());
  EXPECT_EQ(text.to_string(), "\xef\xbf\xbd!\xef\xbf\xbd");
}

TEST(Text, HasAttributesAsAWhole) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.set_attribute(txn, "align", Any::string("left")).has_value());
  ASSERT_TRUE(text.set_attribute(txn, "notes", NewType::array({Any::number(1)})).has_value());
  EXPECT_EQ(std::get<Any>(*text.attribute("align")), Any::string("left"));
  EXPECT_EQ(text.attributes().size(), 2u);
  EXPECT_TRUE(text.remove_attribute(txn, "align"));
  EXPECT_FALSE(text.remove_attribute(txn, "align"));
  EXPECT_FALSE(text.attribute("align").has_value());
  EXPECT_EQ(text.length(), Length{0});
}

TEST(Text, SaysWhoWroteWhatItShows) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  Transaction first = doc.transact();
  ASSERT_TRUE(text.insert(first, Utf16Offset{0}, "hello world"));
  const Bytes ours = std::move(first).commit().update_v1();
  Doc other({.client = ClientId{2}});
  ASSERT_TRUE(other.apply_update_v1(ours));
  Transaction second = other.transact();
  ASSERT_TRUE(other.text("t").insert(second, Utf16Offset{5}, "é😀"));
  ASSERT_TRUE(other.text("t").erase(second, Utf16Offset{0}, Length{1}));
  ASSERT_TRUE(doc.apply_update_v1(std::move(second).commit().update_v1()));
  EXPECT_EQ(text.to_string(), "elloé😀 world");
  EXPECT_EQ(text.spans(), (std::vector<TextSpan>{{{ClientId{1}, Clock{1}}, Length{4}},
                                                 {{ClientId{2}, Clock{0}}, Length{3}},
                                                 {{ClientId{1}, Clock{5}}, Length{6}}}));
}

TEST(Text, JoinsSpansWhoseIdsGoOn) {
  Doc doc({.client = ClientId{1}});
  Text text = doc.text("t");
  for (uint32_t i = 0; i < 3; ++i) {
    Transaction txn = doc.transact();
    ASSERT_TRUE(text.insert(txn, Utf16Offset{i}, "x"));
    doc.map("m").set(txn, "k", Any::number(i));  // keeps the items apart
  }
  EXPECT_EQ(text.spans().size(), 3u);
  Transaction txn = doc.transact();
  ASSERT_TRUE(text.insert(txn, Utf16Offset{3}, "yz"));
  EXPECT_EQ(text.spans().back(), (TextSpan{{ClientId{1}, Clock{6}}, Length{2}}));
}

}  // namespace
}  // namespace diaryx::crdt
