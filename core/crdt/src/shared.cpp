#include "diaryx/crdt/shared.h"

#include "diaryx/crdt/array.h"
#include "diaryx/crdt/map.h"
#include "diaryx/crdt/text.h"
#include "diaryx/crdt/xml.h"
#include "handle_access.h"

namespace diaryx::crdt {
namespace {

template <typename Handle, typename... Kinds>
std::optional<Handle> as(const Shared& handle, Kinds... kinds) {
  const Shared::Kind kind = handle.kind();
  if (!((kind == kinds) || ...)) return std::nullopt;
  return HandleAccess::make<Handle>(HandleAccess::store(handle), HandleAccess::type(handle));
}

/// The item that holds the type; null for a root, and once it was collected.
const Item* container_of(const Store& store, TypeRef type) {
  const ItemRef ref = store.type(type).item;
  return some(ref) && !store.type(type).is_root ? &store.item(ref) : nullptr;
}

}  // namespace

static_assert(static_cast<uint8_t>(Shared::Kind::XmlText) == static_cast<uint8_t>(TypeKind::XmlText));
static_assert(static_cast<uint8_t>(Shared::Kind::Undeclared) == static_cast<uint8_t>(TypeKind::Undeclared));

Shared::Kind Shared::kind() const { return store_->type(static_cast<TypeRef>(type_)).kind; }
bool Shared::is_live() const { return store_->is_live(static_cast<TypeRef>(type_)); }
bool Shared::is_root() const { return store_->type(static_cast<TypeRef>(type_)).is_root; }

bool Shared::has_items() const {
  const SharedType& type = store_->type(static_cast<TypeRef>(type_));
  return some(type.start) || !type.keys.empty();
}

std::optional<std::string> Shared::root_name() const {
  if (!is_root()) return std::nullopt;
  return std::string(store_->keys().text(store_->type(static_cast<TypeRef>(type_)).name));
}

std::optional<Id> Shared::id() const {
  const Item* item = container_of(*store_, static_cast<TypeRef>(type_));
  if (item == nullptr) return std::nullopt;
  return Id{store_->client_id(item->client), Clock{item->clock}};
}

std::optional<Shared> Shared::parent() const {
  const Item* item = container_of(*store_, static_cast<TypeRef>(type_));
  if (item == nullptr) return std::nullopt;
  return HandleAccess::make(*store_, item->parent);
}

std::optional<std::string> Shared::parent_key() const {
  const Item* item = container_of(*store_, static_cast<TypeRef>(type_));
  if (item == nullptr || !some(item->parent_sub)) return std::nullopt;
  return std::string(store_->keys().text(item->parent_sub));
}

std::optional<Array> Shared::as_array() const { return as<Array>(*this, Kind::Array); }
std::optional<Map> Shared::as_map() const { return as<Map>(*this, Kind::Map, Kind::XmlHook); }
std::optional<Text> Shared::as_text() const { return as<Text>(*this, Kind::Text, Kind::XmlText); }
std::optional<XmlFragment> Shared::as_xml_fragment() const {
  return as<XmlFragment>(*this, Kind::XmlFragment, Kind::XmlElement);
}
std::optional<XmlElement> Shared::as_xml_element() const { return as<XmlElement>(*this, Kind::XmlElement); }
std::optional<XmlText> Shared::as_xml_text() const { return as<XmlText>(*this, Kind::XmlText); }
std::optional<XmlHook> Shared::as_xml_hook() const { return as<XmlHook>(*this, Kind::XmlHook); }

}  // namespace diaryx::crdt
