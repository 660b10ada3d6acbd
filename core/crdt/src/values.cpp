#include "values.h"

#include "handle_access.h"

namespace diaryx::crdt {

std::optional<Any> value_at(const Store& store, const Item& item, uint32_t offset) {
  const ByteView bytes = store.content(item);
  switch (item.kind) {
    case ContentKind::Any: return decode_trusted_any(bytes.subspan(element_offset(item.kind, bytes, offset)));
    case ContentKind::Json: {
      Cursor in(bytes.subspan(element_offset(item.kind, bytes, offset)));
      const std::string_view text = as_text(in.var_bytes());
      if (text == "undefined") return Any::undefined();
      const Result<Any> value = Any::from_json(text, 0xffffffffu);
      DX_ASSERT(value.has_value());
      return *value;
    }
    case ContentKind::Binary: return Any::bytes(to_bytes(bytes));
    case ContentKind::Embed: return decode_trusted_any(bytes.subspan(value_prefix(item.kind)));
    case ContentKind::String: {
      // Not what Yjs writes into lists and maps; a peer may. One unit reads as one character, half a pair as U+FFFD.
      const std::string_view text = as_text(bytes);
      const Utf8Offset start = to_utf8(text, Utf16Offset{offset});
      const std::string_view from = text.substr(start.value());
      if (utf8_sequence_length(from.front()) == 4) return Any::string("\xef\xbf\xbd");
      return Any::string(std::string(from.substr(0, utf8_sequence_length(from.front()))));
    }
    default: return std::nullopt;
  }
}

Value content_at(const Store& store, const Item& item, uint32_t offset) {
  if (item.kind == ContentKind::Type) return HandleAccess::make(store, store.type_of(item));
  if (item.kind == ContentKind::Doc) return store.subdocument(item);
  return value_at(store, item, offset).value_or(Any{});
}

void append_contents(const Store& store, const Item& item, uint32_t offset, std::vector<Value>& out) {
  if (!is_countable(item.kind)) return;
  if (item.kind != ContentKind::Any) {
    for (uint32_t unit = offset; unit < item.length; ++unit) out.push_back(content_at(store, item, unit));
    return;
  }
  const ByteView bytes = store.content(item);
  Cursor in(bytes.subspan(element_offset(item.kind, bytes, offset)));
  while (!in.at_end()) out.emplace_back(decode_any(in, 0xffffffffu));
}

std::vector<Value> contents_of(const Store& store, TypeRef type) {
  std::vector<Value> values;
  for (ItemRef ref = store.type(type).start; some(ref); ref = store.item(ref).right) {
    if (store.item(ref).visible() > 0) append_contents(store, store.item(ref), 0, values);
  }
  return values;
}

std::optional<TypeRef> type_at(const Store& store, ItemRef ref, TypeKind kind) {
  if (!some(ref)) return std::nullopt;
  const Item& item = store.far_item(ref);
  if (item.kind != ContentKind::Type) return std::nullopt;
  const TypeRef inner = store.type_of(item);
  return store.far_type(inner).kind == kind ? std::optional<TypeRef>(inner) : std::nullopt;
}

}  // namespace diaryx::crdt
