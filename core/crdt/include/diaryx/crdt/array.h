// Y.Array: a list of values and shared types.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/shared.h"
#include "diaryx/crdt/transaction.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

/// A handle: cheap to copy, valid as long as the Doc. Reads see the open transaction.
class Array : public Shared {
 public:
  size_t size() const;
  /// The plain value at `index`; nothing when it is out of range or a shared type. Cost: O(log n).
  std::optional<Any> get(size_t index) const;
  /// Whatever is at `index`; nothing when it is out of range.
  std::optional<Value> at(size_t index) const;
  /// The shared type at `index`, if there is one of that kind.
  std::optional<Map> get_map(size_t index) const;
  std::optional<Array> get_array(size_t index) const;
  std::optional<Text> get_text(size_t index) const;
  /// The plain values; shared types are left out.
  std::vector<Any> to_vector() const;
  /// All elements. Cost: O(n).
  std::vector<Value> values() const;

  /// Inserts before `index`. Values of kind Bytes become items of their own, as in Yjs; bigint and undefined are refused, as there
  /// (inside an object or array, and as map values, they are fine).
  /// Errors: OffsetOutOfRange, WrongType, TooLarge, InvalidUtf8, TooDeep; nothing is changed then.
  Result<void> insert(Transaction& txn, size_t index, std::span<const Any> values);
  Result<void> insert(Transaction& txn, size_t index, const Any& value) { return insert(txn, index, {&value, 1}); }
  /// The same for values, new types and subdocuments, mixed. Errors: the same.
  Result<void> insert(Transaction& txn, size_t index, std::span<const NewValue> values);
  Result<void> push(Transaction& txn, std::span<const NewValue> values);
  /// Appends after the very last item, tombstones included. Errors: WrongType, TooLarge, InvalidUtf8, TooDeep.
  Result<void> push(Transaction& txn, std::span<const Any> values);
  Result<void> push(Transaction& txn, const Any& value) { return push(txn, {&value, 1}); }
  /// Puts a new, empty shared type before `index`. Errors: OffsetOutOfRange, TooLarge.
  Result<Map> insert_map(Transaction& txn, size_t index);
  Result<Array> insert_array(Transaction& txn, size_t index);
  Result<Text> insert_text(Transaction& txn, size_t index);
  /// Errors: OffsetOutOfRange when the range passes the end; nothing is deleted then.
  Result<void> erase(Transaction& txn, size_t index, size_t count = 1);

 private:
  friend struct HandleAccess;
  Array(Store* store, uint32_t type) : Shared(store, type) {}
};

}  // namespace diaryx::crdt
