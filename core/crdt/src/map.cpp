#include "diaryx/crdt/map.h"

#include "diaryx/crdt/array.h"
#include "diaryx/crdt/text.h"
#include "entries.h"
#include "handle_access.h"
#include "values.h"

namespace diaryx::crdt {
namespace {

constexpr TypeRef as_type(uint32_t type) { return static_cast<TypeRef>(type); }

template <typename Handle>
Handle set_type(const Shared& map, std::string_view key, TypeKind kind) {
  Store& store = HandleAccess::store(map);
  const bool possible = map.is_live() && is_valid_utf8(key) && store.has_room(1, 0);
  return HandleAccess::make<Handle>(
      store, possible ? store.set_key_type(HandleAccess::type(map), key, kind) : store.detached_type(kind));
}

}  // namespace

size_t Map::size() const {
  const SharedType& type = store_->type(as_type(type_));
  size_t live = 0;
  for (const KeyMap::Entry& entry : type.keys.entries()) {
    if (!store_->item(static_cast<ItemRef>(entry.value)).deleted()) ++live;
  }
  return live;
}

bool Map::contains(std::string_view key) const { return some(live_entry(*store_, as_type(type_), key)); }

std::optional<Any> Map::get(std::string_view key) const {
  const ItemRef ref = live_entry(*store_, as_type(type_), key);
  if (!some(ref)) return std::nullopt;
  return value_of(*store_, store_->item(ref));
}

std::optional<Value> Map::at(std::string_view key) const { return entry_at(*this, key); }

std::optional<std::string> Map::get_string(std::string_view key) const {
  std::optional<Any> value = get(key);
  if (!value || value->as_string() == nullptr) return std::nullopt;
  return *value->as_string();
}

std::optional<Map> Map::get_map(std::string_view key) const {
  const auto inner = type_at(*store_, live_entry(*store_, as_type(type_), key), TypeKind::Map);
  return inner ? std::optional<Map>(HandleAccess::make<Map>(*store_, *inner)) : std::nullopt;
}

std::optional<Array> Map::get_array(std::string_view key) const {
  const auto inner = type_at(*store_, live_entry(*store_, as_type(type_), key), TypeKind::Array);
  return inner ? std::optional<Array>(HandleAccess::make<Array>(*store_, *inner)) : std::nullopt;
}

std::optional<Text> Map::get_text(std::string_view key) const {
  const auto inner = type_at(*store_, live_entry(*store_, as_type(type_), key), TypeKind::Text);
  return inner ? std::optional<Text>(HandleAccess::make<Text>(*store_, *inner)) : std::nullopt;
}

Result<void> Map::set(Transaction&, std::string_view key, const Any& value) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  size_t bytes = 0;
  DX_TRY_VOID(check_text(key, bytes));
  DX_TRY_VOID(check_value(value, store_->limits().max_depth, bytes));
  if (!store_->has_room(1, bytes)) return fail(ErrorCode::TooLarge);
  store_->set_key(as_type(type_), key, value);
  return {};
}

Result<void> Map::set(Transaction&, std::string_view key, const NewValue& value) {
  return set_entry(*this, key, value);
}

Map Map::set_map(Transaction&, std::string_view key) { return set_type<Map>(*this, key, TypeKind::Map); }
Array Map::set_array(Transaction&, std::string_view key) { return set_type<Array>(*this, key, TypeKind::Array); }
Text Map::set_text(Transaction&, std::string_view key) { return set_type<Text>(*this, key, TypeKind::Text); }

bool Map::erase(Transaction&, std::string_view key) { return remove_entry(*this, key); }

void Map::clear(Transaction&) {
  const SharedType& type = store_->type(as_type(type_));
  for (size_t slot = 0; slot < type.keys.entries().size(); ++slot) {
    store_->erase(static_cast<ItemRef>(type.keys.entries()[slot].value));
  }
}

std::vector<std::pair<std::string, Value>> Map::entries() const { return entries_of(*this); }

std::vector<std::string> Map::keys() const {
  std::vector<std::string> result;
  const SharedType& type = store_->type(as_type(type_));
  for (const KeyMap::Entry& entry : type.keys.entries()) {
    if (store_->item(static_cast<ItemRef>(entry.value)).deleted()) continue;
    result.emplace_back(store_->keys().text(entry.key));
  }
  return result;
}

size_t Map::slots() const {
  const SharedType& type = store_->type(as_type(type_));
  return type.keys.entries().size();
}

std::optional<Any> Map::value_in_slot(size_t slot, std::string_view& key) const {
  const KeyMap::Entry& entry = store_->type(as_type(type_)).keys.entries()[slot];
  const Item& item = store_->item(static_cast<ItemRef>(entry.value));
  if (item.deleted()) return std::nullopt;
  key = store_->keys().text(entry.key);
  return value_of(*store_, item);
}

std::optional<Id> Map::current_id(std::string_view key) const {
  const ItemRef ref = store_->current_item(as_type(type_), key);
  if (!some(ref)) return std::nullopt;
  const Item& item = store_->item(ref);
  return Id{store_->client_id(item.client), Clock{item.end() - 1}};
}

bool Map::replaced_knowingly(std::string_view key, Id earlier) const {
  const ClientIndex client = store_->find_client(earlier.client);
  if (!some(client)) return false;
  // Whoever sets a value names the one that he saw. It need not be the writer of the value that holds: of two writers at once one wins,
  // and what the other one saw he replaced all the same.
  for (ItemRef ref = store_->current_item(as_type(type_), key); some(ref); ref = store_->item(ref).left) {
    const Item& item = store_->item(ref);
    if (item.origin.client == client && item.origin.clock == earlier.clock.value()) return true;
    // Merged tombstones are one item: the later units had the earlier ones as origin.
    if (item.client == client && earlier.clock.value() >= item.clock && earlier.clock.value() + 1 < item.end())
      return true;
  }
  return false;
}

}  // namespace diaryx::crdt
