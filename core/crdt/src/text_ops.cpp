// Local edits of texts. Where an insertion lands among tombstones shows in the bytes, so it is done exactly as Yjs does it.
//
// Source: Yjs 13.6 src/types/YText.js; docs/protocol.md.
#include <algorithm>

#include "marks.h"
#include "store.h"

namespace diaryx::crdt {

void Store::insert_text(TypeRef ref, uint32_t at, std::string_view utf8, uint32_t units) {
  Gap gap = gap_to_fill(ref, at);
  // Text lands behind the tombstones at its place.
  while (some(gap.right) && items_[gap.right].deleted()) gap = {gap.right, items_[gap.right].right};
  if (extend_own_item(gap.left, ContentKind::String, units, as_bytes(utf8))) {
    return set_cursor(ref, gap.left, at + units - items_[gap.left].length);
  }
  const ItemRef made = insert(ref, gap, KeyRef::None, ContentKind::String, units, as_bytes(utf8));
  set_cursor(ref, made, at);
}

/// With the attributes of what stands left of it. Beyond the end it lands behind all marks, at the end right of the last unit.
void Store::insert_text_inheriting(TypeRef ref, uint32_t at, std::string_view utf8, uint32_t units) {
  if (!types_[ref].has_formatting) return insert_text(ref, std::min(at, types_[ref].length), utf8, units);
  TextEditor editor(*this, ref);
  editor.seek(at);
  (void)editor.insert({ContentKind::String, units, as_bytes(utf8)}, editor.marks());
}

void Store::erase_text(TypeRef ref, uint32_t at, uint32_t count) {
  if (count == 0) return;
  if (!types_[ref].has_formatting) {
    const uint32_t length = types_[ref].length;
    return at >= length ? void() : erase_units(ref, at, std::min(count, length - at), Keep::Marks);
  }
  TextEditor editor(*this, ref);
  editor.seek(at);
  editor.erase(count);
}

}  // namespace diaryx::crdt
