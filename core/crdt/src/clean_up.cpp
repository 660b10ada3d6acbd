// Tidying marks after a remote transaction, as a Yjs receiver does it: marks that say nothing any more are deleted.
//
// Source: Yjs 13.6 src/types/YText.js (`cleanupYTextAfterTransaction`); docs/protocol.md.
#include <algorithm>

#include "marks.h"
#include "store.h"

namespace diaryx::crdt {

bool Store::changed_marked_text() const {
  return std::any_of(changes_.begin(), changes_.end(), [this](const Change& change) {
    const SharedType& type = types_[change.type];
    const bool is_text = type.kind == TypeKind::Text || type.kind == TypeKind::XmlText;
    return is_text && type.has_formatting && is_live(change.type);
  });
}

/// In the gap around a deleted item: of several marks with one key only the last says something.
void Store::clean_up_around(ItemRef ref) {
  const auto in_gap = [this](ItemRef at) { return some(at) && items_[at].visible() == 0; };
  while (in_gap(items_[ref].right)) ref = items_[ref].right;
  std::vector<KeyRef> seen;
  for (; in_gap(ref); ref = items_[ref].left) {
    const Item& item = items_[ref];
    if (item.deleted() || item.kind != ContentKind::Format) continue;
    const KeyRef key = mark_key(*this, item);
    if (std::find(seen.begin(), seen.end(), key) != seen.end()) {
      erase(ref);
    } else {
      seen.push_back(key);
    }
  }
}

/// Yjs means to tidy every gap of a text, but only the one at its front has any effect there.
void Store::clean_up_front(TypeRef ref) {
  ItemRef content = types_[ref].start;
  while (some(content) && (items_[content].deleted() || items_[content].kind == ContentKind::Format)) {
    content = items_[content].right;
  }
  if (!some(content)) return;
  Marks current;
  (void)clean_up_gap(*this, types_[ref].start, content, {}, current);
}

/// Deletes; what it deletes is added to `deleted_`.
void Store::clean_up_marks(const std::vector<Deleted>& deleted) {
  std::vector<TypeRef> whole;  // texts that got or lost a mark
  const auto add = [&whole](TypeRef type) {
    if (std::find(whole.begin(), whole.end(), type) == whole.end()) whole.push_back(type);
  };
  for (const ClientIndex client : touched_) {
    const StructList& structs = clients_[raw(client)].structs;
    for (StructList::Place at = structs.find(before(client)); structs.has(at); at = structs.after(at)) {
      const Item& item = items_[structs.ref(at)];
      if (item.clock >= before(client) && !item.deleted() && item.kind == ContentKind::Format) add(item.parent);
    }
  }
  for (const Deleted& range : deleted) {
    const StructList& structs = clients_[raw(range.client)].structs;
    for (StructList::Place at = structs.find(range.clock); structs.is_below(at, range.end()); at = structs.after(at)) {
      const Item& item = items_[structs.ref(at)];
      if (item.is_gc() || !types_[item.parent].has_formatting) continue;
      if (std::find(whole.begin(), whole.end(), item.parent) != whole.end()) continue;
      if (item.kind == ContentKind::Format) {
        add(item.parent);
      } else {
        clean_up_around(structs.ref(at));
      }
    }
  }
  for (const TypeRef type : whole) clean_up_front(type);
}

}  // namespace diaryx::crdt
