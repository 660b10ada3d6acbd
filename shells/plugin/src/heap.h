// The heap of the guest: an allocator of a fifth of the code of the C library's.
//
//   a block in use   | tag | payload ...                              |
//   a free block     | tag | next | previous |  ...            | size |
//
// The tag is the size of the block, which is a multiple of `kGrain`, and two bits: this block is free; the block before it is.
//
// Invariants (checked by `is_sound`)
//  1. Blocks stand side by side from the first to the last; a tag of size zero ends them.
//  2. No two free blocks stand side by side: what is given back joins its neighbours at once, so that a long session does not
//     break the memory into pieces.
//  3. A free block is in the list of the class of its size, and the bit of a class tells whether its list has any.
//
// Classes are exact up to `kExact` grains and eighths of powers of two beyond. The smallest class that fits is taken, so that
// large free blocks stay large.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace diaryx::plugin {

class Heap {
 public:
  /// Gives at least `bytes` of memory, right behind what it gave before; nothing when there is none.
  using Source = std::span<std::byte> (*)(size_t bytes);

  static constexpr size_t kGrain = 2 * sizeof(void*);

  explicit constexpr Heap(Source source) : source_(source) {}

  /// Aligned to `kGrain`; null when the source has no more. Cost: constant, but for a look at no more than `kLooks` blocks.
  void* allocate(size_t bytes) {
    if (bytes > kLargest) return nullptr;
    const size_t size = std::max(kSmallest, (bytes + sizeof(size_t) + kGrain - 1) / kGrain * kGrain);
    Block* block = find(size);
    if (block == nullptr) {
      if (!extend(size)) return nullptr;
      block = find(size);
      if (block == nullptr) return nullptr;
    }
    take_out(block);
    const size_t rest = size_of(block) - size;
    if (rest >= kSmallest) {
      block->tag = size | (block->tag & kPreviousFree);
      put_in(after(block), rest);
    } else {
      block->tag &= ~kFree;
      after(block)->tag &= ~kPreviousFree;
    }
    return &block->next;
  }

  /// Gives back what `allocate` gave. Null is nothing.
  void release(void* payload) {
    if (payload == nullptr) return;
    Block* block = at(payload, -kTagBytes);
    size_t size = size_of(block);
    if (Block* const next = after(block); (next->tag & kFree) != 0) {
      take_out(next);
      size += size_of(next);
    }
    if ((block->tag & kPreviousFree) != 0) {
      const size_t before = *size_at_end(block);
      block = at(block, -static_cast<ptrdiff_t>(before));
      take_out(block);
      size += before;
    }
    put_in(block, size);
  }

  /// All invariants hold. Walks the whole heap; for tests.
  bool is_sound() const {
    size_t free_blocks = 0;
    bool previous_free = false;
    for (Block* block = first_; block != nullptr && size_of(block) != 0; block = after(block)) {
      const bool is_free = (block->tag & kFree) != 0;
      if (((block->tag & kPreviousFree) != 0) != previous_free || (is_free && previous_free)) return false;
      if (is_free && *size_at_end(after(block)) != size_of(block)) return false;
      free_blocks += is_free ? 1 : 0;
      previous_free = is_free;
    }
    for (size_t index = 0; index < kClasses; ++index) {
      if ((lists_[index] != nullptr) != ((filled_[index / 32] >> (index % 32) & 1u) != 0)) return false;
      for (const Block* block = lists_[index]; block != nullptr; block = block->next, --free_blocks) {
        if ((block->tag & kFree) == 0 || class_of(size_of(block)) != index) return false;
      }
    }
    return free_blocks == 0;
  }

 private:
  struct Block {
    size_t tag;
    Block* next;
    Block* previous;
  };

  static constexpr size_t kFree = 1;
  static constexpr size_t kPreviousFree = 2;
  static constexpr ptrdiff_t kTagBytes = sizeof(size_t);
  static constexpr size_t kSmallest = 2 * kGrain;
  static constexpr size_t kLargest = size_t{1} << 31;
  static constexpr size_t kExact = 32;
  static constexpr size_t kClasses = kExact + (32 - 5) * 8;
  static constexpr int kLooks = 16;

