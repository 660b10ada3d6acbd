#include "diaryx/crdt/text.h"

#include "marks.h"
#include "store.h"

namespace diaryx::crdt {
namespace {

constexpr TypeRef as_type(uint32_t type) { return static_cast<TypeRef>(type); }

/// The border, towards `side`, of the character that unit `at` lies in; `at` itself at a border.
uint32_t snap(Store& store, TypeRef type, uint32_t at, int side) {
  if (!store.has_wide_text() || at == 0 || at >= store.type(type).length) return at;
  const Store::Found found = store.find_unit(type, at);
  const Item& item = store.item(found.item);
  if (found.offset == 0 || item.kind != ContentKind::String || item.content_bytes == item.length) return at;
  const std::string_view text = as_text(store.content(item));
  const Utf16Offset border = to_utf16(text, to_utf8(text, Utf16Offset{found.offset}));
  if (border == Utf16Offset{found.offset}) return at;
  return side < 0 ? at - 1 : at + 1;
}

}  // namespace

Length Text::length() const { return Length{store_->type(as_type(type_)).length}; }

bool Text::is_live() const { return store_->is_live(as_type(type_)); }

std::string Text::to_string() const {
  const SharedType& type = store_->type(as_type(type_));
  std::string text;
  text.reserve(type.length);
  for (ItemRef ref = type.start; some(ref); ref = store_->item(ref).right) {
    const Item& item = store_->item(ref);
    if (item.kind == ContentKind::String && !item.deleted()) text += as_text(store_->content(item));
  }
  return text;
}

std::vector<TextRun> Text::runs() const {
  std::vector<TextRun> runs;
  Marks marks;
  std::string text;
  const auto attributes = [&] {
    Attributes result;
    for (const auto& [key, value] : marks.entries()) {
      result.push_back({std::string(store_->keys().text(key)), decode_trusted_any(as_bytes(value.any))});
    }
    return result;
  };
  const auto flush = [&] {
    if (!text.empty()) runs.push_back({std::move(text), {}, attributes()});
    text.clear();
  };
  for (ItemRef ref = store_->type(as_type(type_)).start; some(ref); ref = store_->item(ref).right) {
    const Item& item = store_->item(ref);
    if (item.deleted()) continue;
    if (item.kind == ContentKind::String) {
      text += as_text(store_->content(item));
    } else if (item.kind == ContentKind::Format) {
      flush();
      marks.fold(mark_key(*store_, item), mark_value(*store_, item));
    } else if (item.kind == ContentKind::Embed || item.kind == ContentKind::Type) {
      flush();
      Any value;
      if (item.kind == ContentKind::Embed)
        value = decode_trusted_any(store_->content(item).subspan(value_prefix(item.kind)));
      runs.push_back({{}, std::move(value), attributes()});
    }
  }
  flush();
  return runs;
}

Result<void> Text::insert(Transaction&, Utf16Offset offset, std::string_view utf8) {
  if (utf8.empty()) return {};
  const std::optional<Length> length_if_valid = utf16_length_if_valid(utf8);
  if (!length_if_valid) return fail(ErrorCode::InvalidUtf8);
  const uint32_t units = length_if_valid->value();
  if (!is_live()) return fail(ErrorCode::WrongType);
  if (!store_->has_room(units, utf8.size())) return fail(ErrorCode::TooLarge);
  const TypeRef type = as_type(type_);
  const uint32_t at = snap(*store_, type, offset.value(), -1);
  store_->insert_text_inheriting(type, at, utf8, units);
  return {};
}

Result<void> Text::insert(Transaction&, Utf16Offset offset, std::string_view utf8, const Attributes& attributes) {
  if (utf8.empty()) return {};
  const std::optional<Length> length_if_valid = utf16_length_if_valid(utf8);
  if (!length_if_valid) return fail(ErrorCode::InvalidUtf8);
  const uint32_t units = length_if_valid->value();
  if (!is_live()) return fail(ErrorCode::WrongType);
  if (!store_->has_room(uint64_t{units} + 2 * attributes.size() + 64, utf8.size())) return fail(ErrorCode::TooLarge);
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  editor.seek(snap(*store_, type, offset.value(), -1));
  (void)editor.insert({ContentKind::String, units, as_bytes(utf8)}, marks_from(*store_, attributes));
  return {};
}

Result<void> Text::insert_embed(Transaction&, Utf16Offset offset, const Any& value, const Attributes& attributes) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  const Bytes encoded = value.encode();
  if (!store_->has_room(1 + 2 * attributes.size() + 64, encoded.size())) return fail(ErrorCode::TooLarge);
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  editor.seek(snap(*store_, type, offset.value(), -1));
  (void)editor.insert({ContentKind::Embed, 1, encoded}, marks_from(*store_, attributes));
  return {};
}

Result<void> Text::format(Transaction&, Utf16Offset at, Length range, const Attributes& attributes) {
  if (at.value() > length().value()) return fail(ErrorCode::OffsetOutOfRange);
  if (range == Length{0}) return {};
  if (!is_live()) return fail(ErrorCode::WrongType);
  if (!store_->has_room(uint64_t{range.value()} + 2 * attributes.size() + 64, range.value()))
    return fail(ErrorCode::TooLarge);
  const TypeRef type = as_type(type_);
  const uint32_t from = snap(*store_, type, at.value(), -1);
  const uint64_t end = uint64_t{at.value()} + range.value();
  const uint32_t to =
      end < length().value() ? snap(*store_, type, static_cast<uint32_t>(end), 1) : static_cast<uint32_t>(end);
  TextEditor editor(*store_, type);
  editor.seek(from);
  if (!editor.at_end()) editor.format(to - from, marks_from(*store_, attributes));
  return {};
}

Result<void> Text::erase(Transaction&, Utf16Offset at, Length range) {
  const uint32_t total = length().value();
  if (at.value() > total || range.value() > total - at.value()) return fail(ErrorCode::OffsetOutOfRange);
  if (range == Length{0}) return {};
  if (!is_live()) return fail(ErrorCode::WrongType);
  const TypeRef type = as_type(type_);
  const uint32_t from = snap(*store_, type, at.value(), -1);
  const uint32_t to = snap(*store_, type, at.value() + range.value(), 1);
  store_->erase_text(type, from, to - from);
  return {};
}

}  // namespace diaryx::crdt
