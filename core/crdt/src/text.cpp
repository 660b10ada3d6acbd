#include "diaryx/crdt/text.h"

#include "store.h"

namespace diaryx::crdt {

Length Text::length() const { return Length{store_->type(static_cast<TypeRef>(type_)).length}; }

bool Text::is_live() const { return store_->is_live(static_cast<TypeRef>(type_)); }

std::string Text::to_string() const {
  const SharedType& type = store_->type(static_cast<TypeRef>(type_));
  std::string text;
  text.reserve(type.length);
  for (ItemRef ref = type.start; some(ref); ref = store_->item(ref).right) {
    const Item& item = store_->item(ref);
    if (item.kind == ContentKind::String && !item.deleted()) text += as_text(store_->content(item));
  }
  return text;
}

Result<void> Text::insert(Transaction&, Utf16Offset at, std::string_view utf8) {
  if (utf8.empty()) return {};
  if (!is_valid_utf8(utf8)) return fail(ErrorCode::InvalidUtf8);
  const Length units = utf16_length(utf8);
  if (!is_live()) return fail(ErrorCode::WrongType);
  if (!store_->has_room(units.value(), utf8.size())) return fail(ErrorCode::TooLarge);
  store_->insert_text(static_cast<TypeRef>(type_), at.value(), utf8, units.value());
  return {};
}

Result<void> Text::erase(Transaction&, Utf16Offset at, Length length) {
  const uint32_t total = Text::length().value();
  if (at.value() > total || length.value() > total - at.value()) return fail(ErrorCode::OffsetOutOfRange);
  if (!is_live()) return fail(ErrorCode::WrongType);
  store_->erase_text(static_cast<TypeRef>(type_), at.value(), length.value());
  return {};
}

}  // namespace diaryx::crdt
