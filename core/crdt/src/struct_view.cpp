#include "struct_view.h"

#include <algorithm>

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

void write_subdocument_options(ByteView options, Sink& out) {
  constexpr uint8_t kNone[] = {static_cast<uint8_t>(AnyTag::Object), 0};
  if (std::ranges::equal(options, kNone)) return out.raw(options);  // nearly always
  const Any given = decode_trusted_any(options);
  Any::Object members;
  const auto keep = [&](const char* name, const Any& value) { members.push_back({name, value}); };
  if (const Any* gc = given.find("gc"); gc && *gc == Any::boolean(false)) keep("gc", *gc);
  if (const Any* load = given.find("autoLoad"); load && *load == Any::boolean(true)) keep("autoLoad", *load);
  if (const Any* meta = given.find("meta"); meta && !meta->is_null() && !meta->is_undefined()) keep("meta", *meta);
  encode_any(Any::object(std::move(members)), out);
}

namespace {

/// The last `units` units of valid UTF-8, found from the nearer end: a typed letter is the last one of its text.
ContentTail text_tail(ByteView content, uint32_t length, uint32_t offset) {
  if (content.size() == length) return {content.subspan(offset)};  // ASCII: units are bytes
  const std::string_view text = as_text(content);
  if (offset < length / 2) {
    const Utf8Offset start = to_utf8(text, Utf16Offset{offset});
    if (to_utf16(text, start) == Utf16Offset{offset}) return {content.subspan(start.value())};
    return {content.subspan(start.value() + 4), true};
  }
  size_t at = text.size();
  for (uint32_t units = length - offset; units > 0;) {
    const size_t end = at;
    do --at;
    while (is_utf8_continuation(text[at]));
    const uint32_t width = end - at == 4 ? 2 : 1;
    if (width > units) return {content.subspan(end), true};
    units -= width;
  }
  return {content.subspan(at)};
}

}  // namespace

ContentTail content_tail(ContentKind kind, ByteView content, uint32_t length, uint32_t offset) {
  if (offset == 0) return {content};
  switch (kind) {
    case ContentKind::String: return text_tail(content, length, offset);
    case ContentKind::Any:
    case ContentKind::Json: return {content.subspan(element_offset(kind, content, offset))};
    default: return {content};
  }
}

}  // namespace diaryx::crdt
