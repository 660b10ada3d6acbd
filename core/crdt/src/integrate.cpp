// Putting one item where every replica puts it, and taking items out again.
//
// Source: the YATA rule with the refinements of Yjs 13.6 (src/structs/Item.js, `integrate`); docs/protocol.md.
#include <algorithm>

#include "store.h"

namespace diaryx::crdt {

uint32_t Store::before(ClientIndex client) const {
  const Client& at = clients_[raw(client)];
  return at.touched_in == epoch_ ? at.before : at.structs.state();
}

void Store::touch_first(ClientIndex client, Client& at) {
  at.touched_in = epoch_;
  at.before = at.structs.state();
  if (at.before == 0) at.arrival = ++arrivals_;
  touched_.push_back(client);
}

void Store::append_struct(ItemRef ref) {
  const Item& item = items_[ref];
  touch(item.client);
  StructList& structs = clients_[raw(item.client)].structs;
  if (!structs.empty() && may_join(items_[structs.last()], item)) unsettled_ = joins_new_ = true;
  DX_ASSERT(structs.state() == item.clock);
  structs.append(ref, item.length);
}

void Store::append_gc(ClientIndex client, uint32_t length) {
  const auto [ref, item] = items_.add();
  item.client = client;
  item.clock = state(client);
  item.length = length;
  item.kind = ContentKind::Gc;
  item.flags = Item::kDeleted;
  append_struct(ref);
}

/// A change counts only for a type that was there before the transaction, and still is.
void Store::note_first_change(TypeRef ref, KeyRef key) {
  SharedType& at = types_[ref];
  if (!at.is_root) {
    const Item& container = items_[at.item];
    if (container.deleted() || container.clock >= before(container.client)) return;
  }
  if (!some(key)) at.changed_in = epoch_;
  changes_.push_back({ref, key});
}

void Store::note_deleted(const Deleted& range) {
  if (!deleted_.empty()) {
    // Deleting runs forwards, backspacing backwards.
    Deleted& last = deleted_.back();
    if (last.client == range.client && last.end() == range.clock) {
      last.length += range.length;
      return;
    }
    if (last.client == range.client && range.end() == last.clock) {
      last.clock = range.clock;
      last.length += range.length;
      return;
    }
  }
  deleted_.push_back(range);
}

ItemRef Store::leftmost_of_key(const SharedType& type, KeyRef key) const {
  ItemRef ref = type.current(key);
  while (some(ref) && some(items_[ref].left)) ref = items_[ref].left;
  return ref;
}

/// Moves `item.left` right over concurrent items that go before it. The sets of the rule are stamps: an item was seen in this
/// scan if its stamp is above `scan_start`, and is still in conflict if it is above `conflict_start`.
void Store::find_place_among_conflicts(Item& item) {
  ItemRef left = item.left;
  ItemRef at;
  if (some(left)) {
    at = items_[left].right;
  } else if (some(item.parent_sub)) {
    if (!some(item.right) && find_place_among_first_writers(item)) return;
    at = leftmost_of_key(types_[item.parent], item.parent_sub);
  } else {
    at = types_[item.parent].start;
  }
  if (!some(at) || at == item.right) return;
  if (scan_ > 0xf0000000u) {  // after four billion steps the stamps start again
    stamps_.clear();
    scan_ = 0;
  }
  if (stamps_.size() < items_.end()) stamps_.resize(items_.end());
  const uint32_t scan_start = scan_;
  uint32_t conflict_start = scan_;
  while (some(at) && at != item.right) {
    Item& other = items_[at];
    stamps_[raw(at)] = ++scan_;
    if (other.origin == item.origin) {
      if (client_id(other.client) < client_id(item.client)) {
        left = at;
        conflict_start = scan_;
      } else if (other.right_origin == item.right_origin) {
        break;  // `other` stays right of the new item
      }
    } else if (some(other.origin.client)) {
      const uint32_t base_stamp = stamps_[raw(find(other.origin))];
      if (base_stamp <= scan_start) break;
      if (base_stamp <= conflict_start) {
        left = at;
        conflict_start = scan_;
      }
    } else {
      break;
    }
    at = other.right;
  }
  item.left = left;
}

/// The same for a value of a key whose writer knew no other value. Such values stand in the order of their clients, each with those
/// behind it whose writers knew it; so the place is found from the right, where the newest are, and without stamps. False if a
/// writer gave a right origin, as no Yjs does for keys: then the whole rule decides.
bool Store::find_place_among_first_writers(Item& item) {
  const ItemRef current = types_[item.parent].current(item.parent_sub);
  ItemRef right = ItemRef::None;  // the first writer that stays right of `item`
  bool goes_first = true;
  for (ItemRef at = current; some(at); at = items_[at].left) {
    const Item& other = items_[at];
    if (some(other.right_origin.client)) return false;
    if (some(other.origin.client)) continue;
    if (client_id(other.client) < client_id(item.client)) {
      goes_first = false;
      break;
    }
    right = at;
  }
  if (goes_first) {
    item.right = right;
  } else {
    item.left = some(right) ? items_[right].left : current;
  }
  return true;
}

void Store::link(ItemRef ref) {
  Item& item = items_[ref];
  SharedType& parent = types_[item.parent];
  if (some(item.left)) {
    Item& left = items_[item.left];
    item.right = left.right;
    left.right = ref;
  } else if (some(item.parent_sub)) {
    const bool is_leftmost = some(item.right) && !some(items_[item.right].left);
    if (!is_leftmost) item.right = leftmost_of_key(parent, item.parent_sub);
  } else {
    item.right = parent.start;
    parent.start = ref;
  }
  if (some(item.right)) items_[item.right].left = ref;
}

/// `item` has its ids, its neighbours as resolved from the origins, its parent and its content.
void Store::integrate(ItemRef ref) {
  Item& item = items_[ref];
  const bool gap_is_closed =
      some(item.left) ? items_[item.left].right == item.right : some(item.right) && !some(items_[item.right].left);
  if (!gap_is_closed) find_place_among_conflicts(item);
  link(ref);

  SharedType& parent = types_[item.parent];
  const bool in_list = !some(item.parent_sub);
  if (!in_list && !some(item.right)) {
    parent.set_current(item.parent_sub, ref);
    if (some(item.left)) erase(item.left);  // the value that this one replaces
  }
  if (item.kind == ContentKind::Deleted) {
    item.flags |= Item::kDeleted;
    note_deleted(item);
  }
  if (in_list) {
    parent.length += item.visible();
    list_changed(parent);
    if (parent.index) parent.index->insert_after(item.left, ref);
  }
  append_struct(ref);
  if (item.kind == ContentKind::Format) parent.has_formatting = true;
  if (item.kind == ContentKind::String && item.content_bytes != item.length) has_wide_text_ = true;
  if (item.kind == ContentKind::Doc) [[unlikely]]
    subdocument_added(item);
  note_change(item.parent, item.parent_sub);
  const bool parent_is_gone = !parent.is_root && items_[parent.item].deleted();
  if (parent_is_gone || (!in_list && some(item.right))) erase(ref);
}

ItemRef Store::insert(TypeRef parent, Gap gap, KeyRef sub, ContentKind kind, uint32_t length, ByteView bytes) {
  DX_ASSERT(open_);
  const auto [ref, item] = items_.add();
  item.client = own_;
  item.clock = state(own_);
  item.length = length;
  item.left = gap.left;
  item.right = gap.right;
  if (some(gap.left)) item.origin = items_.far(gap.left).last_id();
  if (some(gap.right)) item.right_origin = items_[gap.right].id();
  item.parent = parent;
  item.parent_sub = sub;
  item.kind = kind;
  if (lives_in_heap(kind)) {
    item.content = heap_.add(bytes);
    item.content_bytes = static_cast<uint32_t>(bytes.size());
  }
  integrate(ref);
  return ref;
}

Bytes Store::with_prefix(ContentKind kind, KeyRef key, ByteView any, uint32_t identity) {
  // Only arrays, objects and bytes have an identity; plain values are equal when they look equal.
  const bool is_object =
      any.front() >= static_cast<uint8_t>(AnyTag::Bytes) && any.front() <= static_cast<uint8_t>(AnyTag::Object);
  if (is_object && identity == 0) identity = new_identity();
  Bytes whole(value_prefix(kind) + any.size());
  uint8_t* at = whole.data();
  if (kind == ContentKind::Format) {
    memcpy(at, &key, 4);
    at += 4;
  }
  memcpy(at, &identity, 4);
  memcpy(at + 4, any.data(), any.size());
  return whole;
}

ItemRef Store::insert_embed(TypeRef parent, Gap gap, ByteView any) {
  return insert(parent, gap, KeyRef::None, ContentKind::Embed, 1, with_prefix(ContentKind::Embed, KeyRef::None, any));
}

ItemRef Store::insert_mark(TypeRef parent, Gap gap, KeyRef key, ByteView any, uint32_t identity) {
  return insert(parent, gap, KeyRef::None, ContentKind::Format, 1,
                with_prefix(ContentKind::Format, key, any, identity));
}

TypeRef Store::make_type(ItemRef container, TypeKind kind, std::string_view name) {
  const auto [made, at] = types_.add();
  at.item = container;
  at.kind = kind;
  if (has_node_name(kind)) at.name = keys_.intern(name);
  return made;
}

ItemRef Store::insert_type(TypeRef parent, Gap gap, KeyRef sub, TypeKind kind, std::string_view name) {
  const ItemRef ref = insert(parent, gap, sub, ContentKind::Type, 1, {});
  items_[ref].content = raw(make_type(ref, kind, name));
  return ref;
}

bool Store::extend_item(ItemRef left_ref, ContentKind kind, uint32_t length, ByteView content) {
  Item& left = items_[left_ref];
  const ClientIndex client = left.client;
  StructList& structs = clients_[raw(client)].structs;
  // What an undo stack keeps is kept whole; the new part alone is collected, if this transaction deletes it as well.
  if (left.kind != kind || left.deleted() || left.end() != structs.state() ||
      (left.flags & (Item::kRedone | Item::kKeep)) || some(left.parent_sub)) {
    return false;
  }
  // The new item would get the right neighbour as right origin; items merge only when those are equal.
  const LocalId right_origin = some(left.right) ? items_[left.right].id() : LocalId{};
  if (!(left.right_origin == right_origin)) return false;
  touch(client);
  if (kind == ContentKind::String && content.size() != length) has_wide_text_ = true;
  left.content = heap_.extend(left.content, left.content_bytes, content);
  if (kind == ContentKind::Any) joined_values_ = {left.content, left.length, left.content_bytes};
  left.content_bytes += static_cast<uint32_t>(content.size());
  left.length += length;
  structs.extend_last(length);
  SharedType& parent = types_[left.parent];
  parent.length += length;
  list_changed(parent);
  if (parent.index) parent.index->grow(left_ref, length);
  note_change(left.parent, KeyRef::None);
  return true;
}

/// Whether a neighbour in its list is also a neighbour among the structs of its client, as it must be to become one struct with it. What
/// replaced the value of a key mostly is the only neighbour, and nobody has to look for the struct then.
bool Store::is_typed_beside(const Item& item) const {
  const auto is_followed_by = [](const Item& left, const Item& right) {
    return left.client == right.client && left.end() == right.clock;
  };
  return (some(item.left) && is_followed_by(items_[item.left], item)) ||
         (some(item.right) && is_followed_by(item, items_[item.right]));
}

/// Deletes an item and everything in it. Contents nest as deep as a peer likes, hence the list of what is still to do.
void Store::erase(ItemRef first) {
  std::vector<ItemRef> todo;
  for (ItemRef ref = first;;) {
    Item& item = items_[ref];
    if (!item.deleted()) {
      SharedType& parent = types_[item.parent];
      if (!some(item.parent_sub)) {
        parent.length -= item.visible();
        list_changed(parent);
        if (parent.index) parent.index->grow(ref, 0u - item.visible());
      }
      item.flags |= Item::kDeleted;
      unsettled_ = joins_new_ = true;
      joins_deleted_ |= ref != first || is_typed_beside(item);
      if (options_.gc == Gc::Enabled) {
        item.flags |= Item::kGarbage;
        garbage_.push_back(ref);
      }
      if (as_came_ != nullptr && item.clock >= before(item.client)) as_came_ = nullptr;
      note_deleted(item);
      note_change(item.parent, item.parent_sub);
      if (item.kind == ContentKind::Doc) [[unlikely]]
        subdocument_removed(item);
      if (item.kind == ContentKind::Type) {
        const SharedType& inner = types_[type_of(item)];
        const size_t waiting = todo.size();
        for (ItemRef child = inner.start; some(child); child = items_[child].right) {
          const Item& at = items_[child];
          if (!at.deleted()) {
            todo.push_back(child);
          } else if (at.clock < before(at.client)) {
            merge_candidates_.push_back(at.id());
          }
        }
        for (const KeyMap::Entry& entry : inner.keys.entries()) {
          const auto child = static_cast<ItemRef>(entry.value);
          const Item& at = items_[child];
          if (!at.deleted()) {
            todo.push_back(child);
          } else if (at.clock < before(at.client)) {
            merge_candidates_.push_back(at.id());
          }
        }
        // Taken from the back: the first child and all of its own come first.
        std::reverse(todo.begin() + static_cast<ptrdiff_t>(waiting), todo.end());
      }
    }
    if (todo.empty()) return;
    ref = todo.back();
    todo.pop_back();
  }
}

}  // namespace diaryx::crdt
