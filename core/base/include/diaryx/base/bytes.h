// Owned and viewed bytes, and the reader and writer of lib0's primitives (varints, strings).
//
// Source: lib0 0.2 encoding.js / decoding.js as Yjs 13.6 uses them; docs/protocol.md.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"

namespace diaryx {

using Bytes = std::vector<uint8_t>;
using ByteView = std::span<const uint8_t>;

/// The largest integer that every peer can hold exactly.
inline constexpr uint64_t kMaxVarUint = (uint64_t{1} << 53) - 1;
/// No varint is longer than this, whatever it says.
inline constexpr size_t kMaxVarUintBytes = 10;

inline ByteView as_bytes(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }
inline Bytes to_bytes(ByteView view) { return {view.begin(), view.end()}; }

/// More than sixteen bytes, for `copy_short`.
inline void copy_words(uint8_t* out, const uint8_t* in, size_t size) {
  constexpr size_t kWorthACall = 96;
  if (size > kWorthACall) return void(std::memcpy(out, in, size));
  // The last sixteen bytes come by themselves; they overlap with what the loop copied.
  const size_t last = size - 16;
  uint64_t words[2];
  for (size_t at = 0; at < last; at += sizeof words) {
    std::memcpy(words, in + at, sizeof words);
    std::memcpy(out + at, words, sizeof words);
  }
  std::memcpy(words, in + last, sizeof words);
  std::memcpy(out + last, words, sizeof words);
}

/// memcpy where nearly all that is copied is a few bytes: the call would cost more than the copy, above all in WebAssembly, which leaves
/// the module for it. Any size may come.
inline void copy_short(void* to, const void* from, size_t size) {
  auto* const out = static_cast<uint8_t*>(to);
  const auto* const in = static_cast<const uint8_t*>(from);
  // The first and the last bytes; in the middle they overlap.
  if (size > 16) [[unlikely]] {
    copy_words(out, in, size);
  } else if (size >= 8) {
    uint64_t first, last;
    std::memcpy(&first, in, 8);
    std::memcpy(&last, in + size - 8, 8);
    std::memcpy(out, &first, 8);
    std::memcpy(out + size - 8, &last, 8);
  } else if (size >= 4) {
    uint32_t first, last;
    std::memcpy(&first, in, 4);
    std::memcpy(&last, in + size - 4, 4);
    std::memcpy(out, &first, 4);
    std::memcpy(out + size - 4, &last, 4);
  } else if (size > 0) {
    const uint8_t first = in[0], middle = in[size / 2], last = in[size - 1];
    out[0] = first;
    out[size / 2] = middle;
    out[size - 1] = last;
  }
}

/// Whether two texts of which nearly all are short are the same, again without a call.
inline bool equal_short(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  const char* const x = a.data();
  const char* const y = b.data();
  const size_t size = a.size();
  const auto differ = [&]<typename Word>(Word, size_t at) {
    Word of_x, of_y;
    std::memcpy(&of_x, x + at, sizeof(Word));
    std::memcpy(&of_y, y + at, sizeof(Word));
    return of_x ^ of_y;
  };
  if (size > 16) [[unlikely]]
    return std::memcmp(x, y, size) == 0;
  if (size >= 8) return (differ(uint64_t{}, 0) | differ(uint64_t{}, size - 8)) == 0;
  if (size >= 4) return (differ(uint32_t{}, 0) | differ(uint32_t{}, size - 4)) == 0;
  if (size == 0) return true;
  return ((x[0] ^ y[0]) | (x[size / 2] ^ y[size / 2]) | (x[size - 1] ^ y[size - 1])) == 0;
}

/// A varInt as it stands on the wire: -0 exists and means something (`UintOptRle`).
struct SignedMagnitude {
  uint64_t magnitude;
  bool negative;
};

/// Reads from a view it does not own. Every read either advances or fails and leaves the position at the failure.
class Reader {
 public:
  explicit Reader(ByteView bytes) : bytes_(bytes) {}

  size_t position() const { return position_; }
  size_t remaining() const { return bytes_.size() - position_; }
  bool at_end() const { return position_ == bytes_.size(); }
  ByteView rest() const { return bytes_.subspan(position_); }

  /// Errors: Truncated.
  Result<uint8_t> u8() {
    if (at_end()) [[unlikely]]
      return fail(ErrorCode::Truncated, position_);
    return bytes_[position_++];
  }

  /// lib0 varUint, at most 2^53-1; overlong zeros are accepted up to ten bytes. Errors: Truncated, VarUintTooLong.
  Result<uint64_t> var_uint() {
    // Nearly every varint of an update is one byte.
    if (position_ < bytes_.size() && bytes_[position_] < 0x80) [[likely]]
      return bytes_[position_++];
    return var_uint_slow();
  }

  /// lib0 varInt (sign and magnitude, bit 6 of the first byte is the sign). Errors: Truncated, VarUintTooLong.
  Result<SignedMagnitude> var_int();

  /// `size` bytes, not copied. Errors: Truncated.
  Result<ByteView> bytes(size_t size) {
    if (size > remaining()) [[unlikely]]
      return fail(ErrorCode::Truncated, position_);
    const ByteView view = bytes_.subspan(position_, size);
    position_ += size;
    return view;
  }

  /// varUint length, then that many bytes, not copied. Errors: Truncated, VarUintTooLong.
  Result<ByteView> var_bytes();

  /// varUint byte length, then UTF-8, checked strictly. Errors: Truncated, VarUintTooLong, InvalidUtf8.
  Result<std::string_view> var_string();

 private:
  Result<uint64_t> var_uint_slow();

  ByteView bytes_;
  size_t position_ = 0;
};

/// Appends to bytes it owns; `take()` hands them over.
class Writer {
 public:
  Writer() = default;

  void u8(uint8_t value) { bytes_.push_back(value); }

  /// Shortest form. `value` is at most 2^64-1, although peers read only up to 2^53-1.
  void var_uint(uint64_t value) {
    while (value >= 0x80) {
      bytes_.push_back(static_cast<uint8_t>(value | 0x80));
      value >>= 7;
    }
    bytes_.push_back(static_cast<uint8_t>(value));
  }

  void var_int(SignedMagnitude value);
  void raw(ByteView view) { bytes_.insert(bytes_.end(), view.begin(), view.end()); }
  void var_bytes(ByteView view) {
    var_uint(view.size());
    raw(view);
  }
  void var_string(std::string_view text) { var_bytes(as_bytes(text)); }
  /// Eight bytes, big-endian.
  void u64_be(uint64_t value);

  size_t size() const { return bytes_.size(); }
  ByteView view() const { return bytes_; }
  void reserve(size_t size_bytes) { bytes_.reserve(size_bytes); }
  void clear() { bytes_.clear(); }
  Bytes take() { return std::move(bytes_); }

 private:
  Bytes bytes_;
};

}  // namespace diaryx
