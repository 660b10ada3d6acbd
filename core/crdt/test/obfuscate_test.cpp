#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

Doc secret_doc() {
  Doc doc({.client = ClientId{1}});
  Transaction txn = doc.transact();
  Text text = doc.text("t");
  EXPECT_TRUE(text.insert(txn, Utf16Offset{0}, "my secret 🌱").has_value());
  EXPECT_TRUE(text.format(txn, Utf16Offset{3}, Length{6}, {{"confidential", Any::string("secret")}}).has_value());
  EXPECT_TRUE(text.insert_embed(txn, Utf16Offset{0}, Any::string("secret")).has_value());
  doc.map("m").set(txn, "secret key", Any::string("secret"));
  doc.map("m").set(txn, "secret key", Any::number(5));
  doc.map("m").set(txn, "bytes", Any::bytes({'s', 'e', 'c', 'r', 'e', 't'}));
  (void)std::move(txn).commit();
  return doc;
}

bool holds(const Bytes& bytes, std::string_view needle) {
  return as_text(bytes).find(needle) != std::string_view::npos;
}

TEST(Obfuscate, LeavesNothingToReadAndEverythingInPlace) {
  Doc doc = secret_doc();
  const Bytes update = doc.encode_update_v1();
  const auto hidden = obfuscate_update_v1(update);
  ASSERT_TRUE(hidden.has_value());
  EXPECT_TRUE(holds(update, "secret"));
  EXPECT_FALSE(holds(*hidden, "secret") || holds(*hidden, "confidential"));
  Doc copy({.client = ClientId{2}});
  ASSERT_TRUE(copy.apply_update_v1(*hidden).has_value());
  copy.check_invariants();
  EXPECT_TRUE(copy.state_vector() == doc.state_vector());
  EXPECT_TRUE(copy.delete_set() == doc.delete_set());
  EXPECT_EQ(copy.text("t").length(), doc.text("t").length());
  EXPECT_EQ(copy.text("t").runs().size(), doc.text("t").runs().size());
  EXPECT_EQ(copy.map("m").keys().size(), 2u);
}

TEST(Obfuscate, HidesTheSameInBothEncodings) {
  Doc doc = secret_doc();
  const auto v1 = obfuscate_update_v1(doc.encode_update_v1());
  const auto v2 = obfuscate_update_v2(doc.encode_update_v2());
  ASSERT_TRUE(v1.has_value() && v2.has_value());
  EXPECT_FALSE(holds(*v2, "secret"));
  Doc one({.client = ClientId{2}});
  Doc other({.client = ClientId{3}});
  ASSERT_TRUE(one.apply_update_v1(*v1).has_value() && other.apply_update_v2(*v2).has_value());
  EXPECT_EQ(one.encode_update_v1(), other.encode_update_v1());
}

TEST(Obfuscate, KeepsWhatItIsToldToKeep) {
  Doc doc = secret_doc();
  const auto hidden = obfuscate_update_v1(doc.encode_update_v1(), {.formatting = false});
  ASSERT_TRUE(hidden.has_value());
  EXPECT_TRUE(holds(*hidden, "confidential"));
}

TEST(Obfuscate, RefusesWhatIsNoUpdate) {
  EXPECT_FALSE(obfuscate_update_v1(Bytes{1}).has_value());
  EXPECT_FALSE(obfuscate_update_v2(Bytes{1}).has_value());
}

}  // namespace
}  // namespace diaryx::crdt
