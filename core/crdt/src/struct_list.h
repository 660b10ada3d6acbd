// The structs of one client in clock order.
//
// 1. Clocks are contiguous from 0: each struct ends where the next one begins, and the last one ends at `state()`.
// 2. No struct is empty.
// 3. They lie in chunks of at most kPerChunk, so that a split or a merge moves a few entries, not half of the history. No chunk is empty,
//    and each knows the clock at which it begins.
// 4. A chunk's entries are those of its slot in `entries_`. The last slot is only as long as it had to be: most clients have few structs.
#pragma once

#include <cstddef>
#include <vector>

#include "diaryx/base/inline_vector.h"
#include "handles.h"

namespace diaryx::crdt {

class StructList {
 public:
  /// Where a struct stands. Places up to the first struct that is inserted or erased stay good.
  struct Place {
    uint32_t chunk = 0;
    uint32_t at = 0;
    friend bool operator==(Place, Place) = default;
  };

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  /// The next clock of this client.
  uint32_t state() const { return state_; }
  ItemRef ref(Place place) const { return entry(place).ref; }
  uint32_t clock(Place place) const { return entry(place).clock; }
  ItemRef last() const { return ref(last_place()); }

  /// Going through them: `for (Place at = list.find(clock); list.has(at); at = list.after(at))`.
  Place first_place() const { return {}; }
  Place last_place() const { return {static_cast<uint32_t>(chunks_.size() - 1), chunks_.back().count - 1}; }
  bool has(Place place) const { return place.chunk < chunks_.size(); }
  /// For going through the structs that begin before `clock`.
  bool is_below(Place place, uint32_t clock) const { return has(place) && this->clock(place) < clock; }
  bool is_first(Place place) const { return place == Place{}; }
  bool is_last(Place place) const { return place == last_place(); }
  Place after(Place place) const {
    if (place.at + 1 < chunks_[place.chunk].count) return {place.chunk, place.at + 1};
    return {place.chunk + 1, 0};
  }
  /// Of any but the first.
  Place before(Place place) const {
    if (place.at > 0) return {place.chunk, place.at - 1};
    return {place.chunk - 1, chunks_[place.chunk - 1].count - 1};
  }
  template <typename Visit>
  void for_each_from(Place place, Visit&& visit) const {
    for (; has(place); place = {place.chunk + 1, 0}) {
      const Entry* const all = entries(chunks_[place.chunk]);
      const Entry* const end = all + chunks_[place.chunk].count;
      for (const Entry* entry = all + place.at; entry < end; ++entry) visit(entry->ref);
    }
  }
  /// Structs from `place` on. Cost: one step per chunk.
  size_t count_from(Place place) const;

  /// The struct that contains `clock`, which is below `state()`. O(1) at the end and near the last answer, else a binary search.
  Place find(uint32_t clock) const {
    DX_ASSERT(clock < state_);
    const Place last = last_place();
    return clock >= this->clock(last) ? last : find_before_last(clock);
  }

  /// The same for who goes through clocks in order: `near`, the place of a struct that begins at `clock` or before, is a few steps off.
  Place find_behind(Place near, uint32_t clock) const {
    constexpr int kFewSteps = 8;
    for (int step = 0; step < kFewSteps; ++step) {
      const Place next = after(near);
      if (!has(next) || clock < this->clock(next)) return near;
      near = next;
    }
    return find(clock);
  }

  [[gnu::always_inline]] void append(ItemRef ref, uint32_t length) {
    if (chunks_.empty() || chunks_.back().count == kPerChunk) [[unlikely]]
      add_chunk();
    put(chunks_.back(), state_, ref);
    ++size_;
    state_ += length;
  }
  /// Makes room for `count` more structs.
  void reserve(size_t count) { entries_.reserve(entries_.size() + count); }
  /// The last struct became longer.
  void extend_last(uint32_t length) { state_ += length; }
  /// The struct begins at `clock` now: its neighbour gave or took units.
  void move_border(Place place, uint32_t clock) { set(place, {clock, ref(place)}); }
  /// The struct was split; `right` begins at `clock`. Returns its place: that of the struct itself may have changed.
  Place insert_after(Place place, ItemRef right, uint32_t clock);
  /// Removes `count` structs from `place` (not the first) on; the one before them took over their clocks.
  void erase(Place place, size_t count);

  /// Offers each struct from `first` (not the first of all) on to the one before it; `merge(left, right)` says whether it took it.
  template <typename Merge>
  void compact(Place first, Merge&& merge) {
    Place kept = before(first);
    size_t taken = 0;
    for (Place at = first; has(at); at = after(at)) {
      if (merge(ref(kept), ref(at))) {
        ++taken;
        continue;
      }
      kept = after(kept);
      if (taken > 0) set(kept, entry(at));
    }
    if (taken > 0) erase(after(kept), taken);
  }

  size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry) + chunks_.heap_bytes(); }

 private:
  static constexpr uint32_t kPerChunk = 64;
  static constexpr size_t kManyChunks = 1024;  // their clocks are no longer in the nearest cache
  struct Entry {
    uint32_t clock = 0;
    ItemRef ref = ItemRef::None;
  };
  struct Chunk {
    uint32_t clock;  // of its first entry
    uint32_t slot;
    uint32_t count;
  };

  Entry* entries(const Chunk& chunk) { return entries_.data() + size_t{chunk.slot} * kPerChunk; }
  const Entry* entries(const Chunk& chunk) const { return entries_.data() + size_t{chunk.slot} * kPerChunk; }
  const Entry& entry(Place place) const { return entries(chunks_[place.chunk])[place.at]; }
  void set(Place place, Entry entry) {
    Chunk& chunk = chunks_[place.chunk];
    entries(chunk)[place.at] = entry;
    if (place.at == 0) chunk.clock = entry.clock;
  }
  /// Behind the entries of a chunk that is not full.
  /// Two numbers, not an Entry: WebAssembly would make that in memory and wait for it.
  [[gnu::always_inline]] void put(Chunk& chunk, uint32_t clock, ItemRef ref) {
    const size_t place = size_t{chunk.slot} * kPerChunk + chunk.count++;
    Entry& entry = place == entries_.size() ? entries_.emplace_back() : entries_[place];
    entry.clock = clock;
    entry.ref = ref;
  }
  void add_chunk();
  uint32_t new_slot();
  void split_chunk(uint32_t at);
  void join_with_next(uint32_t at);
  Place find_before_last(uint32_t wanted) const;
  bool guess(uint32_t wanted, Place& place) const;

  std::vector<Entry> entries_;
  InlineVector<Chunk, 1> chunks_;
  std::vector<uint32_t> free_slots_;
  size_t size_ = 0;
  uint32_t state_ = 0;
  mutable Place hint_;  // the last answer of `find`; may be gone
};

}  // namespace diaryx::crdt
