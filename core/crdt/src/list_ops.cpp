// Positions in lists: from a visible unit to an item and back.
#include "store.h"

namespace diaryx::crdt {
namespace {

constexpr uint32_t kWalk = 12;  // items that may be passed from the cursor before the tree is asked

}  // namespace

Store::Found Store::find_unit(TypeRef ref, uint32_t unit) {
  SharedType& type = types_[ref];
  if (unit >= type.length) return {};
  ItemRef at = type.start;
  uint32_t start = 0;
  if (some(type.cursor_item)) {
    at = type.cursor_item;
    start = type.cursor_start;
  }
  // Near the last edit (98 of 100 edits of the long trace) a few steps are enough.
  for (uint32_t step = 0; step < kWalk || !type.index; ++step) {
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
      return {at, unit - start};
    }
    start += visible;
    at = item.right;
    DX_ASSERT(some(at));
    if (step >= ListIndex::kWorthIt && !type.index) type.index = std::make_unique<ListIndex>(items_, type.start);
  }
  DX_ASSERT(type.index != nullptr);
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

Gap Store::gap_at(TypeRef ref, uint32_t at) {
  if (at == 0) return {ItemRef::None, types_[ref].start};
  const Found found = find_unit(ref, at - 1);
  DX_ASSERT(some(found.item));
  if (found.offset + 1 < items_[found.item].length) (void)split(found.item, found.offset + 1);
  return {found.item, items_[found.item].right};
}

void Store::erase_units(TypeRef ref, uint32_t at, uint32_t count, Keep keep) {
  if (count == 0) return;
  DX_ASSERT(at <= types_[ref].length && count <= types_[ref].length - at);
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

}  // namespace diaryx::crdt
