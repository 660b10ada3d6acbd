#include "diaryx/base/utf.h"

#include <gtest/gtest.h>

namespace diaryx {
namespace {

TEST(Utf8, AcceptsEveryScalarAndRefusesEverySurrogate) {
  for (char32_t scalar = 0; scalar <= 0x10ffff; scalar += scalar < 0x3000 ? 1 : 61) {
    if (scalar >= 0xd800 && scalar <= 0xdfff) continue;
    std::string text;
    append_utf8(text, scalar);
    ASSERT_TRUE(is_valid_utf8(text)) << std::hex << static_cast<uint32_t>(scalar);
    ASSERT_EQ(scalar_at(text, 0), scalar);
    ASSERT_EQ(utf16_length(text).value(), scalar > 0xffff ? 2u : 1u);
  }
  for (const char* bad :
       {"\xed\xa0\x80", "\xed\xbf\xbf", "\xc0\xaf", "\xe0\x80\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80", "\x80", "\xc3", "\xe2\x82", "abcdefgh\xff", "\xc3\x28"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(Utf8, ConvertsOffsetsBothWays) {
  const std::string text = "aé😀b";  // bytes 0,1,3,7,8; units 0,1,2,4,5
  EXPECT_EQ(utf16_length(text).value(), 5u);
  EXPECT_EQ(to_utf8(text, Utf16Offset{2}).value(), 3u);
  EXPECT_EQ(to_utf8(text, Utf16Offset{3}).value(), 3u);  // inside the pair: its start
  EXPECT_EQ(to_utf8(text, Utf16Offset{4}).value(), 7u);
  EXPECT_EQ(to_utf8(text, Utf16Offset{99}).value(), 8u);
  EXPECT_EQ(to_utf16(text, Utf8Offset{3}).value(), 2u);
  EXPECT_EQ(to_utf16(text, Utf8Offset{5}).value(), 2u);  // inside the character: its start
  EXPECT_EQ(to_utf16(text, Utf8Offset{8}).value(), 5u);
}

TEST(Utf8, TellsAscii) {
  EXPECT_TRUE(is_ascii("plain text, quite long"));
  EXPECT_FALSE(is_ascii("plain text, quite lông"));
  EXPECT_FALSE(is_ascii("é"));
  EXPECT_TRUE(is_ascii(""));
}

}  // namespace
}  // namespace diaryx
