// Putting values, new types with their first content, and subdocuments into a document. Private to the engine.
#pragma once

#include <span>

#include "diaryx/crdt/value.h"
#include "store.h"

namespace diaryx::crdt {

/// Whether all of it can be put in, so that nothing is changed when something cannot: lists take no bigint and no undefined, texts and
/// names are UTF-8, no value nests too deep, and there are clocks and bytes left. Errors: WrongType, InvalidUtf8, TooDeep, TooLarge.
Result<void> check_new_elements(const Store& store, std::span<const NewValue> values);
Result<void> check_new_entry(const Store& store, const NewValue& value);

/// Puts checked values into a list from `gap` on, packed as Yjs packs them.
void put_elements(Store& store, TypeRef type, Gap gap, std::span<const NewValue> values);
void put_entry(Store& store, TypeRef type, std::string_view key, const NewValue& value);
/// Puts the first content into a type that was just inserted.
void fill(Store& store, TypeRef made, const NewType& description);

}  // namespace diaryx::crdt
