// The structs of one client in clock order.
//
// 1. Clocks are contiguous from 0: entry i ends where entry i+1 begins, and the last one ends at `state()`.
// 2. No entry is empty.
// 3. Entries [0, gap_) lie at the front of the array, the others behind `room_` unused places. Edits come in runs, so a split or
//    merge moves only the few entries between it and the one before, not half of the history.
// 4. Every kUnitsPerLandmark clocks a landmark says at which position that clock was found. Insertions and removals since then moved it by
//    at most `drift_` places.
#pragma once

#include <cstddef>
#include <vector>

#include "handles.h"

namespace diaryx::crdt {

class StructList {
 public:
  size_t size() const { return entries_.size() - room_; }
  bool empty() const { return size() == 0; }
  /// The next clock of this client.
  uint32_t state() const { return state_; }
  ItemRef ref(size_t position) const { return entries_[place(position)].ref; }
  uint32_t clock(size_t position) const { return entries_[place(position)].clock; }
  ItemRef last() const { return ref(size() - 1); }

  /// Position of the struct that contains `clock`, which is below `state()`. O(1) at the end, near the last answer and in a history that is
  /// only appended to; else a binary search.
  size_t find(uint32_t clock) const;

  void append(ItemRef ref, uint32_t length) {
    entries_.push_back({state_, ref});
    state_ += length;
  }
  /// Makes room for `count` more structs.
  void reserve(size_t count) { entries_.reserve(entries_.size() + count); }
  /// The last struct became longer.
  void extend_last(uint32_t length) { state_ += length; }
  /// The struct at `position` begins at `clock` now: its neighbour gave or took units.
  void move_border(size_t position, uint32_t clock) { entries_[place(position)].clock = clock; }
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
      entries_[place(kept)] = entries_[place(at)];
    }
    if (kept + 1 < end) erase(kept + 1, end - kept - 1);
  }

  size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry) + landmarks_.capacity() * 4; }

 private:
  struct Entry {
    uint32_t clock = 0;
    ItemRef ref = ItemRef::None;
  };

  size_t place(size_t position) const { return position < gap_ ? position : position + room_; }
  void move_gap(size_t position);
  size_t search(uint32_t wanted, size_t from, size_t to) const;
  size_t search_by_landmarks(uint32_t wanted) const;
  void set_landmarks() const;

  std::vector<Entry> entries_;
  uint32_t state_ = 0;
  uint32_t gap_ = 0;
  uint32_t room_ = 0;
  mutable uint32_t drift_ = 0;
  mutable uint32_t hint_ = 0;  // position of the last answer of `find`
  mutable uint32_t searches_ = 0;  // without landmarks, since they became useless
  mutable std::vector<uint32_t> landmarks_;
};

}  // namespace diaryx::crdt
