#include "key_table.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "diaryx/base/result.h"

namespace diaryx::crdt {
namespace {

uint32_t mix(uint32_t value) {
  value *= 0x9e3779b1u;
  return value ^ (value >> 15);
}

}  // namespace

uint32_t KeyTable::hash_of(std::string_view text) {
  // Not secret: a peer who makes keys collide slows only the document it may write to anyway, by a probe per key.
  uint64_t hash = 0x9e3779b97f4a7c15ull ^ text.size();
  while (text.size() >= 8) {
    uint64_t word;
    memcpy(&word, text.data(), 8);
    hash = (hash ^ word) * 0xff51afd7ed558ccdull;
    hash ^= hash >> 32;
    text.remove_prefix(8);
  }
  uint64_t word = 0;
  if (!text.empty()) memcpy(&word, text.data(), text.size());  // an empty view may point nowhere
  hash = (hash ^ word) * 0xff51afd7ed558ccdull;
  return static_cast<uint32_t>(hash ^ (hash >> 32));
}

size_t KeyTable::slot_of(std::string_view text, uint32_t hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    const Slot& at = slots_[slot];
    if (!some(at.key)) return slot;
    if (at.hash == hash && std::string_view(characters_.data() + at.offset, at.size) == text) return slot;
  }
}

void KeyTable::grow() {
  const std::vector<Slot> known = std::exchange(slots_, std::vector<Slot>(std::max<size_t>(4, 2 * slots_.size())));
  const size_t mask = slots_.size() - 1;
  for (const Slot& at : known) {
    if (!some(at.key)) continue;
    size_t slot = at.hash & mask;
    while (some(slots_[slot].key)) slot = (slot + 1) & mask;
    slots_[slot] = at;
  }
}

KeyRef KeyTable::find(std::string_view text) const {
  if (slots_.empty()) return KeyRef::None;
  const KeyRef key = slots_[slot_of(text, hash_of(text))].key;
  // Who asks for a key mostly changes what is under it, and the commit says its name.
  if (some(key)) __builtin_prefetch(&entries_[raw(key) - 1]);
  return key;
}

KeyRef KeyTable::intern_by_hash(std::string_view text) {
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) grow();
  const uint32_t hash = hash_of(text);
  const size_t slot = slot_of(text, hash);
  if (some(slots_[slot].key)) return slots_[slot].key;
  DX_ASSERT(characters_.size() + text.size() < 0xffffffffu);
  entries_.push_back({static_cast<uint32_t>(characters_.size()), static_cast<uint32_t>(text.size())});
  characters_.insert(characters_.end(), text.begin(), text.end());
  const Entry& added = entries_.back();
  slots_[slot] = {hash, static_cast<KeyRef>(entries_.size()), added.offset, added.size};
  return slots_[slot].key;
}

size_t KeyTable::memory_bytes() const {
  return characters_.capacity() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(Slot);
}

uint32_t* KeyMap::find(KeyRef key) {
  if (block_ == nullptr) return nullptr;
  Entry* const entries = block_->entries();
  const uint32_t size = block_->size;
  if (block_->large == nullptr) {
    for (Entry* entry = entries; entry < entries + size; ++entry) {
      if (entry->key == key) return &entry->value;
    }
    return nullptr;
  }
  Slots& large = *block_->large;
  if (raw(key) > large.largest) return nullptr;
  // What was interned in a row was mostly added in a row: that place is looked at first, as each look at a large map is a cache miss.
  if (const uint32_t in_row = raw(key) - large.ahead; in_row < size && entries[in_row].key == key)
    return &entries[in_row].value;
  if (large.known < size) large.add_rest({entries, size});
  const size_t mask = large.slots.size() - 1;
  for (size_t slot = mix(raw(key)) & mask; large.slots[slot] != 0; slot = (slot + 1) & mask) {
    Entry& entry = entries[large.slots[slot] - 1];
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void KeyMap::Slots::add_rest(std::span<const Entry> entries) {
  if (entries.size() * 4 > slots.size() * 3) {
    slots.assign(std::bit_ceil(entries.size() * 2), 0);
    known = 0;
  }
  const size_t mask = slots.size() - 1;
  for (; known < entries.size(); ++known) {
    size_t slot = mix(raw(entries[known].key)) & mask;
    while (slots[slot] != 0) slot = (slot + 1) & mask;
    slots[slot] = known + 1;
  }
}

/// Room for a dozen after room for four: that is how many keys most maps have.
void KeyMap::grow() {
  const uint32_t size = block_ == nullptr ? 0 : block_->size;
  const uint32_t capacity = size == 0 ? 4 : size < kSmall ? 3 * size : 2 * size;
  static_assert(alignof(Block) >= alignof(Entry) && alignof(Block) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
  void* const room = ::operator new(sizeof(Block) + size_t{capacity} * sizeof(Entry));
  std::unique_ptr<Block, FreeBlock> grown(std::construct_at(static_cast<Block*>(room)));
  grown->size = size;
  grown->capacity = capacity;
  if (size > 0) {
    grown->large = std::move(block_->large);
    memcpy(grown->entries(), block_->entries(), size * sizeof(Entry));
  }
  block_ = std::move(grown);
}

void KeyMap::set(KeyRef key, uint32_t value) {
  if (uint32_t* known = find(key)) {
    *known = value;
    return;
  }
  add(key, value);
}

void KeyMap::add(KeyRef key, uint32_t value) {
  if (block_ == nullptr || block_->size == block_->capacity) grow();
  block_->entries()[block_->size++] = {key, value};
  const uint32_t size = block_->size;
  if (size <= kSmall) return;
  if (block_->large == nullptr) {
    block_->large = std::make_unique<Slots>();
    for (const Entry& entry : entries()) block_->large->largest = std::max(block_->large->largest, raw(entry.key));
  }
  block_->large->ahead = raw(key) - (size - 1);
  block_->large->largest = std::max(block_->large->largest, raw(key));
}

size_t KeyMap::memory_bytes() const {
  if (block_ == nullptr) return 0;
  const size_t large = block_->large == nullptr ? 0 : sizeof(Slots) + block_->large->slots.capacity() * 4;
  return sizeof(Block) + block_->capacity * sizeof(Entry) + large;
}

}  // namespace diaryx::crdt
