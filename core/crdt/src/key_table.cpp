#include "key_table.h"

#include <cstring>

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
    const KeyRef key = slots_[slot];
    if (!some(key)) return slot;
    const Entry& entry = entries_[raw(key) - 1];
    if (entry.hash == hash && this->text(key) == text) return slot;
  }
}

void KeyTable::grow() {
  slots_.assign(slots_.empty() ? 8 : slots_.size() * 2, KeyRef::None);
  const size_t mask = slots_.size() - 1;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    size_t slot = entries_[i].hash & mask;
    while (some(slots_[slot])) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<KeyRef>(i + 1);
  }
}

KeyRef KeyTable::find(std::string_view text) const {
  if (slots_.empty()) return KeyRef::None;
  return slots_[slot_of(text, hash_of(text))];
}

KeyRef KeyTable::intern_by_hash(std::string_view text) {
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) grow();
  const uint32_t hash = hash_of(text);
  const size_t slot = slot_of(text, hash);
  if (some(slots_[slot])) return slots_[slot];
  DX_ASSERT(characters_.size() + text.size() < 0xffffffffu);
  entries_.push_back({static_cast<uint32_t>(characters_.size()), static_cast<uint32_t>(text.size()), hash});
  characters_.insert(characters_.end(), text.begin(), text.end());
  slots_[slot] = static_cast<KeyRef>(entries_.size());
  return slots_[slot];
}

size_t KeyTable::memory_bytes() const {
  return characters_.capacity() + entries_.capacity() * sizeof(Entry) + slots_.capacity() * sizeof(KeyRef);
}

uint32_t* KeyMap::find(KeyRef key) {
  if (slots_.empty()) {
    for (Entry& entry : entries_) {
      if (entry.key == key) return &entry.value;
    }
    return nullptr;
  }
  const size_t mask = slots_.size() - 1;
  for (size_t slot = mix(raw(key)) & mask; slots_[slot] != 0; slot = (slot + 1) & mask) {
    Entry& entry = entries_[slots_[slot] - 1];
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

void KeyMap::grow() {
  slots_.assign(slots_.empty() ? 4 * kSmall : slots_.size() * 2, 0);
  const size_t mask = slots_.size() - 1;
  for (uint32_t i = 0; i < entries_.size(); ++i) {
    size_t slot = mix(raw(entries_[i].key)) & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = i + 1;
  }
}

void KeyMap::set(KeyRef key, uint32_t value) {
  if (uint32_t* known = find(key)) {
    *known = value;
    return;
  }
  // There are many maps of a dozen keys, which would otherwise be moved four times and have room for sixteen.
  if (entries_.size() == entries_.capacity() && entries_.size() < kSmall)
    entries_.reserve(entries_.empty() ? 4 : 3 * entries_.size());
  entries_.push_back({key, value});
  if (entries_.size() <= kSmall) return;
  if (entries_.size() * 4 > slots_.size() * 3) return grow();
  const size_t mask = slots_.size() - 1;
  size_t slot = mix(raw(key)) & mask;
  while (slots_[slot] != 0) slot = (slot + 1) & mask;
  slots_[slot] = static_cast<uint32_t>(entries_.size());
}

}  // namespace diaryx::crdt
