// A growing pool of equal slots named by 32-bit handles. References to slots stay valid while the pool grows.
//
// 1. Handle 0 is never given out.
// 2. Slots lie in chunks of kPerChunk. Several chunks may share one allocation, so that a small document allocates little and
//    a large one seldom.
#pragma once

#include <cstddef>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "diaryx/base/result.h"
#include "handles.h"

namespace diaryx::crdt {

template <typename Slot, typename Handle, uint32_t kPerChunk>
class Slab {
  static_assert((kPerChunk & (kPerChunk - 1)) == 0);

 public:
  Slab() { (void)add(); }  // takes handle 0
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;
  ~Slab() {
    if constexpr (!std::is_trivially_destructible_v<Slot>) {
      for (uint32_t i = 0; i < used_; ++i) std::destroy_at(&(*this)[static_cast<Handle>(i)]);
    }
  }

  Slot& operator[](Handle handle) {
    const uint32_t index = raw(handle);
    return chunks_[index / kPerChunk][index % kPerChunk];
  }
  const Slot& operator[](Handle handle) const {
    const uint32_t index = raw(handle);
    return chunks_[index / kPerChunk][index % kPerChunk];
  }

  /// A slot with a default value.
  struct Added {
    Handle handle;
    Slot& slot;
  };
  Added add() {
    if (!free_.empty()) [[unlikely]] {
      const Handle handle = free_.back();
      free_.pop_back();
      return {handle, (*this)[handle]};
    }
    if (used_ == capacity_) [[unlikely]]
      grow(more_chunks());
    const auto handle = static_cast<Handle>(used_++);
    return {handle, *std::construct_at(&(*this)[handle])};
  }

  /// The same for who comes from elsewhere. In a large pool the table of chunks is large, too; this waits for the slot alone, while what
  /// `[]` will ask of the table is fetched.
  Slot& far(Handle handle) const {
    const uint32_t index = raw(handle);
    Slot* const* const chunk = &chunks_[index / kPerChunk];
    __builtin_prefetch(chunk);
    if (const uint32_t at = index - reserved_from_; at < reserved_) return reserved_slots_[at];
    if (index < large_from_) return (*chunk)[index % kPerChunk];
    const uint32_t at = index - large_from_;
    return slots(blocks_[large_block_ + at / kPerLargeBlock])[at % kPerLargeBlock];
  }

  /// Makes room for `count` more slots, in one allocation. A large pool takes what it needs as it needs it.
  void reserve(uint32_t count) {
    const uint32_t unused = capacity_ - used_;
    if (count <= unused || is_large()) return;
    reserved_from_ = capacity_;
    grow((count - unused + kPerChunk - 1) / kPerChunk);
    reserved_ = capacity_ - reserved_from_;
    reserved_slots_ = slots(blocks_.back());
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
  static constexpr uint32_t kPerLargeBlock = 8192;

  bool is_large() const { return large_from_ != kNever; }

  /// A pool grows by a quarter, then by blocks of one size.
  uint32_t more_chunks() {
    const auto more = static_cast<uint32_t>(chunks_.size() / 4 + 1);
    if (more < kPerLargeBlock / kPerChunk) return more;
    if (!is_large()) {
      large_from_ = capacity_;
      large_block_ = static_cast<uint32_t>(blocks_.size());
    }
    return kPerLargeBlock / kPerChunk;
  }

  void grow(uint32_t more) {
    DX_ASSERT(capacity_ <= 0xffffffffu - more * kPerChunk);
    blocks_.push_back(std::make_unique_for_overwrite<Room[]>(size_t{more} * kPerChunk));
    Slot* const first = slots(blocks_.back());
    for (uint32_t i = 0; i < more; ++i) chunks_.push_back(first + size_t{i} * kPerChunk);
    capacity_ += more * kPerChunk;
  }

  // Room for a slot, which begins to live when it is given out: memory that is touched twice is paid for twice.
  struct alignas(Slot) Room {
    std::byte bytes[sizeof(Slot)];
  };

  static Slot* slots(const std::unique_ptr<Room[]>& block) { return reinterpret_cast<Slot*>(block.get()); }

  std::vector<std::unique_ptr<Room[]>> blocks_;  // the allocations
  std::vector<Slot*> chunks_;  // owned by blocks_
  // The slots of the last `reserve`, which lie in a row.
  Slot* reserved_slots_ = nullptr;
  uint32_t reserved_from_ = 0;
  uint32_t reserved_ = 0;
  // From this index and this block on, each block has kPerLargeBlock slots.
  static constexpr uint32_t kNever = 0xffffffffu;
  uint32_t large_from_ = kNever;
  uint32_t large_block_ = 0;
  std::vector<Handle> free_;
  uint32_t used_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace diaryx::crdt
