// Local edits of maps and arrays.
#include "any_codec.h"
#include "store.h"

namespace diaryx::crdt {

ItemRef Store::current_item(TypeRef ref, std::string_view key) const {
  const KeyRef known = keys_.find(key);
  return some(known) ? types_[ref].current(known) : ItemRef::None;
}

void Store::set_key(TypeRef ref, std::string_view key, const Any& value) {
  const KeyRef sub = keys_.intern(key);
  const Gap gap{types_[ref].current(sub), ItemRef::None};
  if (const Bytes* bytes = value.as_bytes()) {
    (void)insert(ref, gap, sub, ContentKind::Binary, 1, *bytes);
    return;
  }
  Sink& encoded = scratch();
  encode_any(value, encoded);
  (void)insert(ref, gap, sub, ContentKind::Any, 1, encoded.view());
  encoded.clear_for_next();
}

TypeRef Store::set_key_type(TypeRef ref, std::string_view key, TypeKind kind, std::string_view name) {
  const KeyRef sub = keys_.intern(key);
  const Gap gap{types_[ref].current(sub), ItemRef::None};
  return type_of(items_[insert_type(ref, gap, sub, kind, name)]);
}

/// Values packed as Yjs packs them: runs of plain values share an item, bytes stand alone; all have the same right origin.
void Store::insert_values(TypeRef ref, Gap gap, std::span<const Any> values) {
  Sink& encoded = scratch();
  uint32_t run = 0;
  const auto place = [&](ContentKind kind, uint32_t length, ByteView content) {
    const bool is_plain = kind == ContentKind::Any;
    if (is_plain && extend_own_item(gap.left, kind, length, content)) return;
    gap.left = insert(ref, gap, KeyRef::None, kind, length, content);
  };
  for (const Any& value : values) {
    if (const Bytes* bytes = value.as_bytes()) {
      if (run > 0) place(ContentKind::Any, run, encoded.view());
      run = 0;
      encoded.clear();
      place(ContentKind::Binary, 1, *bytes);
      continue;
    }
    encode_any(value, encoded);
    ++run;
  }
  if (run > 0) place(ContentKind::Any, run, encoded.view());
  encoded.clear_for_next();
}

Gap Store::gap_at_end(TypeRef ref) {
  // The last item of all, tombstones included: behind the last visible unit there are only a few.
  const SharedType& type = types_[ref];
  ItemRef last = type.length > 0 ? find_unit(ref, type.length - 1).item : type.start;
  if (!some(last)) return {};
  while (some(items_[last].right)) last = items_[last].right;
  return {last, ItemRef::None};
}

}  // namespace diaryx::crdt
