#include "byte_heap.h"

#include <functional>
#include <limits>
#include <utility>

namespace diaryx::crdt {

bool ByteHeap::is_held(ByteView bytes) const {
  const std::less_equal<> is_up_to;  // pointers to different objects
  return is_up_to(held_, bytes.data()) && is_up_to(bytes.data() + bytes.size(), held_ + held_size_);
}

void ByteHeap::reallocate(size_t capacity) {
  DX_ASSERT(capacity <= std::numeric_limits<uint32_t>::max());
  auto grown = std::make_unique_for_overwrite<uint8_t[]>(capacity + kSlack);
  if (size_ > 0) memcpy(grown.get(), bytes_.get(), size_);
  if (held_ != nullptr && held_ == bytes_.get()) left_ = std::move(bytes_);
  bytes_ = std::move(grown);
  capacity_ = static_cast<uint32_t>(capacity);
}

ByteView ByteHeap::make_room(size_t more, ByteView bytes) {
  const size_t needed = size_ + more;
  if (needed <= capacity_) return bytes;
  const uint8_t* const begin = bytes_.get();
  const bool is_inside = bytes.data() >= begin && bytes.data() < begin + size_;
  const size_t offset = is_inside ? static_cast<size_t>(bytes.data() - begin) : 0;
  // Most documents are loaded once and hardly edited, so the first bytes get no room behind them, and later ones little.
  reallocate(size_ == 0 ? needed : needed + needed / 4);
  return is_inside ? ByteView{bytes_.get() + offset, bytes.size()} : bytes;
}

void ByteHeap::append_with_growth(ByteView bytes) { append(make_room(bytes.size(), bytes)); }

uint32_t ByteHeap::extend_inside(uint32_t offset, uint32_t size, ByteView more) {
  const uint32_t end = offset + size;
  for (Tail& tail : tails_) {
    if (tail.end != end || tail.capacity - tail.end < more.size()) continue;
    memmove(data(end), more.data(), more.size());
    tail.end += static_cast<uint32_t>(more.size());
    return offset;
  }
  // Two texts that grow in turns would move each other for ever; room for a quarter makes that a constant number of moves.
  const size_t room = (size + more.size()) / 4 + 8;
  more = make_room(size + more.size() + room, more);
  const uint32_t moved = size_;
  memcpy(data(moved), data(offset), size);
  memcpy(data(moved) + size, more.data(), more.size());
  dead_ += size;
  dead_ += tails_[0].capacity - tails_[0].end;
  for (size_t i = 0; i + 1 < tails_.size(); ++i) tails_[i] = tails_[i + 1];
  const auto new_end = static_cast<uint32_t>(moved + size + more.size());
  size_ = static_cast<uint32_t>(new_end + room);
  tails_.back() = {new_end, size_};
  return moved;
}

}  // namespace diaryx::crdt
