#include "diaryx/base/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include <cmath>

namespace diaryx {
namespace {

std::string round_trip(std::string_view text) {
  const auto json = Json::parse(text);
  return json ? json->dump() : "error: " + describe(json.error());
}

TEST(Json, PrintsWhatStringifyPrints) {
  EXPECT_EQ(round_trip(R"( { "b" : [1, 2.5, -0, true, null], "a" : "x" } )"), R"({"b":[1,2.5,0,true,null],"a":"x"})");
  EXPECT_EQ(round_trip(R"("\u00e9\ud83d\ude00\n\u0007\/")"), "\"é😀\\n\\u0007/\"");
  EXPECT_EQ(round_trip(R"("\ud83d!")"), "\"\xef\xbf\xbd!\"");
}

TEST(Json, PrintsNumbersAsEcmaScriptDoes) {
  const auto print = [](double value) { return Json(value).dump(); };
  EXPECT_EQ(print(0.1), "0.1");
  EXPECT_EQ(print(1e21), "1e+21");
  EXPECT_EQ(print(123456789012345680000.0), "123456789012345680000");
  EXPECT_EQ(print(1e-7), "1e-7");
  EXPECT_EQ(print(1.5e-6), "0.0000015");
  EXPECT_EQ(print(-2.5e-10), "-2.5e-10");
  EXPECT_EQ(print(5e-324), "5e-324");
  EXPECT_EQ(print(1.7976931348623157e308), "1.7976931348623157e+308");
  EXPECT_EQ(print(1700000000000.0), "1700000000000");
  EXPECT_EQ(print(-0.0), "0");
  EXPECT_EQ(print(NAN), "null");
}

TEST(Json, KeepsFirstPlaceAndLastValueOfARepeatedKey) {
  EXPECT_EQ(round_trip(R"({"a":1,"b":2,"a":3,"a":4})"), R"({"a":4,"b":2})");
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const char* text : {"", "{", "[1,]", "{\"a\"}", "01", "1.", "-", "+1", "tru", "\"\\x\"", "\"a", "1 2", "{'a':1}",
                           "\"\t\"", "\"\\u12g4\"", "[", "nul", "\xff"}) {
    EXPECT_FALSE(Json::parse(text)) << text;
  }
}

TEST(Json, BoundsNesting) {
  EXPECT_TRUE(Json::parse(std::string(2000, '[') + std::string(2000, ']')));
  const auto deep = Json::parse(std::string(1'000'000, '['));
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, ErrorCode::TooDeep);
}

TEST(Json, ReadsExtremeNumbersLikeJavaScript) {
  EXPECT_EQ(round_trip("1e999"), "null");
  EXPECT_EQ(round_trip("1e-999"), "0");
  EXPECT_EQ(Json::parse("9007199254740992")->as_integer(), 9007199254740992);
  EXPECT_EQ(Json::parse("1.5")->as_integer(), std::nullopt);
}

TEST(Json, TellsTooLargeFromTooSmall) {
  const std::string zeros(400, '0');
  EXPECT_EQ(parse_json_number("1" + zeros + "e-5"), HUGE_VAL);
  EXPECT_EQ(parse_json_number("-1e+309"), -HUGE_VAL);
  EXPECT_EQ(parse_json_number("1e99999999999999999999"), HUGE_VAL);
  EXPECT_EQ(parse_json_number("0." + zeros + "1e5"), 0.0);
  EXPECT_EQ(parse_json_number("1e-99999999999999999999"), 0.0);
  EXPECT_TRUE(std::signbit(parse_json_number("-1e-400")));
  EXPECT_EQ(parse_json_number("0.5e1"), 5.0);
}

TEST(Json, BuildsObjectsInOrder) {
  Json json = Json::object({{"type", "saved"}, {"n", 3}});
  json.set("n", 4).set("list", Json::array().push("x"));
  EXPECT_EQ(json.dump(), R"({"type":"saved","n":4,"list":["x"]})");
  EXPECT_EQ(json.string_member("type"), "saved");
  EXPECT_EQ(json.integer_member("n"), 4);
  EXPECT_EQ(json.string_member("n"), std::nullopt);
  json.remove("n");
  EXPECT_EQ(json.find("n"), nullptr);
}

TEST(Json, ReachesAsDeepAsItsValuesStand) {
  EXPECT_TRUE(Json(1).reaches(0));
  EXPECT_FALSE(Json(1).reaches(1));
  EXPECT_FALSE(Json::parse("[]")->reaches(1));
  const Json json = *Json::parse(R"({"a":1,"b":[2,{"c":3}]})");
  EXPECT_TRUE(json.reaches(3));
  EXPECT_FALSE(json.reaches(4));
}

TEST(Json, EscapesACharacterWhereverItStands) {
  for (int c = 0; c < 0x80; ++c) {
    for (size_t at = 0; at < 20; ++at) {
      std::string text(20, 'x');
      text[at] = static_cast<char>(c);
      const std::string json = Json{text}.dump();
      const bool is_escaped = c < 0x20 || c == '"' || c == '\\';
      ASSERT_EQ(json.size() > text.size() + 2, is_escaped) << c << " at " << at;
      ASSERT_EQ(*Json::parse(json), Json{text}) << c << " at " << at;
    }
  }
}

}  // namespace
}  // namespace diaryx