  static Block* at(void* place, ptrdiff_t offset) {
    return reinterpret_cast<Block*>(static_cast<std::byte*>(place) + offset);
  }
  static size_t size_of(const Block* block) { return block->tag & ~(kFree | kPreviousFree); }
  static Block* after(Block* block) { return at(block, static_cast<ptrdiff_t>(size_of(block))); }
  /// The last word of the free block before `next`.
  static size_t* size_at_end(Block* next) { return reinterpret_cast<size_t*>(next) - 1; }

  static size_t class_of(size_t size) {
    const size_t grains = size / kGrain;
    if (grains < kExact) return grains;
    const size_t top = static_cast<size_t>(std::bit_width(grains)) - 1;
    return kExact + (top - 5) * 8 + (grains >> (top - 3) & 7);
  }

  /// A free block of at least `size`, or null.
  Block* find(size_t size) {
    size_t index = class_of(size);
    int looks = kLooks;
    for (Block* block = lists_[index]; block != nullptr && looks > 0; block = block->next, --looks) {
      if (size_of(block) >= size) return block;
    }
    ++index;
    uint32_t bits = filled_[index / 32] & ~uint32_t{0} << (index % 32);
    for (size_t word = index / 32;; bits = filled_[word]) {
      if (bits != 0) return lists_[word * 32 + static_cast<size_t>(std::countr_zero(bits))];
      if (++word == filled_.size()) return nullptr;
    }
  }

  void take_out(Block* block) {
    if (block->next != nullptr) block->next->previous = block->previous;
    if (block->previous != nullptr) {
      block->previous->next = block->next;
      return;
    }
    const size_t index = class_of(size_of(block));
    lists_[index] = block->next;
    if (block->next == nullptr) filled_[index / 32] &= ~(1u << (index % 32));
  }

  /// Makes a free block; the block before it is in use.
  void put_in(Block* block, size_t size) {
    const size_t index = class_of(size);
    block->tag = size | kFree;
    block->next = lists_[index];
    block->previous = nullptr;
    if (block->next != nullptr) block->next->previous = block;
    lists_[index] = block;
    filled_[index / 32] |= 1u << (index % 32);
    Block* const next = after(block);
    next->tag |= kPreviousFree;
    *size_at_end(next) = size;
  }

  /// More memory at the end, so that a block of `size` can be found.
  bool extend(size_t size) {
    size_t wanted = size + 2 * kGrain;  // the end, and what aligning the first block takes
    if (last_ != nullptr && (last_->tag & kPreviousFree) != 0) wanted -= std::min(size, *size_at_end(last_));
    const std::span<std::byte> more = source_(wanted);
    if (more.empty()) return false;
    std::byte* const end = more.data() + more.size();
    if (last_ == nullptr) {
      const auto start = reinterpret_cast<uintptr_t>(more.data());
      first_ = last_ = at(more.data(), static_cast<ptrdiff_t>((start + sizeof(size_t) + kGrain - 1) / kGrain * kGrain -
                                                              sizeof(size_t) - start));
      last_->tag = 0;
    }
    Block* const block = last_;
    const size_t room = static_cast<size_t>(end - reinterpret_cast<std::byte*>(block) - kTagBytes) / kGrain * kGrain;
    last_ = at(block, static_cast<ptrdiff_t>(room));
    last_->tag = 0;
    block->tag = room | (block->tag & kPreviousFree);
    release(&block->next);
    return true;
  }

  Source source_;
  Block* first_ = nullptr;
  Block* last_ = nullptr;  // the tag that ends the blocks
  std::array<Block*, kClasses> lists_{};
  std::array<uint32_t, (kClasses + 31) / 32> filled_{};
};

}  // namespace diaryx::plugin
