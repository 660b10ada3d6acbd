// The bytes of contents: append-only, with extents that can grow at their end.
//
// 1. An extent is (offset, size); who refers to it knows both.
// 2. What is dropped or moved away leaves a hole; the owner compacts when `mostly_dead`.
#pragma once

#include <array>
#include <cstdint>

#include "diaryx/base/bytes.h"

namespace diaryx::crdt {

class ByteHeap {
 public:
  /// Copies `bytes` in; they may lie in this heap. Returns the offset.
  uint32_t add(ByteView bytes);
  /// Makes the extent longer by `more`, in place if it lies at an open end, else by moving it. Returns its offset.
  /// Cost: amortised in proportion to `more`.
  uint32_t extend(uint32_t offset, uint32_t size, ByteView more);
  void drop(uint32_t size) { dead_ += size; }

  ByteView view(uint32_t offset, uint32_t size) const { return {bytes_.data() + offset, size}; }
  uint8_t* data(uint32_t offset) { return bytes_.data() + offset; }
  void reserve(size_t size) { bytes_.reserve(size); }
  /// True if `more` bytes fit: offsets have 32 bits.
  bool has_room(size_t more) const { return more < (size_t{1} << 31) - 1 && bytes_.size() < (size_t{1} << 31) - more; }

  bool mostly_dead() const { return dead_ > 4096 && dead_ > bytes_.size() / 2; }
  size_t size() const { return bytes_.size(); }
  size_t memory_bytes() const { return bytes_.capacity(); }

 private:
  struct Tail {
    uint32_t end = 0;       // where an extent ends
    uint32_t capacity = 0;  // up to where it may grow
  };

  void make_room(size_t more);

  Bytes bytes_;
  size_t dead_ = 0;
  std::array<Tail, 4> tails_{};  // extents with room behind them, the most recent last
};

}  // namespace diaryx::crdt
