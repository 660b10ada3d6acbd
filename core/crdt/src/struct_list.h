// The structs of one client in clock order.
//
// 1. Clocks are contiguous from 0: entry i ends where entry i+1 begins, and the last one ends at `state()`.
// 2. No entry is empty.
// 3. Entries [0, gap_) lie at the front of the arrays, the others behind `room_` unused places. Edits come in runs, so a split or
//    merge moves only the few entries between it and the one before, not half of the history.
#pragma once

#include <cstddef>
#include <vector>

#include "handles.h"

namespace diaryx::crdt {

class StructList {
 public:
  size_t size() const { return clocks_.size() - room_; }
  bool empty() const { return size() == 0; }
  /// The next clock of this client.
  uint32_t state() const { return state_; }
  ItemRef ref(size_t position) const { return refs_[place(position)]; }
  uint32_t clock(size_t position) const { return clocks_[place(position)]; }
  ItemRef last() const { return ref(size() - 1); }

  /// Position of the struct that contains `clock`, which is below `state()`. O(1) at the end and near the last answer, else
  /// a binary search.
  size_t find(uint32_t clock) const;

  void append(ItemRef ref, uint32_t length) {
    clocks_.push_back(state_);
    refs_.push_back(ref);
    state_ += length;
  }
  /// Makes room for `count` more structs.
  void reserve(size_t count) {
    clocks_.reserve(clocks_.size() + count);
    refs_.reserve(refs_.size() + count);
  }
  /// The last struct became longer.
  void extend_last(uint32_t length) { state_ += length; }
  /// The struct at `position` begins at `clock` now: its neighbour gave or took units.
  void move_border(size_t position, uint32_t clock) { clocks_[place(position)] = clock; }
  /// The struct at `position` was split; `right` begins at `clock`.
  void insert_after(size_t position, ItemRef right, uint32_t clock);
  /// Removes `count` entries from `position` (above 0) on; the entry before them took over their clocks.
  void erase(size_t position, size_t count);

  /// Offers each entry from `first` (above 0) on to the one before it; `merge(left, right)` says whether it took it.
  template <typename Merge>
  void compact(size_t first, Merge&& merge) {
    size_t kept = first - 1;
    const size_t end = size();
    for (size_t at = first; at < end; ++at) {
      if (merge(ref(kept), ref(at))) continue;
      ++kept;
      if (kept == at) continue;
      refs_[place(kept)] = refs_[place(at)];
      clocks_[place(kept)] = clocks_[place(at)];
    }
    if (kept + 1 < end) erase(kept + 1, end - kept - 1);
  }

  size_t memory_bytes() const { return (clocks_.capacity() + refs_.capacity()) * 4; }

 private:
  size_t place(size_t position) const { return position < gap_ ? position : position + room_; }
  void move_gap(size_t position);

  std::vector<uint32_t> clocks_;
  std::vector<ItemRef> refs_;
  uint32_t state_ = 0;
  uint32_t gap_ = 0;
  uint32_t room_ = 0;
  mutable uint32_t hint_ = 0;  // position of the last answer of `find`
};

}  // namespace diaryx::crdt
