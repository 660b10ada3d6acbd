#include "diaryx/sync/history_record.h"

#include <gtest/gtest.h>

#include "diaryx/base/sha256.h"

namespace diaryx::sync {
namespace {

const HistoryDevice kLaptop{"0a1b", "Laptop"};
const HistoryDevice kPhone{"ffee", ""};

std::vector<HistoryRecord> samples() {
  return {
      {.sequence = 1, .time = TimestampMs{1'700'000'000'000}, .origin = HistoryOrigin::Base, .update = {0, 0}},
      {.sequence = 7, .time = TimestampMs{1'700'000'000'900}, .device = kLaptop, .update = {1, 2, 3}},
      // A clock that was set back.
      {.sequence = 8, .time = TimestampMs{1'600'000'000'000}, .origin = HistoryOrigin::Remote, .update = {}},
      {.sequence = 9,
       .time = TimestampMs{-5},
       .origin = HistoryOrigin::Move,
       .device = kPhone,
       .note = "old é.md",
       .update = Bytes(300, 7)},
      {.sequence = kMaxVarUint,
       .time = TimestampMs{1'700'000'000'000},
       .origin = HistoryOrigin::Restore,
       .device = kLaptop,
       .note = "r1",
       .merged = 40,
       .span = DurationMs{3'600'000},
       .writers = {{ClientId{1}, kLaptop}, {ClientId{(uint64_t{1} << 53) - 1}, kPhone}},
       .update = {9}},
  };
}

/// The block with another content and a check that matches it.
Bytes sealed(Bytes content) {
  const Sha256 digest = sha256(ByteView(content));
  content.insert(content.end(), digest.bytes.begin(), digest.bytes.begin() + 8);
  return content;
}

TEST(HistoryRecord, ComesBackAsItWas) {
  const std::vector<HistoryRecord> records = samples();
  const Result<Bytes> block = encode_history_block(records);
  ASSERT_TRUE(block);
  EXPECT_EQ(decode_history_block(*block), records);
  for (const HistoryRecord& record : records) {
    const Result<Bytes> single = encode_history_block({&record, 1});
    ASSERT_TRUE(single);
    EXPECT_EQ(decode_history_block(*single), std::vector<HistoryRecord>{record});
  }
}

TEST(HistoryRecord, EveryChangedOrMissingByteIsNoticed) {
  const Bytes block = *encode_history_block(samples());
  for (size_t at = 0; at < block.size(); ++at) {
    Bytes damaged = block;
    damaged[at] ^= 0x20;
    EXPECT_FALSE(decode_history_block(damaged)) << "byte " << at;
    EXPECT_FALSE(decode_history_block(ByteView(block).first(at))) << "cut at " << at;
  }
}

TEST(HistoryRecord, RefusesWhatNoWriterMakes) {
  // Each is the block of one small record with one thing wrong, sealed again.
  const struct {
    const char* name;
    Bytes content;
    ErrorCode code;
  } cases[] = {
      {"another version", {2, 0, 1, 1, 0, 0, 0}, ErrorCode::UnknownTag},
      {"no record", {1, 0, 0}, ErrorCode::Truncated},
      {"more records than bytes", {1, 0, 200, 1, 1, 0, 0, 0}, ErrorCode::Truncated},
      {"more devices than bytes", {1, 90, 1, 1, 0, 0, 0}, ErrorCode::Truncated},
      {"sequence zero", {1, 0, 1, 0, 0, 0, 0}, ErrorCode::BadReference},
      {"an unknown origin", {1, 0, 1, 1, 0, 7, 0}, ErrorCode::UnknownTag},
      {"an unknown flag", {1, 0, 1, 1, 0, 0x40, 0}, ErrorCode::UnknownTag},
      {"a device that is not listed", {1, 0, 1, 1, 0, 8, 0, 0}, ErrorCode::BadReference},
      {"bytes behind the last record", {1, 0, 1, 1, 0, 0, 0, 0}, ErrorCode::TrailingBytes},
      {"an update that is longer than the block", {1, 0, 1, 1, 0, 0, 5, 1}, ErrorCode::Truncated},
  };
  EXPECT_TRUE(decode_history_block(sealed({1, 0, 1, 1, 0, 0, 0})));
  for (const auto& c : cases) {
    const auto decoded = decode_history_block(sealed(c.content));
    ASSERT_FALSE(decoded) << c.name;
    EXPECT_EQ(decoded.error().code, c.code) << c.name;
  }
}

TEST(HistoryRecord, NamesADeviceOncePerBlock) {
  std::vector<HistoryRecord> records;
  for (uint64_t i = 1; i <= 100; ++i) {
    records.push_back({.sequence = i,
                       .time = TimestampMs{1'700'000'000'000 + static_cast<int64_t>(i) * 700},
                       .device = {"0b9d6b3e-3b39-4b8f-a8a9-6a6a5a0c4b1e", "Laptop"},
                       .update = Bytes(20, 1)});
  }
  // 20 bytes of update and 6 around them: sequence 1, time 2, flags 1, device 1, length 1.
  EXPECT_LE(encode_history_block(records)->size(), 100 * 26 + 80u);
}

}  // namespace
}  // namespace diaryx::sync
