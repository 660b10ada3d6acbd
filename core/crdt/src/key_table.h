// Interned strings: root names, map keys, mark keys. A key lives as long as its document.
#pragma once

#include <string_view>
#include <vector>

#include "handles.h"

namespace diaryx::crdt {

class KeyTable {
 public:
  /// The handle of `text`, new or known.
  KeyRef intern(std::string_view text) {
    // Maps of one kind have the same keys in the same order, so the key that followed this one last time is tried first.
    KeyRef key = some(last_) ? entries_[raw(last_) - 1].follower : KeyRef::None;
    if (!some(key) || this->text(key) != text) {
      key = intern_by_hash(text);
      if (some(last_)) entries_[raw(last_) - 1].follower = key;
    }
    return last_ = key;
  }
  /// The handle if the text is known, else None.
  KeyRef find(std::string_view text) const;
  /// Valid until the next `intern`.
  std::string_view text(KeyRef key) const {
    const Entry& entry = entries_[raw(key) - 1];
    return {characters_.data() + entry.offset, entry.size};
  }
  size_t memory_bytes() const;

 private:
  struct Entry {
    uint32_t offset;
    uint32_t size;
    uint32_t hash;
    KeyRef follower = KeyRef::None;  // interned after this one
  };
  KeyRef intern_by_hash(std::string_view text);
  static uint32_t hash_of(std::string_view text);
  size_t slot_of(std::string_view text, uint32_t hash) const;
  void grow();

  std::vector<char> characters_;
  std::vector<Entry> entries_;
  std::vector<KeyRef> slots_;  // open addressing; a power of two, at most 3/4 full
  KeyRef last_ = KeyRef::None;
};

/// From interned key to a 32-bit value; entries keep the order of their first insertion. Small maps are searched through.
class KeyMap {
 public:
  struct Entry {
    KeyRef key;
    uint32_t value;
  };

  /// The value, or null.
  uint32_t* find(KeyRef key);
  const uint32_t* find(KeyRef key) const { return const_cast<KeyMap*>(this)->find(key); }
  /// Sets or adds.
  void set(KeyRef key, uint32_t value);

  const std::vector<Entry>& entries() const { return entries_; }
  size_t memory_bytes() const { return entries_.capacity() * sizeof(Entry) + slots_.capacity() * 4; }

 private:
  static constexpr size_t kSmall = 16;
  void grow();

  std::vector<Entry> entries_;
  std::vector<uint32_t> slots_;  // index + 1 into entries_; empty while the map is small
};

}  // namespace diaryx::crdt
