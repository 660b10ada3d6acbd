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

}  // namespace
}  // namespace diaryx::crdt
