// Positions in lists: from a visible unit to an item and back.
#include <algorithm>

#include "store.h"

namespace diaryx::crdt {
namespace {

constexpr uint32_t kWalk = 12;  // items that may be passed from the cursor before the tree is asked
constexpr uint32_t kMostLuck = 8;
constexpr uint32_t kNear = 2048;  // units from the cursor within which a walk is tried at all
constexpr uint32_t kVeryNear = 48;

}  // namespace

/// From the cursor, or by the tree. Where a writer goes back and forth a few steps are enough, also over some distance; of somebody who
/// jumps about at random nearly no walk arrives, so then only what is very near is looked for on foot.
Store::Found Store::walk_to_unit(TypeRef ref, uint32_t unit) {
  SharedType& type = types_[ref];
  if (unit >= type.length) return {};
  ItemRef at = type.start;
  uint32_t start = 0;
  if (some(type.cursor_item)) {
    at = type.cursor_item;
    start = type.cursor_start;
  }
  const uint32_t near = type.lucky_walks > 0 ? kNear : kVeryNear;
  const bool is_near = unit - start + near < 2 * near;
  for (uint32_t step = is_near ? 0 : kWalk; step < kWalk || !type.index; ++step) {
    const Item& item = items_[at];
    if (unit < start) {
      if (!some(item.left)) break;
      at = item.left;
      start -= items_[at].visible();
      continue;
    }
    const uint32_t visible = item.visible();
    if (unit - start < visible) {
      type.cursor_item = at;
      type.cursor_start = start;
      if (is_near && type.lucky_walks < kMostLuck) ++type.lucky_walks;
      return {at, unit - start};
    }
    start += visible;
    at = item.right;
    DX_ASSERT(some(at));
    if (step >= kWalk + ListIndex::kWorthIt && !type.index)
      type.index = std::make_unique<ListIndex>(items_, type.start);
  }
  DX_ASSERT(type.index != nullptr);
  if (is_near && type.lucky_walks > 0) --type.lucky_walks;
  const ListIndex::Place place = type.index->find(unit);
  type.cursor_item = place.item;
  type.cursor_start = place.start;
  return {place.item, unit - place.start};
}

uint32_t Store::start_of(ItemRef ref) {
  SharedType& type = types_[items_[ref].parent];
  if (type.cursor_item == ref) return type.cursor_start;
  if (type.index) return type.index->start_of(ref);
  uint32_t start = 0;
  uint32_t steps = 0;
  for (ItemRef at = items_[ref].left; some(at); at = items_[at].left) {
    start += items_[at].visible();
    if (++steps == ListIndex::kWorthIt) {
      type.index = std::make_unique<ListIndex>(items_, type.start);
      return type.index->start_of(ref);
    }
  }
  return start;
}

template <ItemRef (Store::*Split)(ItemRef, uint32_t)>
Gap Store::gap_after_split(TypeRef ref, uint32_t at) {
  if (at == 0) return {ItemRef::None, types_[ref].start};
  const Found found = find_unit(ref, at - 1);
  DX_ASSERT(some(found.item));
  if (found.offset + 1 < items_[found.item].length) (void)(this->*Split)(found.item, found.offset + 1);
  return {found.item, items_[found.item].right};
}

Gap Store::gap_at(TypeRef ref, uint32_t at) { return gap_after_split<&Store::split>(ref, at); }

Gap Store::gap_to_fill(TypeRef ref, uint32_t at) { return gap_after_split<&Store::split_for_good>(ref, at); }

void Store::erase_units(TypeRef ref, uint32_t at, uint32_t count, Keep keep) {
  if (count == 0) return;
  DX_ASSERT(at <= types_[ref].length && count <= types_[ref].length - at);
  if (collects_at_once(types_[ref])) return bury_units(ref, at, count);
  const Gap gap = gap_at(ref, at);
  const ItemRef known = gap.left;
  const uint32_t known_start = some(known) ? types_[ref].cursor_start : 0;
  for (ItemRef next = gap.right; count > 0; next = items_[next].right) {
    const Item& item = items_[next];
    if (item.deleted()) continue;
    if (is_countable(item.kind)) {
      if (count < item.length) (void)split(next, count);
      count -= item.length;
    } else if (keep == Keep::Marks) {
      continue;
    }
    erase(next);
  }
  set_cursor(ref, some(known) ? known : types_[ref].start, known_start);
}

/// Deletes, collects and merges in one step what `erase_units` and the commit do in three. The outcome is the same: between
/// neighbours that are both deleted nothing is ever inserted by the transaction that deletes them.
void Store::bury_units(TypeRef ref, uint32_t at, uint32_t count) {
  Found found = find_unit(ref, at);
  const ItemRef left = found.offset > 0 ? found.item : items_[found.item].left;
  const uint32_t left_start = some(left) ? at - (found.offset > 0 ? found.offset : items_[left].visible()) : 0;
  note_change(ref, KeyRef::None);
  for (;;) {
    const Item& item = items_[found.item];
    const uint32_t here = std::min(count, item.length - found.offset);
    const StructList::Place place = clients_[raw(item.client)].structs.find(item.clock);
    found = {bury_part(place, found.item, found.offset, here), 0};
    count -= here;
    if (count == 0) break;
    while (items_[found.item].deleted()) found.item = items_[found.item].right;
  }
  set_cursor(ref, some(left) ? left : types_[ref].start, left_start);
}

/// True if a tombstone that `item` becomes at its front (its back) would be merged with that neighbour.
bool Store::is_tombstone_before(ItemRef left_ref, const Item& item) const {
  if (!some(left_ref)) return false;
  const Item& left = items_[left_ref];
  return left.kind == ContentKind::Deleted && left.client == item.client && left.end() == item.clock &&
         item.origin == left.last_id() && left.right_origin == item.right_origin &&
         ((left.flags | item.flags) & Item::kRedone) == 0;
}

bool Store::is_tombstone_behind(ItemRef right_ref, const Item& item) const {
  if (!some(right_ref)) return false;
  const Item& right = items_[right_ref];
  return right.kind == ContentKind::Deleted && right.client == item.client && right.clock == item.end() &&
         right.origin == item.last_id() && right.right_origin == item.right_origin &&
         ((right.flags | item.flags) & Item::kRedone) == 0;
}

/// Deletes units [offset, offset + count) of a live item, which stands at `place` among the structs of its client. Returns the item
/// right of them.
ItemRef Store::bury_part(StructList::Place place, ItemRef ref, uint32_t offset, uint32_t count) {
  Item& item = items_[ref];
  const bool to_end = offset + count == item.length;
  if (offset == 0 && to_end) return bury(place, ref);
  StructList& structs = clients_[raw(item.client)].structs;
  // Deleting forwards and backspacing: the tombstone beside the item takes the units over.
  if (offset == 0 && is_tombstone_before(item.left, item)) {
    note_deleted({item.client, item.clock, count});
    count_out(ref, count);
    Item& tombstone = items_[item.left];
    tombstone.length += count;
    Item rest = item;
    cut_content(item, rest, count);
    heap_.drop(item.content_bytes);
    item.content = rest.content;
    item.content_bytes = rest.content_bytes;
    item.clock += count;
    item.length -= count;
    item.origin = tombstone.last_id();
    structs.move_border(place, item.clock);
    return ref;
  }
  if (to_end && is_tombstone_behind(item.right, item)) {
    Item& tombstone = items_[item.right];
    note_deleted({item.client, item.clock + offset, count});
    count_out(ref, count);
    Item cut = item;
    cut_content(item, cut, offset);
    heap_.drop(cut.content_bytes);
    item.length = offset;
    tombstone.clock -= count;
    tombstone.length += count;
    tombstone.origin = item.last_id();
    structs.move_border(structs.after(place), tombstone.clock);
    return tombstone.right;
  }
  if (!to_end) place = structs.before(split_at(place, ref, offset + count));
  if (offset > 0) place = split_at(place, ref, offset);
  return bury(place, structs.ref(place));
}

/// Deletes a live item and merges it with its neighbours. Returns the item right of it.
ItemRef Store::bury(StructList::Place place, ItemRef ref) {
  Item& item = items_[ref];
  if (!can_merge(item.kind)) {
    erase(ref);
    return item.right;
  }
  note_deleted(item);
  count_out(ref, item.length);
  drop_content(item);
  item.kind = ContentKind::Deleted;
  item.flags |= Item::kDeleted;
  StructList& structs = clients_[raw(item.client)].structs;
  // What is merged is a neighbour in both orders. Somebody else's clocks stand in between where text was typed here and there, and then
  // the neighbour need not be looked at.
  const StructList::Place next = structs.after(place);
  if (structs.has(next) && structs.ref(next) == item.right && merge(ref, item.right)) structs.erase(next, 1);
  const ItemRef after = item.right;
  if (!structs.is_first(place) && structs.ref(structs.before(place)) == item.left && merge(item.left, ref)) {
    structs.erase(place, 1);
  }
  return after;
}

/// The item is about to lose `count` visible units.
void Store::count_out(ItemRef ref, uint32_t count) {
  SharedType& parent = types_[items_[ref].parent];
  parent.length -= count;
  if (parent.index) parent.index->grow(ref, 0u - count);
}

}  // namespace diaryx::crdt
