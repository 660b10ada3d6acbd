// A shared type: a list of items, a map of items, or both. Private to the engine.
#pragma once

#include <memory>

#include "key_table.h"
#include "list_index.h"
#include "struct_view.h"

namespace diaryx::crdt {

struct SharedType {
  ItemRef start = ItemRef::None;  // leftmost list item, tombstones included
  ItemRef item = ItemRef::None;   // what contains this type; None for a root and for a collected type
  uint32_t length = 0;            // visible units of the list
  KeyRef name = KeyRef::None;     // of a root; node name of an XML type
  TypeKind kind = TypeKind::Undeclared;
  bool is_root = false;
  bool has_formatting = false;
  uint32_t changed_in = 0;  // the transaction that recorded a change of the list last

  // An item whose start (in visible units) is known: edits come in runs. None when unknown.
  ItemRef cursor_item = ItemRef::None;
  uint32_t cursor_start = 0;
  uint8_t lucky_walks = 0;  // how often a walk from the cursor got there lately; see `walk_to_unit`

  std::unique_ptr<ListIndex> index;  // made when a position is first asked for in a long list
  KeyMap keys;                       // key -> rightmost item of the key's list

  ItemRef current(KeyRef key) const {
    const uint32_t* found = keys.find(key);
    return found == nullptr ? ItemRef::None : static_cast<ItemRef>(*found);
  }
  void set_current(KeyRef key, ItemRef ref) { keys.set(key, raw(ref)); }
};

using TypeSlab = Slab<SharedType, TypeRef, 4>;

}  // namespace diaryx::crdt
