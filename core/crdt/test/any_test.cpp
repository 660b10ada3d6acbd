#include "diaryx/crdt/any.h"

#include <gtest/gtest.h>

#include <cmath>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {
namespace {

std::string through_json(std::string_view text) {
  const auto value = Any::from_json(text);
  return value ? value->to_json() : "refused";
}

TEST(Any, WritesNumbersAsJavaScriptDoes) {
  struct Case {
    double number;
    const char* text;
  };
  for (const Case& at : {Case{0, "0"}, Case{-0.0, "0"}, Case{1, "1"}, Case{-1.5, "-1.5"}, Case{0.1, "0.1"},
                         Case{1e21, "1e+21"}, Case{123456789012345680000.0, "123456789012345680000"},
                         Case{1e-7, "1e-7"}, Case{1e-6, "0.000001"}, Case{1.5e300, "1.5e+300"}, Case{5e-324, "5e-324"},
                         Case{100, "100"}, Case{HUGE_VAL, "null"}, Case{NAN, "null"}}) {
    EXPECT_EQ(Any::number(at.number).to_json(), at.text);
  }
}

TEST(Any, ReadsJsonAsJavaScriptDoes) {
  EXPECT_EQ(through_json(R"( { "b" : 1 , "a" : [ ] , "b" : 2 } )"), R"({"b":2,"a":[]})");
  EXPECT_EQ(through_json(R"({"x":1,"10":2,"2":3})"), R"({"2":3,"10":2,"x":1})");
  EXPECT_EQ(through_json(R"("\ud83d\ude00\u0041\n\/")"), "\"😀A\\n/\"");
  EXPECT_EQ(through_json(R"("\ud83d")"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(through_json("1e400"), "null");
  for (const char* bad : {"", "{", "[1,]", "01", "1.", "nul", "\"\n\"", "{\"a\"}", "[1] 2", "+1", "'a'", "\"\\x\""}) {
    EXPECT_EQ(through_json(bad), "refused") << bad;
  }
}

TEST(Any, IsKeptAsJavaScriptWouldWriteIt) {
  // One value for key "k" of root "m": "a", its size in two bytes instead of one.
  const Bytes padded = {1, 1, 5, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 119, 0x81, 0x00, 'a', 0};
  const Bytes plain = {1, 1, 5, 0, 0x28, 1, 1, 'm', 1, 'k', 1, 119, 1, 'a', 0};
  Doc doc({.client = ClientId{1}});
  const auto commit = doc.apply_update_v1(padded);
  ASSERT_TRUE(commit.has_value());
  EXPECT_EQ(doc.encode_update_v1(), plain);
  EXPECT_EQ(commit->update_v1(), plain);
}

TEST(Any, IsNotReadDeeperThanAllowed) {
  const std::string deep = std::string(50, '[') + std::string(50, ']');
  EXPECT_TRUE(Any::from_json(deep, 50).has_value());
  EXPECT_EQ(Any::from_json(deep, 49).error().code, ErrorCode::TooDeep);
  const std::string with_value = std::string(50, '[') + "1" + std::string(50, ']');
  const auto value = Any::from_json(with_value, 50);  // only arrays and objects count
  ASSERT_TRUE(value.has_value());
  const Bytes bytes = value->encode();
  Reader enough(bytes);
  EXPECT_TRUE(Any::decode(enough, 50).has_value());
  Reader too_few(bytes);
  EXPECT_EQ(Any::decode(too_few, 49).error().code, ErrorCode::TooDeep);
}

TEST(Any, LeavesOutWhatJsonDoesNotHave) {
  EXPECT_EQ(Any::object({{"a", {}}, {"b", Any::array({Any{}})}}).to_json(), R"({"b":[null]})");
}

}  // namespace
}  // namespace diaryx::crdt
