#include "entries.h"

#include "handle_access.h"
#include "values.h"

namespace diaryx::crdt {

ItemRef live_entry(const Store& store, TypeRef type, std::string_view key) {
  const ItemRef ref = store.current_item(type, key);
  return some(ref) && !store.far_item(ref).deleted() ? ref : ItemRef::None;
}

std::optional<Value> entry_at(const Shared& handle, std::string_view key) {
  const Store& store = HandleAccess::store(handle);
  const ItemRef ref = live_entry(store, HandleAccess::type(handle), key);
  if (!some(ref)) return std::nullopt;
  return content_at(store, store.item(ref), store.item(ref).length - 1);
}

std::vector<std::pair<std::string, Value>> entries_of(const Shared& handle) {
  const Store& store = HandleAccess::store(handle);
  std::vector<std::pair<std::string, Value>> result;
  const auto& keys = store.type(HandleAccess::type(handle)).keys;
  for (const KeyMap::Entry& entry : keys.entries()) {
    const Item& item = store.item(static_cast<ItemRef>(entry.value));
    if (!item.deleted()) result.emplace_back(store.keys().text(entry.key), content_at(store, item, item.length - 1));
  }
  return result;
}

Result<void> set_entry(const Shared& handle, std::string_view key, const NewValue& value) {
  Store& store = HandleAccess::store(handle);
  if (!handle.is_live()) return fail(ErrorCode::WrongType);
  if (!is_valid_utf8(key)) return fail(ErrorCode::InvalidUtf8);
  DX_TRY_VOID(check_new_entry(store, value));
  put_entry(store, HandleAccess::type(handle), key, value);
  return {};
}

bool remove_entry(const Shared& handle, std::string_view key) {
  Store& store = HandleAccess::store(handle);
  const ItemRef ref = live_entry(store, HandleAccess::type(handle), key);
  if (!some(ref)) return false;
  store.erase(ref);
  return true;
}

}  // namespace diaryx::crdt
