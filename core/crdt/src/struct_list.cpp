#include "struct_list.h"

#include <algorithm>

#include "diaryx/base/result.h"

namespace diaryx::crdt {

size_t StructList::find(uint32_t clock) const {
  DX_ASSERT(clock < state_);
  const size_t last = clocks_.size() - 1;
  if (clock >= clocks_[last]) return last;
  // Most edits are near the one before: 98 in 100 within one unit on the long trace.
  for (size_t position = hint_, step = 0; position < last && step < 3; ++position, ++step) {
    if (clock < clocks_[position]) {
      if (position > 0 && clock >= clocks_[position - 1]) return hint_ = static_cast<uint32_t>(position - 1);
      break;
    }
    if (clock < clocks_[position + 1]) return hint_ = static_cast<uint32_t>(position);
  }
  const auto after = std::upper_bound(clocks_.begin(), clocks_.end(), clock);
  return hint_ = static_cast<uint32_t>(after - clocks_.begin() - 1);
}

void StructList::insert_after(size_t position, ItemRef right, uint32_t clock) {
  const auto at = static_cast<std::ptrdiff_t>(position + 1);
  clocks_.insert(clocks_.begin() + at, clock);
  refs_.insert(refs_.begin() + at, right);
}

void StructList::erase(size_t position, size_t count) {
  const auto from = static_cast<std::ptrdiff_t>(position);
  const auto to = static_cast<std::ptrdiff_t>(position + count);
  clocks_.erase(clocks_.begin() + from, clocks_.begin() + to);
  refs_.erase(refs_.begin() + from, refs_.begin() + to);
}

}  // namespace diaryx::crdt
