#include "struct_view.h"

#include "any_codec.h"

namespace diaryx::crdt {

size_t element_offset(ContentKind kind, ByteView content, uint32_t offset) {
  Cursor in(content);
  for (; offset > 0; --offset) {
    if (kind == ContentKind::Any) {
      (void)skip_any(in, 0xffffffffu);
    } else {
      (void)in.var_bytes();
    }
  }
  DX_ASSERT(in.ok());
  return in.position();
}

ContentTail content_tail(ContentKind kind, ByteView content, uint32_t offset) {
  if (offset == 0) return {content};
  switch (kind) {
    case ContentKind::String: {
      const std::string_view text = as_text(content);
      const Utf8Offset start = to_utf8(text, Utf16Offset{offset});
      if (to_utf16(text, start) == Utf16Offset{offset}) return {content.subspan(start.value())};
      return {content.subspan(start.value() + 4), true};
    }
    case ContentKind::Any:
    case ContentKind::Json: return {content.subspan(element_offset(kind, content, offset))};
    default: return {content};
  }
}

}  // namespace diaryx::crdt
