// The structs of one client in clock order.
//
// 1. Clocks are contiguous from 0: entry i ends where entry i+1 begins, and the last one ends at `state()`.
// 2. No entry is empty.
#pragma once

#include <cstddef>
#include <vector>

#include "handles.h"

namespace diaryx::crdt {

class StructList {
 public:
  size_t size() const { return clocks_.size(); }
  bool empty() const { return clocks_.empty(); }
  /// The next clock of this client.
  uint32_t state() const { return state_; }
  ItemRef ref(size_t position) const { return refs_[position]; }
  uint32_t clock(size_t position) const { return clocks_[position]; }
  uint32_t end_clock(size_t position) const {
    return position + 1 < clocks_.size() ? clocks_[position + 1] : state_;
  }
  ItemRef last() const { return refs_.back(); }

  /// Position of the struct that contains `clock`, which is below `state()`. O(1) at the end and near the last answer, else
  /// a binary search.
  size_t find(uint32_t clock) const;

  void append(ItemRef ref, uint32_t length) {
    clocks_.push_back(state_);
    refs_.push_back(ref);
    state_ += length;
  }
  /// The last struct became longer.
  void extend_last(uint32_t length) { state_ += length; }
  /// The struct at `position` was split; `right` begins at `clock`.
  void insert_after(size_t position, ItemRef right, uint32_t clock);
  void replace(size_t position, ItemRef ref) { refs_[position] = ref; }
  /// Removes `count` entries from `position` on; the entry before them took over their clocks.
  void erase(size_t position, size_t count);

  /// Offers each entry from `first` (above 0) on to the one before it; `merge(left, right)` says whether it took it.
  template <typename Merge>
  void compact(size_t first, Merge&& merge) {
    size_t kept = first - 1;
    for (size_t at = first; at < refs_.size(); ++at) {
      if (merge(refs_[kept], refs_[at])) continue;
      ++kept;
      refs_[kept] = refs_[at];
      clocks_[kept] = clocks_[at];
    }
    if (kept + 1 < refs_.size()) {
      refs_.resize(kept + 1);
      clocks_.resize(kept + 1);
    }
  }

  size_t memory_bytes() const { return (clocks_.capacity() + refs_.capacity()) * 4; }
  void shrink_to_fit() {
    clocks_.shrink_to_fit();
    refs_.shrink_to_fit();
  }

 private:
  std::vector<uint32_t> clocks_;
  std::vector<ItemRef> refs_;
  uint32_t state_ = 0;
  mutable uint32_t hint_ = 0;  // position of the last answer of `find`
};

}  // namespace diaryx::crdt
