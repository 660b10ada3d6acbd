// Reads untrusted bytes with one sticky error: after the first failure every read gives zero and nothing advances.
//
// The decoder of updates reads a dozen numbers per struct; testing each result would double its branches. Loops over announced
// counts must test `ok()` in every round.
#pragma once

#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/utf.h"

namespace diaryx::crdt {

class Cursor {
 public:
  Cursor() = default;
  explicit Cursor(ByteView bytes) : begin_(bytes.data()), at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool ok() const { return !failed_; }
  bool at_end() const { return at_ == end_; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  size_t position() const { return static_cast<size_t>(at_ - begin_); }
  const uint8_t* at() const { return at_; }
  /// What lies before `at`, which is within the input, was read.
  void read_to(const uint8_t* at) { at_ = at; }
  Error error() const { return {code_, static_cast<uint32_t>(failed_at_)}; }

  void fail(ErrorCode code) {
    if (failed_) return;
    failed_ = true;
    code_ = code;
    failed_at_ = position();
    at_ = end_;
  }

  uint8_t u8() {
    if (at_ == end_) [[unlikely]]
      return fail(ErrorCode::Truncated), uint8_t{0};
    return *at_++;
  }

  /// At most 2^53-1.
  uint64_t var_uint() {
    if (at_ != end_ && at_[0] < 0x80) [[likely]]
      return *at_++;
    return long_var_uint();
  }

  /// Whether a varUint had more bytes than its value needs, so that nobody would write it so again.
  bool has_padding() const { return has_padding_; }

  /// A varUint that must fit 32 bits; what is too large is a clock that we do not keep.
  uint32_t var_clock() {
    const uint64_t value = var_uint();
    if (value > 0xffffffffu) [[unlikely]]
      return fail(ErrorCode::ClockOverflow), 0u;
    return static_cast<uint32_t>(value);
  }

  SignedMagnitude var_int();

  ByteView bytes(uint64_t size) {
    if (size > remaining()) [[unlikely]]
      return fail(ErrorCode::Truncated), ByteView{};
    const ByteView view{at_, static_cast<size_t>(size)};
    at_ += size;
    return view;
  }
  ByteView var_bytes() { return bytes(var_uint()); }

  /// Strict UTF-8.
  std::string_view var_string() {
    const std::string_view text = as_text(var_bytes());
    if (!is_ascii(text) && !is_valid_utf8(text)) [[unlikely]]
      return fail(ErrorCode::InvalidUtf8), std::string_view{};
    return text;
  }

 private:
  uint64_t long_var_uint();

  const uint8_t* begin_ = nullptr;
  const uint8_t* at_ = nullptr;
  const uint8_t* end_ = nullptr;
  size_t failed_at_ = 0;
  ErrorCode code_ = ErrorCode::Truncated;
  bool failed_ = false;
  bool has_padding_ = false;
};

}  // namespace diaryx::crdt
