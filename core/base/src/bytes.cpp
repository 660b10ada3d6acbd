#include "diaryx/base/bytes.h"

#include <limits>

#include "diaryx/base/utf.h"

namespace diaryx {

Result<uint64_t> Reader::var_uint_slow() {
  uint64_t value = 0;
  for (size_t i = 0; i < kMaxVarUintBytes; ++i) {
    DX_TRY(const uint8_t byte, u8());
    const uint64_t group = byte & 0x7f;
    // Groups 0..6 fill 49 bits, group 7 may add four more; a later group may only repeat zeros.
    if (i < 8) {
      value |= group << (7 * i);
    } else if (group != 0) {
      return fail(ErrorCode::VarUintTooLong, position_);
    }
    if (value > kMaxVarUint) return fail(ErrorCode::VarUintTooLong, position_);
    if (byte < 0x80) return value;
  }
  return fail(ErrorCode::VarUintTooLong, position_);
}

Result<SignedMagnitude> Reader::var_int() {
  // First byte: more, sign, six bits; then more and seven bits each.
  DX_TRY(const uint8_t first, u8());
  SignedMagnitude value{.magnitude = first & uint64_t{0x3f}, .negative = (first & 0x40) != 0};
  if (first < 0x80) return value;
  unsigned shift = 6;
  for (size_t i = 1; i < kMaxVarUintBytes; ++i) {
    DX_TRY(const uint8_t byte, u8());
    const uint64_t group = byte & 0x7f;
    if (group != 0) {
      if (shift > 52) return fail(ErrorCode::VarUintTooLong, position_);
      value.magnitude |= group << shift;
      if (value.magnitude > kMaxVarUint) return fail(ErrorCode::VarUintTooLong, position_);
    }
    shift += 7;
    if (byte < 0x80) return value;
  }
  return fail(ErrorCode::VarUintTooLong, position_);
}

Result<ByteView> Reader::var_bytes() {
  DX_TRY(const uint64_t size, var_uint());
  if (size > remaining()) return fail(ErrorCode::Truncated, position_);
  return bytes(static_cast<size_t>(size));
}

Result<std::string_view> Reader::var_string() {
  const size_t start = position_;
  DX_TRY(const ByteView view, var_bytes());
  if (!is_valid_utf8(as_text(view))) return fail(ErrorCode::InvalidUtf8, start);
  return as_text(view);
}

void Writer::var_int(SignedMagnitude value) {
  const uint8_t sign = value.negative ? 0x40 : 0;
  const auto low = static_cast<uint8_t>(value.magnitude & 0x3f);
  const uint64_t rest = value.magnitude >> 6;
  u8(static_cast<uint8_t>((rest != 0 ? 0x80 : 0) | sign | low));
  if (rest != 0) var_uint(rest);
}

void Writer::u64_be(uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) u8(static_cast<uint8_t>(value >> shift));
}

}  // namespace diaryx
