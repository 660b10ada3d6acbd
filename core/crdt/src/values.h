// Contents as values: what a reader of a list or map gets. Private to the engine.
#pragma once

#include <optional>

#include "any_codec.h"
#include "diaryx/crdt/value.h"
#include "store.h"

namespace diaryx::crdt {

/// The value of unit `offset` of an item; nothing for shared types and subdocuments.
std::optional<Any> value_at(const Store& store, const Item& item, uint32_t offset);
/// The last value of an item: what a map key holds.
inline std::optional<Any> value_of(const Store& store, const Item& item) {
  return value_at(store, item, item.length - 1);
}

/// Whatever unit `offset` of an item is; for a mark or a tombstone, undefined.
Value content_at(const Store& store, const Item& item, uint32_t offset);
/// Appends all units of an item from `offset` on; none for a mark or a tombstone. Cost: one pass.
void append_contents(const Store& store, const Item& item, uint32_t offset, std::vector<Value>& out);
/// All visible elements of a list.
std::vector<Value> contents_of(const Store& store, TypeRef type);

/// The type that the item contains, if there is an item and its content is a type of that kind.
std::optional<TypeRef> type_at(const Store& store, ItemRef ref, TypeKind kind);

}  // namespace diaryx::crdt
