#include "struct_list.h"

#include <algorithm>

#include "diaryx/base/result.h"

namespace diaryx::crdt {
namespace {

/// Index of the last element that begins at `wanted` or before; the first one does.
template <typename Element>
uint32_t last_from(const Element* elements, size_t count, uint32_t wanted) {
  const Element* from = elements;
  // Which way a step of the search goes is as good as chance, so it is computed: a predicted branch would be wrong every other time.
  while (count > 1) {
    const size_t half = count / 2;
    from = __builtin_unpredictable(from[half].clock <= wanted) ? from + half : from;
    count -= half;
  }
  return static_cast<uint32_t>(from - elements);
}

}  // namespace

size_t StructList::count_from(Place place) const {
  size_t count = chunks_[place.chunk].count - place.at;
  for (uint32_t i = place.chunk + 1; i < chunks_.size(); ++i) count += chunks_[i].count;
  return count;
}

/// In a long history each step of a search waits for memory, and most long histories are of structs of one unit: fields of files. So the
/// place is computed from the clock, and then looked at.
bool StructList::guess(uint32_t wanted, Place& place) const {
  const auto chunk = static_cast<uint32_t>(uint64_t{wanted} * chunks_.size() / state_);
  if (chunks_[chunk].clock > wanted) return false;
  const uint32_t at = wanted - chunks_[chunk].clock;
  if (at >= chunks_[chunk].count || entries(chunks_[chunk])[at].clock != wanted) return false;
  place = {chunk, at};
  return true;
}

StructList::Place StructList::find_before_last(uint32_t wanted) const {
  uint32_t chunk = hint_.chunk;
  const bool is_in_chunk = chunk < chunks_.size() && chunks_[chunk].clock <= wanted &&
                           (chunk + 1 == chunks_.size() || wanted < chunks_[chunk + 1].clock);
  if (!is_in_chunk && chunks_.size() >= kManyChunks && guess(wanted, hint_)) return hint_;
  if (!is_in_chunk) chunk = last_from(chunks_.data(), chunks_.size(), wanted);
  const Entry* const all = entries(chunks_[chunk]);
  const uint32_t count = chunks_[chunk].count;
  if (is_in_chunk && hint_.at < count) {
    // Most edits are near the one before: 98 in 100 within one unit on the long trace.
    uint32_t at = hint_.at;
    if (wanted < all[at].clock && wanted >= all[at - 1].clock) return hint_ = {chunk, at - 1};
    if (wanted >= all[at].clock) {
      for (const uint32_t end = std::min(at + 3, count - 1); at < end; ++at) {
        if (wanted < all[at + 1].clock) return hint_ = {chunk, at};
      }
    }
  }
  return hint_ = {chunk, last_from(all, count, wanted)};
}

void StructList::add_chunk() { chunks_.push_back({state_, new_slot(), 0}); }

uint32_t StructList::new_slot() {
  if (!free_slots_.empty()) {
    const uint32_t slot = free_slots_.back();
    free_slots_.pop_back();
    return slot;
  }
  const size_t slots = (entries_.size() + kPerChunk - 1) / kPerChunk;
  if (entries_.size() < slots * kPerChunk) entries_.resize(slots * kPerChunk);
  return static_cast<uint32_t>(slots);
}

/// The chunk is full; its upper half goes to a new one behind it.
void StructList::split_chunk(uint32_t at) {
  constexpr uint32_t kHalf = kPerChunk / 2;
  const uint32_t slot = new_slot();
  if (entries_.size() < size_t{slot + 1} * kPerChunk) {
    // A history that was loaded has no room: as much more as it is likely to need, not as much again.
    const size_t more = entries_.size() / 8 + kPerChunk;
    if (entries_.capacity() < size_t{slot + 1} * kPerChunk) entries_.reserve(entries_.size() + more);
    entries_.resize(size_t{slot + 1} * kPerChunk);
  }
  const Entry* const upper = entries(chunks_[at]) + kHalf;
  const Chunk made{upper->clock, slot, kPerChunk - kHalf};
  std::copy(upper, upper + made.count, entries(made));
  chunks_[at].count = kHalf;
  chunks_.insert(chunks_.begin() + at + 1, made);
}

StructList::Place StructList::insert_after(Place place, ItemRef right, uint32_t clock) {
  if (chunks_[place.chunk].count == kPerChunk) {
    split_chunk(place.chunk);
    if (const uint32_t kept = chunks_[place.chunk].count; place.at >= kept) place = {place.chunk + 1, place.at - kept};
  }
  Chunk& chunk = chunks_[place.chunk];
  put(chunk, clock, right);
  Entry* const end = entries(chunk) + chunk.count;
  Entry* const made = entries(chunk) + place.at + 1;
  std::copy_backward(made, end - 1, end);
  *made = {clock, right};
  ++size_;
  return {place.chunk, place.at + 1};
}

void StructList::erase(Place place, size_t count) {
  size_ -= count;
  Chunk& first = chunks_[place.chunk];
  uint32_t gone = place.chunk;  // the first chunk of which nothing stays
  if (place.at > 0) {
    const auto here = static_cast<uint32_t>(std::min<size_t>(count, first.count - place.at));
    Entry* const from = entries(first) + place.at;
    std::copy(from + here, entries(first) + first.count, from);
    first.count -= here;
    count -= here;
    ++gone;
  }
  uint32_t stays = gone;
  for (; count > 0 && count >= chunks_[stays].count; ++stays) {
    count -= chunks_[stays].count;
    free_slots_.push_back(chunks_[stays].slot);
  }
  if (count > 0) {
    Chunk& last = chunks_[stays];
    Entry* const from = entries(last);
    std::copy(from + count, from + last.count, from);
    last.count -= static_cast<uint32_t>(count);
    last.clock = from->clock;
  }
  chunks_.erase(chunks_.begin() + gone, chunks_.begin() + stays);
  join_with_next(gone - 1);
}

/// Where much was merged, chunks would stay nearly empty.
void StructList::join_with_next(uint32_t at) {
  if (at + 1 >= chunks_.size()) return;
  const Chunk next = chunks_[at + 1];
  if (chunks_[at].count + next.count > kPerChunk / 2) return;
  for (uint32_t i = 0; i < next.count; ++i) put(chunks_[at], entries(next)[i].clock, entries(next)[i].ref);
  free_slots_.push_back(next.slot);
  chunks_.erase(chunks_.begin() + at + 1, chunks_.begin() + at + 2);
}

}  // namespace diaryx::crdt
