// Keys with values: entries of maps, attributes of texts and elements. Private to the engine.
#pragma once

#include <string>
#include <utility>

#include "diaryx/crdt/shared.h"
#include "new_values.h"
#include "store.h"

namespace diaryx::crdt {

/// The item that holds the live value of `key`, or None.
ItemRef live_entry(const Store& store, TypeRef type, std::string_view key);

std::optional<Value> entry_at(const Shared& handle, std::string_view key);
/// Live ones, in the order in which their keys were first set here.
std::vector<std::pair<std::string, Value>> entries_of(const Shared& handle);
/// Errors: WrongType (not live), TooLarge, InvalidUtf8.
Result<void> set_entry(const Shared& handle, std::string_view key, const NewValue& value);
/// False if there was nothing to remove.
bool remove_entry(const Shared& handle, std::string_view key);

}  // namespace diaryx::crdt
