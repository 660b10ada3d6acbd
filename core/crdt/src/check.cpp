// The invariants of the store, checked one by one. For tests: it reads the whole document.
#include "store.h"

namespace diaryx::crdt {
namespace {

void check_list(const Store& store, TypeRef ref, ItemRef start, KeyRef sub, uint32_t& visible) {
  ItemRef left = ItemRef::None;
  for (ItemRef at = start; some(at); left = at, at = store.item(at).right) {
    const Item& item = store.item(at);
    DX_ASSERT(!item.is_gc());
    DX_ASSERT(item.left == left);
    DX_ASSERT(item.parent == ref && item.parent_sub == sub);
    visible += item.visible();
    // Left behind by a split, it stays live when what it lies in is deleted: that deletes current values only.
    const bool is_behind = some(sub) && some(item.right);
    if (!item.deleted()) DX_ASSERT(is_behind ? store.was_split(item) : store.is_live(ref));
  }
}

}  // namespace

/// A peer may put several values into one map item. When it is split, the left part stays live behind the current value, as in Yjs.
bool Store::was_split(const Item& item) const {
  if (item.end() == state(item.client)) return false;
  return items_[find({item.client, item.end()})].origin == item.last_id();
}

void Store::check() const {
  size_t listed = 0;
  for (const Client& client : clients_) {
    uint32_t clock = 0;
    const StructList& structs = client.structs;
    size_t counted = 0;
    for (StructList::Place at = structs.first_place(); structs.has(at); at = structs.after(at), ++counted) {
      const Item& item = items_[structs.ref(at)];
      DX_ASSERT(item.clock == clock && item.length > 0);
      DX_ASSERT(structs.clock(at) == clock);
      DX_ASSERT(structs.find(clock) == at);
      DX_ASSERT(item.client < static_cast<ClientIndex>(clients_.size()) && client_id(item.client) == client.id);
      if (item.kind == ContentKind::String) {
        DX_ASSERT(utf16_length(as_text(content(item))).value() == item.length);
      }
      clock += item.length;
      if (!item.is_gc()) ++listed;
    }
    DX_ASSERT(clock == structs.state() && counted == structs.size());
  }
  for (uint32_t i = 1; i < types_.end(); ++i) {
    const auto ref = static_cast<TypeRef>(i);
    const SharedType& type = types_[ref];
    uint32_t visible = 0;
    check_list(*this, ref, type.start, KeyRef::None, visible);
    DX_ASSERT(visible == type.length);
    for (ItemRef at = type.start; some(at); at = items_[at].right) --listed;
    if (type.index) type.index->check(type.start);
    if (some(type.cursor_item)) {
      uint32_t start = 0;
      for (ItemRef at = items_[type.cursor_item].left; some(at); at = items_[at].left) start += items_[at].visible();
      DX_ASSERT(start == type.cursor_start && items_[type.cursor_item].parent == ref);
    }
    for (const KeyMap::Entry& entry : type.keys.entries()) {
      const auto last = static_cast<ItemRef>(entry.value);
      DX_ASSERT(!some(items_[last].right));
      uint32_t ignored = 0;
      check_list(*this, ref, leftmost_of_key(type, entry.key), entry.key, ignored);
      for (ItemRef at = last; some(at); at = items_[at].left) --listed;
    }
  }
  DX_ASSERT(listed == 0);
}

}  // namespace diaryx::crdt
