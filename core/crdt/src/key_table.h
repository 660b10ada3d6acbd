// Interned strings: root names, map keys, mark keys. A key lives as long as its document.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "handles.h"

namespace diaryx::crdt {

class KeyTable {
 public:
  /// The handle of `text`, new or known.
  KeyRef intern(std::string_view text) {
    // Maps of one kind have the same keys in the same order, so the key that followed this one last time is tried first.
    KeyRef key = some(last_) ? entries_[raw(last_) - 1].follower : KeyRef::None;
    if (!some(key) || !equal_short(this->text(key), text)) {
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
    KeyRef follower = KeyRef::None;  // interned after this one
  };
  // All that a search compares, so that it looks at no entry, and growing at none: each look at a large table is a cache miss.
  struct Slot {
    uint32_t hash = 0;
    KeyRef key = KeyRef::None;
    uint32_t offset = 0;
    uint32_t size = 0;
  };
  KeyRef intern_by_hash(std::string_view text);
  static uint32_t hash_of(std::string_view text);
  size_t slot_of(std::string_view text, uint32_t hash) const;
  void grow();

  std::vector<char> characters_;
  std::vector<Entry> entries_;
  std::vector<Slot> slots_;  // open addressing; a power of two, at most 3/4 full
  KeyRef last_ = KeyRef::None;
};

/// From interned key to a 32-bit value; entries keep the order of their first insertion. Small maps are searched through.
///
/// A map is one pointer, to the entries with their number before them: there are many maps of a dozen keys, and each thing that lies for
/// itself is a cache miss.
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
  /// The same for a key that is known not to be there.
  void add(KeyRef key, uint32_t value);

  bool empty() const { return block_ == nullptr; }
  std::span<const Entry> entries() const {
    return block_ == nullptr ? std::span<const Entry>() : std::span<const Entry>(block_->entries(), block_->size);
  }
  size_t memory_bytes() const;

 private:
  static constexpr size_t kSmall = 16;
  /// Of a large map: how a key is found that was not added right before or behind the last one. Loading a document asks for none.
  struct Slots {
    std::vector<uint32_t> slots;  // index + 1 into the entries; open addressing
    uint32_t known = 0;  // so many entries are in `slots`
    uint32_t ahead = 0;  // the number of the key that came last, less its index
    uint32_t largest = 0;  // number of a key; what was interned later is not here
    void add_rest(std::span<const Entry> entries);
  };
  /// What lies before the entries.
  struct Block {
    uint32_t size = 0;
    uint32_t capacity = 0;
    std::unique_ptr<Slots> large;
    Entry* entries() { return reinterpret_cast<Entry*>(this + 1); }
    const Entry* entries() const { return reinterpret_cast<const Entry*>(this + 1); }
  };
  struct FreeBlock {
    void operator()(Block* block) const {
      std::destroy_at(block);
      ::operator delete(block);
    }
  };

  void grow();

  std::unique_ptr<Block, FreeBlock> block_;
};

}  // namespace diaryx::crdt
