// Y.Map: keys with values; of two concurrent writers of one key, the same one wins everywhere.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/id.h"
#include "diaryx/crdt/shared.h"
#include "diaryx/crdt/transaction.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

/// A handle: cheap to copy, valid as long as the Doc. Reads see the open transaction.
class Map : public Shared {
 public:
  /// Live keys. Cost: one step per key that was ever set.
  size_t size() const;
  bool contains(std::string_view key) const;
  /// The plain value; nothing when the key is absent or holds a shared type. Cost: one hash lookup and a decode.
  std::optional<Any> get(std::string_view key) const;
  /// Whatever is at `key`; nothing when it is absent.
  std::optional<Value> at(std::string_view key) const;
  /// The value if it is a string.
  std::optional<std::string> get_string(std::string_view key) const;
  /// The shared type at `key`, if there is one of that kind.
  std::optional<Map> get_map(std::string_view key) const;
  std::optional<Array> get_array(std::string_view key) const;
  std::optional<Text> get_text(std::string_view key) const;

  /// Sets a plain value of any kind. Errors: WrongType (the map is not live), TooLarge (no clocks left), InvalidUtf8,
  /// TooDeep (see DecodeLimits); nothing is changed then.
  Result<void> set(Transaction& txn, std::string_view key, const Any& value);
  /// Sets a value, a new type with its first content, or a subdocument. Errors: the same.
  Result<void> set(Transaction& txn, std::string_view key, const NewValue& value);
  /// Puts a new, empty shared type at `key`. On a map that is not live (see `is_live`), without clocks left, or at a key
  /// that is no UTF-8, the type is in no document: it reads as empty and refuses edits.
  Map set_map(Transaction& txn, std::string_view key);
  Array set_array(Transaction& txn, std::string_view key);
  Text set_text(Transaction& txn, std::string_view key);
  /// False if there was nothing to erase.
  bool erase(Transaction& txn, std::string_view key);
  /// Erases all keys.
  void clear(Transaction& txn);

  /// Live keys in the order in which they were first set here.
  std::vector<std::string> keys() const;
  /// The same with whatever they hold.
  std::vector<std::pair<std::string, Value>> entries() const;
  /// Calls `visit(std::string_view key, const Any& value)` for each live plain value, in the order of `keys()`. `visit` must not
  /// change the document.
  template <typename Visit>
  void for_each(Visit&& visit) const {
    for (size_t slot = 0; slot < slots(); ++slot) {
      std::string_view key;
      if (const std::optional<Any> value = value_in_slot(slot, key)) visit(key, *value);
    }
  }

  /// The item that holds the key's current value, also when that value is deleted; nothing if the key was never set.
  std::optional<Id> current_id(std::string_view key) const;
  /// True if somebody who saw the value that `earlier` wrote set another: some item of the key has it as left origin. That one need
  /// not hold itself; of values that were set at once one does. Cost: one step per value the key ever had.
  bool replaced_knowingly(std::string_view key, Id earlier) const;

 private:
  friend struct HandleAccess;
  friend class XmlHook;
  Map(Store* store, uint32_t type) : Shared(store, type) {}
  size_t slots() const;
  std::optional<Any> value_in_slot(size_t slot, std::string_view& key) const;
};

}  // namespace diaryx::crdt
