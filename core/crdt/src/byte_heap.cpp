#include "byte_heap.h"

#include <limits>

namespace diaryx::crdt {

void ByteHeap::make_room(size_t more) {
  const size_t needed = bytes_.size() + more;
  DX_ASSERT(needed <= std::numeric_limits<uint32_t>::max());
  if (needed > bytes_.capacity()) bytes_.reserve(needed + needed / 2);
}

uint32_t ByteHeap::add(ByteView bytes) {
  const auto offset = static_cast<uint32_t>(bytes_.size());
  const size_t inside = static_cast<size_t>(bytes.data() - bytes_.data());
  const bool aliases = bytes.data() >= bytes_.data() && bytes.data() < bytes_.data() + bytes_.size();
  make_room(bytes.size());
  if (aliases) bytes = ByteView{bytes_.data() + inside, bytes.size()};
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  return offset;
}

uint32_t ByteHeap::extend(uint32_t offset, uint32_t size, ByteView more) {
  const uint32_t end = offset + size;
  if (end == bytes_.size()) {
    (void)add(more);
    return offset;
  }
  for (Tail& tail : tails_) {
    if (tail.end != end || tail.capacity - tail.end < more.size()) continue;
    memmove(bytes_.data() + end, more.data(), more.size());
    tail.end += static_cast<uint32_t>(more.size());
    return offset;
  }
  // Two texts that grow in turns would move each other for ever; room for a quarter makes that a constant number of moves.
  const bool aliases = more.data() >= bytes_.data() && more.data() < bytes_.data() + bytes_.size();
  const size_t inside = static_cast<size_t>(more.data() - bytes_.data());
  const size_t room = (size + more.size()) / 4 + 8;
  make_room(size + more.size() + room);
  if (aliases) more = ByteView{bytes_.data() + inside, more.size()};
  const auto moved = static_cast<uint32_t>(bytes_.size());
  bytes_.resize(bytes_.size() + size + more.size() + room);
  memcpy(bytes_.data() + moved, bytes_.data() + offset, size);
  memcpy(bytes_.data() + moved + size, more.data(), more.size());
  dead_ += size;
  dead_ += tails_[0].capacity - tails_[0].end;
  for (size_t i = 0; i + 1 < tails_.size(); ++i) tails_[i] = tails_[i + 1];
  const auto new_end = static_cast<uint32_t>(moved + size + more.size());
  tails_.back() = {new_end, static_cast<uint32_t>(new_end + room)};
  return moved;
}

}  // namespace diaryx::crdt
