#include "diaryx/crdt/any.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <random>

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

/// Bytes that may be one value, with an eye to what is nearly right: a size or a number with a byte too many, a double that would be
/// written shorter, a NaN with a payload, text that is no UTF-8.
Bytes nearly_a_value(std::mt19937_64& random) {
  Bytes value{static_cast<uint8_t>(116 + random() % 13)};
  const auto put_number = [&](uint64_t number) {
    for (; number > 127; number >>= 7) value.push_back(static_cast<uint8_t>(number | 0x80));
    value.push_back(static_cast<uint8_t>(number));
    if (random() % 6 != 0) return;
    value.back() |= 0x80;
    value.push_back(0);
  };
  switch (value.front()) {
    case 119: {
      const size_t size = random() % 24;
      put_number(size);
      for (size_t i = 0; i < size; ++i) value.push_back(static_cast<uint8_t>(random() % 60 == 0 ? 0x80 + i : 'a' + i));
      break;
    }
    case 125: put_number(random() >> (random() % 64)); break;
    case 124:
    case 123: {
      constexpr double kLikely[] = {0.0,          -0.0,         1.0,        0.1,    0.5, 1e300,
                                    2147483647.0, 2147483648.0, 16777217.0, 1.7e12, NAN, HUGE_VAL};
      const double number = kLikely[random() % (std::size(kLikely))];
      const bool is_short = value.front() == 124;
      uint64_t bits = is_short ? std::bit_cast<uint32_t>(static_cast<float>(number)) : std::bit_cast<uint64_t>(number);
      if (random() % 3 == 0) bits ^= uint64_t{1} << random() % (is_short ? 32 : 64);
      for (int at = is_short ? 24 : 56; at >= 0; at -= 8) value.push_back(static_cast<uint8_t>(bits >> at));
      break;
    }
    case 116:
    case 117:
    case 118: value.push_back(0); break;
    case 122: value.insert(value.end(), 8, static_cast<uint8_t>(random())); break;
    default: break;
  }
  return value;
}

// Where much input is left the decoder has a short way for values; at the end of an update it takes the long one.
TEST(Any, IsReadTheSameWhereverItStands) {
  for (uint64_t seed = 1; seed <= 20'000; ++seed) {
    std::mt19937_64 random(seed);
    const Bytes value = nearly_a_value(random);
    // A map in root "m" by client 1, in it twenty plain values and the one in question: behind them, or before.
    const auto update = [&](bool at_end) {
      Bytes bytes{1, 22, 1, 0, 0x27, 1, 1, 'm', 1, 'f', 1};
      const auto add = [&](uint8_t name, ByteView content) {
        for (const uint8_t byte : {uint8_t{0x28}, uint8_t{0}, uint8_t{1}, uint8_t{0}, uint8_t{1}, name, uint8_t{1}})
          bytes.push_back(byte);
        bytes.insert(bytes.end(), content.begin(), content.end());
      };
      if (!at_end) add('v', value);
      for (uint8_t name = 'A'; name < 'A' + 20; ++name) add(name, Bytes{120});
      if (at_end) add('v', value);
      bytes.push_back(0);
      return bytes;
    };
    Doc early({.client = ClientId{9}}), late({.client = ClientId{9}});
    const auto at_once = early.apply_update_v1(update(false));
    const auto at_end = late.apply_update_v1(update(true));
    ASSERT_EQ(at_once.has_value(), at_end.has_value()) << seed;
    if (!at_once) continue;
    const std::optional<Any> a = early.map("m").get_map("f")->get("v");
    const std::optional<Any> b = late.map("m").get_map("f")->get("v");
    ASSERT_EQ(a, b) << seed;
    const Bytes written = a->encode();
    const Bytes one = early.encode_update_v1();
    const Bytes other = late.encode_update_v1();
    ASSERT_FALSE(std::ranges::search(one, written).empty()) << seed;
    ASSERT_FALSE(std::ranges::search(other, written).empty()) << seed;
    ASSERT_EQ(one.size(), other.size()) << seed;
    ASSERT_EQ(at_once->update_v1(), one) << seed;
    ASSERT_EQ(at_end->update_v1(), other) << seed;
  }
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
