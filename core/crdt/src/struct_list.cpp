#include "struct_list.h"

#include <algorithm>

#include "diaryx/base/result.h"

namespace diaryx::crdt {

size_t StructList::find(uint32_t wanted) const {
  DX_ASSERT(wanted < state_);
  const size_t last = size() - 1;
  if (wanted >= clock(last)) return last;
  // Most edits are near the one before: 98 in 100 within one unit on the long trace.
  for (size_t position = hint_, step = 0; position < last && step < 3; ++position, ++step) {
    if (wanted < clock(position)) {
      if (position > 0 && wanted >= clock(position - 1)) return hint_ = static_cast<uint32_t>(position - 1);
      break;
    }
    if (wanted < clock(position + 1)) return hint_ = static_cast<uint32_t>(position);
  }
  const bool behind = gap_ <= last && wanted >= clock(gap_);
  const auto from = clocks_.begin() + static_cast<std::ptrdiff_t>(behind ? gap_ + room_ : 0);
  const auto to =
      behind ? clocks_.end() : clocks_.begin() + static_cast<std::ptrdiff_t>(std::min<size_t>(gap_, size()));
  // Which way a step of the search goes is as good as chance, so it is computed instead of predicted.
  const uint32_t* base = &*from;
  for (auto left = static_cast<size_t>(to - from); left > 1;) {
    const size_t half = left / 2;
    base = __builtin_unpredictable(base[half] <= wanted) ? base + half : base;
    left -= half;
  }
  const auto found = static_cast<size_t>(base - clocks_.data()) - (behind ? room_ : 0);
  return hint_ = static_cast<uint32_t>(found);
}

void StructList::move_gap(size_t position) {
  if (position < gap_) {
    std::copy_backward(clocks_.data() + position, clocks_.data() + gap_, clocks_.data() + gap_ + room_);
    std::copy_backward(refs_.data() + position, refs_.data() + gap_, refs_.data() + gap_ + room_);
  } else {
    std::copy(clocks_.data() + gap_ + room_, clocks_.data() + position + room_, clocks_.data() + gap_);
    std::copy(refs_.data() + gap_ + room_, refs_.data() + position + room_, refs_.data() + gap_);
  }
  gap_ = static_cast<uint32_t>(position);
}

void StructList::insert_after(size_t position, ItemRef right, uint32_t clock) {
  if (room_ == 0) {
    const size_t more = size() / 16 + 4;
    gap_ = static_cast<uint32_t>(position + 1);
    clocks_.insert(clocks_.begin() + gap_, more, 0);
    refs_.insert(refs_.begin() + gap_, more, ItemRef::None);
    room_ = static_cast<uint32_t>(more);
  } else {
    move_gap(position + 1);
  }
  clocks_[gap_] = clock;
  refs_[gap_] = right;
  ++gap_;
  --room_;
}

void StructList::erase(size_t position, size_t count) {
  if (position + count == size() && position >= gap_) {
    clocks_.resize(clocks_.size() - count);
    refs_.resize(refs_.size() - count);
    return;
  }
  move_gap(position);
  room_ += static_cast<uint32_t>(count);
}

}  // namespace diaryx::crdt
