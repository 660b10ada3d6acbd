#include "cursor.h"

namespace diaryx::crdt {

uint64_t Cursor::var_uint_slow() {
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxVarUintBytes; ++i) {
    if (at_ == end_) return fail(ErrorCode::Truncated), 0;
    const uint8_t byte = *at_;
    const uint64_t bits = byte & 0x7f;
    // The tenth byte holds bits 63 and up; anything there is beyond 2^53-1 already.
    if (i == 9 ? bits != 0 : (bits << (7 * i)) > kMaxVarUint) return fail(ErrorCode::VarUintTooLong), 0;
    ++at_;
    value |= i == 9 ? 0 : bits << (7 * i);
    if (byte < 0x80) return value;
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
