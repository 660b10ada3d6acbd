// A growing pool of equal slots named by 32-bit handles. References to slots stay valid while the pool grows.
//
// 1. Handle 0 is never given out.
// 2. Slots lie in chunks of kPerChunk. Several chunks may share one allocation, so that a small document allocates little and
//    a large one seldom.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "diaryx/base/result.h"
#include "handles.h"

namespace diaryx::crdt {

template <typename Slot, typename Handle, uint32_t kPerChunk>
class Slab {
  static_assert((kPerChunk & (kPerChunk - 1)) == 0);

 public:
  Slab() { (void)add(); }  // takes handle 0

  Slot& operator[](Handle handle) {
    const uint32_t index = raw(handle);
    return chunks_[index / kPerChunk][index % kPerChunk];
  }
  const Slot& operator[](Handle handle) const {
    const uint32_t index = raw(handle);
    return chunks_[index / kPerChunk][index % kPerChunk];
  }

  /// A slot with a default value.
  Handle add() {
    if (!free_.empty()) {
      const Handle handle = free_.back();
      free_.pop_back();
      return handle;
    }
    if (used_ == capacity_) grow(more_chunks());
    return static_cast<Handle>(used_++);
  }

  /// Makes room for `count` more slots, in one allocation.
  void reserve(uint32_t count) {
    const uint32_t unused = capacity_ - used_;
    if (count > unused) grow((count - unused + kPerChunk - 1) / kPerChunk);
  }

  void release(Handle handle) {
    (*this)[handle] = Slot{};
    free_.push_back(handle);
  }

  /// Slots ever given out, plus one.
  uint32_t end() const { return used_; }
  size_t memory_bytes() const {
    return size_t{capacity_} * sizeof(Slot) + chunks_.capacity() * sizeof(Slot*) + free_.capacity() * sizeof(Handle);
  }

 private:
  static constexpr uint32_t kMaxChunksAtOnce = 4096 / kPerChunk + 1;

  uint32_t more_chunks() const {
    const auto more = static_cast<uint32_t>(chunks_.size() / 4 + 1);
    return more < kMaxChunksAtOnce ? more : kMaxChunksAtOnce;
  }

  void grow(uint32_t more) {
    DX_ASSERT(capacity_ <= 0xffffffffu - more * kPerChunk);
    blocks_.push_back(std::make_unique<Slot[]>(size_t{more} * kPerChunk));
    for (uint32_t i = 0; i < more; ++i) chunks_.push_back(blocks_.back().get() + size_t{i} * kPerChunk);
    capacity_ += more * kPerChunk;
  }

  std::vector<std::unique_ptr<Slot[]>> blocks_;  // the allocations
  std::vector<Slot*> chunks_;  // owned by blocks_
  std::vector<Handle> free_;
  uint32_t used_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace diaryx::crdt
