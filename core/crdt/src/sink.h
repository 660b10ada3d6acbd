// Output bytes; grows in steps so that writing one number is a few instructions.
#pragma once

#include <algorithm>
#include <memory>
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

/// The same without a branch for each byte: how many a clock has is hard to guess. Four bytes are written, whatever comes back.
inline uint8_t* put_var_clock(uint8_t* at, uint32_t value) {
  if (value >= 1u << 28) [[unlikely]]
    return put_var_uint(at, value);
  const uint32_t more = (value > 0x7f) + (value > 0x3fff) + (value > 0x1fffff);  // bytes behind the first
  uint32_t word = (value & 0x7f) | (value & 0x3f80) << 1 | (value & 0x1fc000) << 2 | (value & 0xfe00000) << 3;
  word |= 0x808080u & ((1u << 8 * more) - 1);  // all but the last say that one follows
  memcpy(at, &word, 4);
  return at + more + 1;
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
    if (size_ == capacity_) [[unlikely]]
      grow(1);
    bytes_[size_++] = value;
  }

  void var_uint(uint64_t value) { written_to(put_var_uint(room(kMaxVarUintBytes), value)); }

  /// Room for `size` bytes behind what is written; `written_to` says how far they were used.
  uint8_t* room(size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      grow(size);
    return bytes_.get() + size_;
  }
  void written_to(const uint8_t* end) { size_ = static_cast<size_t>(end - bytes_.get()); }

  void var_int(uint64_t magnitude, bool negative) {
    written_to(put_var_int(room(kMaxVarUintBytes + 1), magnitude, negative));
  }

  void raw(ByteView view) {
    copy_short(room(view.size()), view.data(), view.size());
    size_ += view.size();
  }
  void raw(std::string_view text) { raw(as_bytes(text)); }
  void var_bytes(ByteView view) {
    var_uint(view.size());
    raw(view);
  }
  void var_string(std::string_view text) { var_bytes(as_bytes(text)); }

  size_t size() const { return size_; }
  ByteView view() const { return {bytes_.get(), size_}; }
  void reserve(size_t size_bytes) {
    if (size_bytes > capacity_) reallocate(size_bytes);
  }
  void clear() { size_ = 0; }
  /// The same for a place that is used again: more than is worth keeping is given back.
  void clear_for_next() {
    size_ = 0;
    if (capacity_ <= kWorthKeeping) [[likely]]
      return;
    bytes_.reset();
    capacity_ = 0;
  }
  /// What was written, without room behind it; cleared for the next.
  Bytes take() {
    Bytes taken = to_bytes(view());
    clear_for_next();
    return taken;
  }

 private:
  static constexpr size_t kWorthKeeping = 256;

  [[gnu::noinline]] void grow(size_t more) { reallocate(std::max(2 * capacity_ + 32, size_ + more)); }
  void reallocate(size_t capacity) {
    auto grown = std::make_unique_for_overwrite<uint8_t[]>(capacity);
    if (size_ > 0) memcpy(grown.get(), bytes_.get(), size_);
    bytes_ = std::move(grown);
    capacity_ = capacity;
  }

  std::unique_ptr<uint8_t[]> bytes_;  // not a vector, which would fill what is about to be written
  size_t capacity_ = 0;
  size_t size_ = 0;
};

}  // namespace diaryx::crdt
