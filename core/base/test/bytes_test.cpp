#include "diaryx/base/bytes.h"

#include <gtest/gtest.h>

namespace diaryx {
namespace {

TEST(ShortBytes, AreCopiedAndComparedWhole) {
  for (size_t size = 0; size <= 120; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>('a' + i % 26);
    std::string copy(size + 2, '.');
    copy_short(copy.data() + 1, text.data(), size);
    EXPECT_EQ(copy, "." + text + ".");
    EXPECT_TRUE(equal_short(text, std::string_view(copy).substr(1, size)));
    EXPECT_FALSE(equal_short(text, copy));
    for (size_t i = 0; i < size; ++i) {
      copy[1 + i] ^= 0x20;
      EXPECT_FALSE(equal_short(text, std::string_view(copy).substr(1, size))) << size << ", byte " << i;
      copy[1 + i] ^= 0x20;
    }
  }
}

struct VarUintCase {
  const char* name;
  uint64_t value;
  Bytes bytes;
};

class VarUint : public testing::TestWithParam<VarUintCase> {};

TEST_P(VarUint, WritesAndReadsTheSame) {
  Writer out;
  out.var_uint(GetParam().value);
  EXPECT_EQ(to_bytes(out.view()), GetParam().bytes);
  Reader in(GetParam().bytes);
  EXPECT_EQ(in.var_uint(), GetParam().value);
  EXPECT_TRUE(in.at_end());
}

INSTANTIATE_TEST_SUITE_P(
    Vectors, VarUint,
    testing::Values(VarUintCase{"zero", 0, {0}}, VarUintCase{"largest_in_one_byte", 127, {0x7f}},
                    VarUintCase{"smallest_in_two_bytes", 128, {0x80, 0x01}},
                    VarUintCase{"three_hundred", 300, {0xac, 0x02}},
                    VarUintCase{"largest_client_id", kMaxVarUint, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f}}),
    [](const auto& info) { return info.param.name; });

TEST(VarUintErrors, RefusesWhatIsTooLongOrCut) {
  const auto read = [](Bytes bytes) { return Reader(bytes).var_uint(); };
  EXPECT_EQ(read({}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(read({0x80}).error().code, ErrorCode::Truncated);
  EXPECT_EQ(read({0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f}).error().code, ErrorCode::VarUintTooLong);
  EXPECT_EQ(read(Bytes(11, 0x80)).error().code, ErrorCode::VarUintTooLong);
  EXPECT_EQ(read({0x80, 0x80, 0x00}), 0u);  // overlong zero, as Yjs accepts
}

struct VarIntCase {
  const char* name;
  SignedMagnitude value;
  Bytes bytes;
};

class VarInt : public testing::TestWithParam<VarIntCase> {};

TEST_P(VarInt, WritesAndReadsTheSame) {
  Writer out;
  out.var_int(GetParam().value);
  EXPECT_EQ(to_bytes(out.view()), GetParam().bytes);
  Reader in(GetParam().bytes);
  const auto read = in.var_int();
  ASSERT_TRUE(read);
  EXPECT_EQ(read->magnitude, GetParam().value.magnitude);
  EXPECT_EQ(read->negative, GetParam().value.negative);
}

INSTANTIATE_TEST_SUITE_P(Vectors, VarInt,
                         testing::Values(VarIntCase{"zero", {0, false}, {0x00}},
                                         VarIntCase{"minus_zero", {0, true}, {0x40}},
                                         VarIntCase{"minus_one", {1, true}, {0x41}},
                                         VarIntCase{"largest_in_one_byte", {63, false}, {0x3f}},
                                         VarIntCase{"smallest_in_two_bytes", {64, false}, {0x80, 0x01}},
                                         VarIntCase{"minus_64", {64, true}, {0xc0, 0x01}}),
                         [](const auto& info) { return info.param.name; });

TEST(Reader, ChecksStringsAndLengths) {
  EXPECT_EQ(Reader(Bytes{2, 'h', 'i'}).var_string(), "hi");
  EXPECT_EQ(Reader(Bytes{3, 'h', 'i'}).var_string().error().code, ErrorCode::Truncated);
  EXPECT_EQ(Reader(Bytes{2, 0xc3, 0x28}).var_string().error().code, ErrorCode::InvalidUtf8);
}

TEST(Writer, WritesFixedNumbersBigEndian) {
  Writer out;
  out.u64_be(0x0102030405060708);
  EXPECT_EQ(out.take(), (Bytes{1, 2, 3, 4, 5, 6, 7, 8}));
}

}  // namespace
}  // namespace diaryx
