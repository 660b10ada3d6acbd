#include "cursor.h"

namespace diaryx::crdt {

uint64_t Cursor::long_var_uint() {
  // Clocks of long documents have two or three bytes.
  if (end_ - at_ >= 3) {
    if (at_[1] < 0x80) {
      has_padding_ |= at_[1] == 0;
      const uint64_t value = (at_[0] & 0x7fu) | uint64_t{at_[1]} << 7;
      at_ += 2;
      return value;
    }
    if (at_[2] < 0x80) {
      has_padding_ |= at_[2] == 0;
      const uint64_t value = (at_[0] & 0x7fu) | (at_[1] & 0x7fu) << 7 | uint64_t{at_[2]} << 14;
      at_ += 3;
      return value;
    }
  }
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxVarUintBytes; ++i) {
    if (at_ == end_) return fail(ErrorCode::Truncated), 0;
    const uint8_t byte = *at_;
    const uint64_t bits = byte & 0x7f;
    // The tenth byte holds bits 63 and up; anything there is beyond 2^53-1 already.
    if (i == 9 ? bits != 0 : (bits << (7 * i)) > kMaxVarUint) return fail(ErrorCode::VarUintTooLong), 0;
    ++at_;
    value |= i == 9 ? 0 : bits << (7 * i);
    if (byte >= 0x80) continue;
    has_padding_ |= i > 0 && byte == 0;
    return value;
  }
  return fail(ErrorCode::VarUintTooLong), 0;
}

SignedMagnitude Cursor::var_int() {
  const uint8_t first = u8();
  SignedMagnitude result{static_cast<uint64_t>(first & 0x3f), (first & 0x40) != 0};
  if (first < 0x80) return result;
  for (size_t i = 0; i < kMaxVarUintBytes - 1; ++i) {
    if (at_ == end_) return fail(ErrorCode::Truncated), SignedMagnitude{0, false};
    const uint8_t byte = *at_;
    const uint64_t bits = byte & 0x7f;
    const size_t shift = 6 + 7 * i;
    if (bits > (kMaxVarUint >> (shift < 53 ? shift : 53)) && bits != 0) {
      return fail(ErrorCode::VarUintTooLong), SignedMagnitude{0, false};
    }
    ++at_;
    if (bits != 0) result.magnitude |= bits << shift;
    if (byte < 0x80) return result;
  }
  return fail(ErrorCode::VarUintTooLong), SignedMagnitude{0, false};
}

}  // namespace diaryx::crdt
