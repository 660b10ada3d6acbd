// Local edits of texts. Where an insertion lands among tombstones shows in the bytes, so it is done exactly as Yjs does it.
//
// Source: Yjs 13.6 src/types/YText.js; docs/protocol.md.
#include <algorithm>

#include "store.h"

namespace diaryx::crdt {

/// Units from the start of the text to the border of the character that unit `at` lies in, if it lies inside one.
uint32_t Store::snap_to_character(TypeRef ref, uint32_t at, SnapTo side) {
  if (at == 0 || at >= types_[ref].length) return at;
  const Found found = find_unit(ref, at);
  const Item& item = items_[found.item];
  if (found.offset == 0 || item.kind != ContentKind::String || item.content_bytes == item.length) return at;
  const std::string_view text = as_text(content(item));
  const Utf16Offset border = to_utf16(text, to_utf8(text, Utf16Offset{found.offset}));
  if (border == Utf16Offset{found.offset}) return at;
  return side == SnapTo::Start ? at - 1 : at + 1;
}

void Store::insert_text(TypeRef ref, uint32_t at, std::string_view utf8, uint32_t units) {
  at = snap_to_character(ref, std::min(at, types_[ref].length), SnapTo::Start);
  Gap gap = gap_at(ref, at);
  // Text lands behind the tombstones at its place.
  while (some(gap.right) && items_[gap.right].deleted()) gap = {gap.right, items_[gap.right].right};
  if (some(gap.left) && extend_text(gap.left, utf8, units)) {
    return set_cursor(ref, gap.left, at + units - items_[gap.left].length);
  }
  const ItemRef made = insert(ref, gap, KeyRef::None, ContentKind::String, units, as_bytes(utf8));
  set_cursor(ref, made, at);
}

void Store::erase_text(TypeRef ref, uint32_t at, uint32_t count) {
  if (count == 0) return;
  const uint32_t from = snap_to_character(ref, at, SnapTo::Start);
  const uint32_t to = snap_to_character(ref, at + count, SnapTo::End);
  erase_units(ref, from, to - from, Keep::Marks);
}

}  // namespace diaryx::crdt
