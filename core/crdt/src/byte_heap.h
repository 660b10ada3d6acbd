// The bytes of contents: append-only, with extents that can grow at their end.
//
// 1. An extent is (offset, size); who refers to it knows both.
// 2. What is dropped or moved away leaves a hole; the owner compacts when `mostly_dead`.
// 3. Contents may be put in before there are extents of them. Until they are settled they can be read where they lie, also when the heap
//    has moved; what no extent was made of by then is a hole.
// 4. From the first byte of an extent on, kSlack bytes can be read, and behind the last extent as many can be written: most contents are
//    shorter, and copying always as many is cheaper than asking for each size.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "diaryx/base/bytes.h"

namespace diaryx::crdt {

class ByteHeap {
 public:
  static constexpr size_t kSlack = 16;

  /// Copies `kSlack` bytes.
  static void copy_slack(void* to, const void* from) {
    uint64_t words[kSlack / 8];
    memcpy(words, from, kSlack);
    memcpy(to, words, kSlack);
  }

  /// Copies `bytes` in; they may lie in this heap. Returns the offset.
  uint32_t add(ByteView bytes) {
    const uint32_t offset = size_;
    append(bytes);
    return offset;
  }
  /// The same for bytes from which on `kSlack` can be read.
  uint32_t add_padded(ByteView bytes) {
    if (bytes.size() > kSlack || bytes.size() > capacity_ - size_) [[unlikely]]
      return add(bytes);
    copy_slack(bytes_.get() + size_, bytes.data());
    const uint32_t offset = size_;
    size_ += static_cast<uint32_t>(bytes.size());
    return offset;
  }
  /// What is in the heap now, which is nobody's yet, can be read where it is until `settle`.
  void hold() {
    held_ = bytes_.get();
    held_size_ = size_;
    dead_ = size_;
  }
  /// As `add`, but what is held stays where it is; each byte of that may be kept once.
  uint32_t keep(ByteView bytes) {
    if (held_ == nullptr || !is_held(bytes)) return add(bytes);
    dead_ -= bytes.size();
    return static_cast<uint32_t>(bytes.data() - held_);
  }
  /// Nobody reads any more what was held.
  void settle() {
    held_ = nullptr;
    left_.reset();
  }
  /// Makes the extent longer by `more`, in place if it lies at an open end, else by moving it. Returns its offset.
  /// Cost: amortised in proportion to `more`.
  uint32_t extend(uint32_t offset, uint32_t size, ByteView more) {
    if (offset + size != size_) return extend_inside(offset, size, more);
    append(more);
    return offset;
  }
  void drop(uint32_t size) { dead_ += size; }

  /// An empty extent may have any offset: contents that do not live here are empty ones.
  ByteView view(uint32_t offset, uint32_t size) const { return {size == 0 ? nullptr : data(offset), size}; }
  const uint8_t* data(uint32_t offset) const { return bytes_.get() + offset; }
  uint8_t* data(uint32_t offset) { return bytes_.get() + offset; }
  /// Makes room for `more` bytes.
  void reserve(size_t more) {
    if (more > capacity_ - size_) reallocate(size_ + more);
  }
  /// True if `more` bytes fit: offsets have 32 bits.
  bool has_room(size_t more) const { return more < (size_t{1} << 31) - 1 && size_ < (size_t{1} << 31) - more; }

  bool mostly_dead() const { return dead_ > 4096 && dead_ > size_ / 2; }
  size_t size() const { return size_; }
  size_t memory_bytes() const { return capacity_ + (capacity_ == 0 ? 0 : kSlack); }

 private:
  struct Tail {
    uint32_t end = 0;  // where an extent ends
    uint32_t capacity = 0;  // up to where it may grow
  };

  void append(ByteView bytes) {
    if (bytes.size() > capacity_ - size_) [[unlikely]]
      return append_with_growth(bytes);
    copy_short(bytes_.get() + size_, bytes.data(), bytes.size());
    size_ += static_cast<uint32_t>(bytes.size());
  }
  bool is_held(ByteView bytes) const;
  void append_with_growth(ByteView bytes);
  uint32_t extend_inside(uint32_t offset, uint32_t size, ByteView more);
  /// Room for `more` bytes, and `bytes` where they lie then.
  ByteView make_room(size_t more, ByteView bytes);
  void reallocate(size_t capacity);

  std::unique_ptr<uint8_t[]> bytes_;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  size_t dead_ = 0;
  const uint8_t* held_ = nullptr;  // where the held bytes were when `hold` was called: in `bytes_`, or in `left_`
  uint32_t held_size_ = 0;
  std::unique_ptr<uint8_t[]> left_;
  std::array<Tail, 4> tails_{};  // extents with room behind them, the most recent last
};

}  // namespace diaryx::crdt
