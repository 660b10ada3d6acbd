#include "undo_state.h"

#include <algorithm>

namespace diaryx::crdt {

namespace {

/// What fits into an update.
ClientId writable(ClientId id) { return ClientId{id.value() & kMaxVarUint}; }

}  // namespace

Store::Store(const DocOptions& options) : options_(options) {
  options_.client = writable(options.client);
  own_ = client_index(options_.client);
}

ClientIndex Store::find_client(ClientId id) const {
  // Structs come in runs of one client.
  if (some(last_client_) && clients_[raw(last_client_)].id == id) [[likely]]
    return last_client_;
  const auto at = std::lower_bound(client_order_.begin(), client_order_.end(), id,
                                   [this](ClientIndex a, ClientId wanted) { return client_id(a) < wanted; });
  if (at == client_order_.end() || client_id(*at) != id) return ClientIndex::None;
  return last_client_ = *at;
}

ClientIndex Store::client_index(ClientId id) {
  const ClientIndex known = find_client(id);
  if (some(known)) return known;
  const auto at = std::lower_bound(client_order_.begin(), client_order_.end(), id,
                                   [this](ClientIndex a, ClientId wanted) { return client_id(a) < wanted; });
  const auto made = static_cast<ClientIndex>(clients_.size());
  client_order_.insert(at, made);
  clients_.push_back({.id = id, .structs = {}});
  return last_client_ = made;
}

uint32_t Store::state(ClientId id) const {
  const ClientIndex client = find_client(id);
  return some(client) ? state(client) : 0;
}

StateVector Store::state_vector() const {
  StateVector result;
  for (const ClientIndex client : client_order_) result.set(client_id(client), Clock{state(client)});
  return result;
}

DeleteSet Store::delete_set() const {
  DeleteSet result;
  for (auto next = client_order_.rbegin(); next != client_order_.rend(); ++next) {
    const ClientId client = client_id(*next);
    const StructList& structs = clients_[raw(*next)].structs;
    uint32_t begin = 0;  // of the run of deleted structs that ends at `end`
    uint32_t end = 0;
    structs.for_each_from(structs.first_place(), [&](ItemRef ref) {
      const Item& item = items_[ref];
      if (!item.deleted()) return;
      if (item.clock != end) {
        if (end > begin) result.add(client, Clock{begin}, Length{end - begin});
        begin = item.clock;
      }
      end = item.end();
    });
    if (end > begin) result.add(client, Clock{begin}, Length{end - begin});
  }
  return result;
}

ItemRef Store::find(LocalId id) const {
  const StructList& structs = clients_[raw(id.client)].structs;
  return structs.ref(structs.find(id.clock));
}

ItemRef Store::clean_start(LocalId id) {
  const ItemRef ref = find(id);
  const Item& found = items_[ref];
  if (found.clock == id.clock || found.is_gc()) return ref;
  return split(ref, id.clock - found.clock);
}

ItemRef Store::clean_end(LocalId id) {
  const ItemRef ref = find(id);
  const Item& found = items_[ref];
  if (found.end() - 1 != id.clock && !found.is_gc()) (void)split(ref, id.clock - found.clock + 1);
  return ref;
}

void Store::cut_content(Item& left, Item& right, uint32_t at) {
  if (!lives_in_heap(left.kind)) return;
  const ByteView whole = content(left);
  if (left.kind != ContentKind::String) {
    const auto cut = static_cast<uint32_t>(element_offset(left.kind, whole, at));
    right.content = left.content + cut;
    right.content_bytes = left.content_bytes - cut;
    left.content_bytes = cut;
    return;
  }
  if (left.content_bytes == left.length) [[likely]] {  // ASCII: units are bytes
    right.content = left.content + at;
    right.content_bytes = left.length - at;
    left.content_bytes = at;
    return;
  }
  const ContentTail tail = content_tail(ContentKind::String, whole, left.length, at);
  const auto tail_bytes = static_cast<uint32_t>(tail.bytes.size());
  if (!tail.leads_with_half) [[likely]] {
    right.content = left.content + left.content_bytes - tail_bytes;
    right.content_bytes = tail_bytes;
    left.content_bytes -= tail_bytes;
    return;
  }
  // Inside a surrogate pair each half becomes U+FFFD, as in Yjs: four bytes turn into three left and three right.
  const uint32_t pair = left.content + left.content_bytes - tail_bytes - 4;
  memcpy(heap_.data(pair), "\xef\xbf\xbd", 3);
  Bytes rest = {0xef, 0xbf, 0xbd};
  rest.insert(rest.end(), tail.bytes.begin(), tail.bytes.end());
  right.content = heap_.add(rest);
  right.content_bytes = static_cast<uint32_t>(rest.size());
  heap_.drop(tail_bytes + 1);
  left.content_bytes = pair + 3 - left.content;
}

ItemRef Store::split(ItemRef left, uint32_t at) {
  const ItemRef right = split_for_good(left, at);
  merge_candidates_.push_back(items_[right].id());
  unsettled_ = true;
  return right;
}

ItemRef Store::split_for_good(ItemRef left_ref, uint32_t at) {
  const Item& left = items_[left_ref];
  const StructList& structs = clients_[raw(left.client)].structs;
  return structs.ref(split_at(structs.find(left.clock), left_ref, at));
}

StructList::Place Store::split_at(StructList::Place place, ItemRef left_ref, uint32_t at) {
  const auto [right_ref, right] = items_.add();
  Item& left = items_[left_ref];
  DX_ASSERT(at > 0 && at < left.length && !left.is_gc());
  as_came_ = nullptr;
  right = left;
  right.clock = left.clock + at;
  right.length = left.length - at;
  right.left = left_ref;
  right.origin = {left.client, right.clock - 1};
  cut_content(left, right, at);
  if (left.flags & Item::kRedone) {
    const LocalId redone = redone_.at(raw(left_ref));
    redone_[raw(right_ref)] = {redone.client, redone.clock + at};
  }
  if (left.flags & Item::kGarbage) garbage_.push_back(right_ref);
  left.length = at;
  left.right = right_ref;
  if (some(right.right)) items_[right.right].left = right_ref;

  SharedType& parent = types_[left.parent];
  if (some(right.parent_sub)) {
    if (!some(right.right)) parent.set_current(right.parent_sub, right_ref);
  } else if (parent.index) {
    parent.index->split(left_ref, right_ref);
  }
  return clients_[raw(left.client)].structs.insert_after(place, right_ref, right.clock);
}

TypeRef Store::root(std::string_view name, TypeKind kind) {
  const KeyRef key = keys_.intern(name);
  if (const uint32_t* known = root_by_name_.find(key)) {
    const auto ref = static_cast<TypeRef>(*known);
    if (types_[ref].kind == TypeKind::Undeclared) types_[ref].kind = kind;
    return ref;
  }
  DX_ASSERT(is_valid_utf8(name));
  const auto [ref, made] = types_.add();
  made.name = key;
  made.kind = kind;
  made.is_root = true;
  roots_.push_back(ref);
  root_by_name_.set(key, raw(ref));
  return ref;
}

TypeRef Store::find_root(std::string_view name) const {
  const KeyRef key = keys_.find(name);
  const uint32_t* known = some(key) ? root_by_name_.find(key) : nullptr;
  return known == nullptr ? TypeRef::None : static_cast<TypeRef>(*known);
}

TypeRef Store::detached_type(TypeKind kind) {
  const auto [made, type] = types_.add();
  type.kind = kind;
  return made;
}

void Store::set_own_client(ClientId id) {
  DX_ASSERT(!open_);
  own_ = client_index(writable(id));
  own_taken_ = false;
}

bool Store::is_empty() const {
  return std::all_of(clients_.begin(), clients_.end(), [](const Client& client) { return client.structs.empty(); });
}

size_t Store::struct_count() const {
  size_t count = 0;
  for (const Client& client : clients_) count += client.structs.size();
  return count;
}

size_t Store::memory_bytes() const {
  size_t bytes = sizeof(Store) + items_.memory_bytes() + types_.memory_bytes() + heap_.memory_bytes() +
                 keys_.memory_bytes() + clients_.capacity() * sizeof(Client) + client_order_.capacity() * 4 +
                 root_by_name_.memory_bytes() + pending_update_.capacity() + stamps_.capacity() * 4;
  if constexpr (kHasObservers) bytes += undo_bytes();
  for (const Client& client : clients_) bytes += client.structs.memory_bytes();
  for (uint32_t i = 1; i < types_.end(); ++i) {
    const SharedType& at = types_[static_cast<TypeRef>(i)];
    if (at.index) bytes += sizeof(ListIndex) + at.index->memory_bytes();
    bytes += at.keys.memory_bytes();
  }
  return bytes;
}

}  // namespace diaryx::crdt
