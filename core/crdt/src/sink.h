// Output bytes; grows in steps so that writing one number is a few instructions.
#pragma once

#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx::crdt {

/// Writes `value` to `at` and returns the end of it.
template <typename Unsigned>
uint8_t* put_var_uint(uint8_t* at, Unsigned value) {
  while (value >= 0x80) {
    *at++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<uint8_t>(value);
  return at;
}

/// Sign and magnitude; -0 is a value of its own.
inline uint8_t* put_var_int(uint8_t* at, uint64_t magnitude, bool negative) {
  const auto first = static_cast<uint8_t>((magnitude & 0x3f) | (negative ? 0x40 : 0));
  magnitude >>= 6;
  *at++ = magnitude == 0 ? first : static_cast<uint8_t>(first | 0x80);
  return magnitude == 0 ? at : put_var_uint(at, magnitude);
}

class Sink {
 public:
  void u8(uint8_t value) {
    if (size_ == bytes_.size()) [[unlikely]]
      grow(1);
    bytes_[size_++] = value;
  }

  void var_uint(uint64_t value) { written_to(put_var_uint(room(kMaxVarUintBytes), value)); }

  /// Room for `size` bytes behind what is written; `written_to` says how far they were used.
  uint8_t* room(size_t size) {
    if (bytes_.size() - size_ < size) [[unlikely]]
      grow(size);
    return bytes_.data() + size_;
  }
  void written_to(const uint8_t* end) { size_ = static_cast<size_t>(end - bytes_.data()); }

  void var_int(uint64_t magnitude, bool negative) {
    written_to(put_var_int(room(kMaxVarUintBytes + 1), magnitude, negative));
  }

  void raw(ByteView view) {
    if (view.empty()) return;
    if (bytes_.size() - size_ < view.size()) grow(view.size());
    memcpy(bytes_.data() + size_, view.data(), view.size());
    size_ += view.size();
  }
  void raw(std::string_view text) { raw(as_bytes(text)); }
  void var_bytes(ByteView view) {
    var_uint(view.size());
    raw(view);
  }
  void var_string(std::string_view text) { var_bytes(as_bytes(text)); }

  size_t size() const { return size_; }
  ByteView view() const { return {bytes_.data(), size_}; }
  void reserve(size_t size_bytes) {
    if (size_bytes > bytes_.size()) bytes_.resize(size_bytes);
  }
  void clear() { size_ = 0; }
  /// The same for a place that is used again: what is larger than is worth keeping is given back.
  void clear_for_next() {
    size_ = 0;
    if (bytes_.size() > kWorthKeeping) [[unlikely]]
      Bytes().swap(bytes_);
  }
  static constexpr size_t kWorthKeeping = 256;
  Bytes take() {
    bytes_.resize(size_);
    size_ = 0;
    return std::move(bytes_);
  }

 private:
  void grow(size_t more) {
    const size_t doubled = bytes_.size() * 2 + 32;
    bytes_.resize(doubled > size_ + more ? doubled : size_ + more);
  }

  Bytes bytes_;      // bytes_.size() is what is allocated, size_ what is written
  size_t size_ = 0;
};

}  // namespace diaryx::crdt
