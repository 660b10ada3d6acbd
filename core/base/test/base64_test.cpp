#include "diaryx/base/base64.h"

#include <gtest/gtest.h>

namespace diaryx {
namespace {

TEST(Base64, RoundTripsEveryLength) {
  Bytes bytes;
  for (int i = 0; i < 300; ++i) {
    const auto back = from_base64(to_base64(bytes));
    ASSERT_TRUE(back);
    ASSERT_EQ(*back, bytes);
    bytes.push_back(static_cast<uint8_t>(i * 37));
  }
}

TEST(Base64, KnowsThePaddedForm) {
  EXPECT_EQ(to_base64(as_bytes("Hello")), "SGVsbG8=");
  EXPECT_EQ(to_base64(Bytes{0, 0}), "AAA=");
  std::string text = "data:";
  append_base64(text, Bytes{0, 0});
  EXPECT_EQ(text, "data:AAA=");
  EXPECT_EQ(as_text(*from_base64("SGVsbG8")), "Hello");
}

TEST(Base64, RefusesOtherText) {
  for (const char* text : {"A", "A===", "AA=A", "AAA-", "AA==\n", "====", "A A A"})
    EXPECT_FALSE(from_base64(text)) << text;
}

TEST(Hex, RoundTripsAndRefusesOddText) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0xff, 0x1a}), "00ff1a");
  EXPECT_EQ(from_hex("00FF1a"), (Bytes{0x00, 0xff, 0x1a}));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

}  // namespace
}  // namespace diaryx
