#include "diaryx/crdt/relative_position.h"

#include <cmath>

#include "any_codec.h"
#include "cursor.h"
#include "handle_access.h"

namespace diaryx::crdt {
namespace {

/// The first varUint of the bytes: what the position holds on to.
enum class Anchor : uint8_t { Item = 0, Root = 1, Type = 2 };

void write_id(Sink& out, Id id) {
  out.var_uint(id.client.value());
  out.var_uint(id.clock.value());
}

Id read_id(Cursor& in) {
  const ClientId client{in.var_uint()};
  return {client, Clock{in.var_clock()}};
}

Any id_to_json(Id id) {
  return Any::object({{"client", Any::number(static_cast<double>(id.client.value()))},
                      {"clock", Any::number(static_cast<double>(id.clock.value()))}});
}

Result<uint64_t> read_number(const Any* json, uint64_t limit, ErrorCode beyond) {
  if (json == nullptr || json->as_number() == nullptr) return fail(ErrorCode::WrongType);
  const double number = *json->as_number();
  if (!(number >= 0) || std::trunc(number) != number) return fail(ErrorCode::NumberOutOfRange);
  if (number > static_cast<double>(limit)) return fail(beyond);
  return static_cast<uint64_t>(number);
}

bool is_absent(const Any* json) { return json == nullptr || json->is_null() || json->is_undefined(); }

Result<std::optional<Id>> id_from_json(const Any* json) {
  if (is_absent(json)) return std::optional<Id>{};
  DX_TRY(const uint64_t client, read_number(json->find("client"), kMaxVarUint, ErrorCode::NumberOutOfRange));
  DX_TRY(const uint64_t clock, read_number(json->find("clock"), 0xffffffffu, ErrorCode::ClockOverflow));
  return std::optional<Id>{Id{ClientId{client}, Clock{static_cast<uint32_t>(clock)}}};
}

Id public_id(const Store& store, LocalId id) { return {store.client_id(id.client), Clock{id.clock}}; }

RelativePosition position_at(Store& store, TypeRef ref, uint64_t index, Side side) {
  RelativePosition position;
  position.assoc = static_cast<int64_t>(side);
  const SharedType& type = store.type(ref);
  if (type.is_root) {
    position.root = std::string(store.keys().text(type.name));
  } else if (some(type.item)) {
    position.type = public_id(store, store.item(type.item).id());
  }
  if (side == Side::Left) {
    if (index == 0) return position;
    --index;
  }
  if (index < type.length) {
    const Store::Found found = store.find_unit(ref, static_cast<uint32_t>(index));
    const Item& item = store.item(found.item);
    position.item = public_id(store, {item.client, item.clock + found.offset});
  } else if (side == Side::Left) {
    const ItemRef last = store.gap_at_end(ref).left;
    if (some(last)) position.item = public_id(store, store.item(last).last_id());
  }
  return position;
}

struct Place {
  ItemRef item;
  uint32_t offset;  // units of the item before the id
};

/// The struct that contains the id, or its newest copy. Nothing is split.
std::optional<Place> find_place(const Store& store, Id id, FollowUndone follow) {
  const ClientIndex client = store.find_client(id.client);
  if (!some(client) || store.state(client) <= id.clock.value()) return std::nullopt;
  LocalId at{client, id.clock.value()};
  for (;;) {
    const ItemRef ref = store.find(at);
    const uint32_t offset = at.clock - store.item(ref).clock;
    const LocalId copy = follow == FollowUndone::Yes ? store.redone_as(ref) : LocalId{};
    if (!some(copy.client)) return Place{ref, offset};
    at = {copy.client, copy.clock + offset};
  }
}

/// Visible units before the place.
uint32_t index_of(Store& store, const Place& place, Side side) {
  const Item& item = store.item(place.item);
  if (!store.is_live(item.parent)) return 0;
  if (some(item.parent_sub)) return 0;  // the value of a map key has no place in a list, whatever a stranger says
  const uint32_t start = store.start_of(place.item);
  if (item.visible() == 0) return start;
  return start + place.offset + (side == Side::Left ? 1 : 0);
}

}  // namespace

Bytes RelativePosition::encode() const {
  DX_ASSERT(item || root || type);
  Sink out;
  if (item) {
    out.var_uint(static_cast<uint64_t>(Anchor::Item));
    write_id(out, *item);
  } else if (root) {
    out.var_uint(static_cast<uint64_t>(Anchor::Root));
    out.var_string(*root);
  } else {
    out.var_uint(static_cast<uint64_t>(Anchor::Type));
    write_id(out, *type);
  }
  const bool negative = assoc < 0;
  out.var_int(negative ? 0 - static_cast<uint64_t>(assoc) : static_cast<uint64_t>(assoc), negative);
  return out.take();
}

Result<RelativePosition> RelativePosition::decode(ByteView bytes) {
  Cursor in(bytes);
  RelativePosition position;
  switch (in.var_uint()) {
    case static_cast<uint64_t>(Anchor::Item): position.item = read_id(in); break;
    case static_cast<uint64_t>(Anchor::Root): position.root = std::string(in.var_string()); break;
    case static_cast<uint64_t>(Anchor::Type): position.type = read_id(in); break;
    default: in.fail(ErrorCode::UnknownTag);
  }
  if (in.ok() && !in.at_end()) {
    const SignedMagnitude assoc = in.var_int();
    const auto magnitude = static_cast<int64_t>(assoc.magnitude);
    position.assoc = assoc.negative ? -magnitude : magnitude;
  }
  if (in.ok() && !in.at_end()) in.fail(ErrorCode::TrailingBytes);
  if (!in.ok()) return std::unexpected(in.error());
  return position;
}

Any RelativePosition::to_json() const {
  Any::Object json;
  if (type) json.push_back({"type", id_to_json(*type)});
  // Yjs takes the name "" for absent; it is left out as far as a reader does not need it.
  if (root && (!root->empty() || !item)) json.push_back({"tname", Any::string(*root)});
  if (item) json.push_back({"item", id_to_json(*item)});
  json.push_back({"assoc", Any::number(static_cast<double>(assoc))});
  return Any::object(std::move(json));
}

Result<RelativePosition> RelativePosition::from_json(const Any& json) {
  RelativePosition position;
  DX_TRY(position.type, id_from_json(json.find("type")));
  DX_TRY(position.item, id_from_json(json.find("item")));
  if (const Any* root = json.find("tname"); !is_absent(root)) {
    if (root->as_string() == nullptr) return fail(ErrorCode::WrongType);
    position.root = *root->as_string();
  }
  if (const Any* assoc = json.find("assoc"); !is_absent(assoc)) {
    const double* number = assoc->as_number();
    if (number == nullptr) return fail(ErrorCode::WrongType);
    if (std::trunc(*number) != *number || std::fabs(*number) > static_cast<double>(kMaxVarUint))
      return fail(ErrorCode::NumberOutOfRange);
    position.assoc = static_cast<int64_t>(*number);
  }
  if (!position.item && !position.root && !position.type) return fail(ErrorCode::WrongType);
  return position;
}

RelativePosition relative_position(const Text& text, Utf16Offset index, Side side) {
  return relative_position(static_cast<const Shared&>(text), index.value(), side);
}

RelativePosition relative_position(const Shared& list, size_t index, Side side) {
  return position_at(HandleAccess::store(list), HandleAccess::type(list), index, side);
}

std::optional<AbsolutePosition> resolve(Doc& doc, const RelativePosition& position, FollowUndone follow) {
  Store& store = DocInternals::store(doc);
  const auto at = [&](TypeRef type, uint32_t index) {
    return AbsolutePosition{HandleAccess::make(store, type), index, position.assoc};
  };
  if (position.item) {
    const auto place = find_place(store, *position.item, follow);
    if (!place || store.item(place->item).is_gc()) return std::nullopt;
    return at(store.item(place->item).parent, index_of(store, *place, position.side()));
  }
  TypeRef ref;
  if (position.root) {
    ref = store.root(*position.root, TypeKind::Undeclared);
  } else if (position.type) {
    const auto place = find_place(store, *position.type, follow);
    if (!place || store.item(place->item).kind != ContentKind::Type) return std::nullopt;
    ref = store.type_of(store.item(place->item));
  } else {
    return std::nullopt;
  }
  return at(ref, position.side() == Side::Right ? store.type(ref).length : 0);
}

}  // namespace diaryx::crdt
