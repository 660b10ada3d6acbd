#include "diaryx/crdt/text.h"

#include <algorithm>

#include "entries.h"
#include "handle_access.h"
#include "marks.h"
#include "new_values.h"

namespace diaryx::crdt {
namespace {

constexpr TypeRef as_type(uint32_t type) { return static_cast<TypeRef>(type); }

/// The border, towards `side`, of the character that unit `at` lies in; `at` itself at a border. It asks for the unit before, as the edit
/// will: where an item begins, the two are of different items, and the cursor would go back and forth between them.
uint32_t snap(Store& store, TypeRef type, uint32_t at, int side) {
  const bool cannot_cut = !store.has_wide_text() || store.splits_pairs();
  if (cannot_cut || at == 0 || at >= store.type(type).length) return at;
  const Store::Found found = store.find_unit(type, at - 1);
  const Item& item = store.item(found.item);
  const Utf16Offset offset{found.offset + 1};
  const bool is_inside = offset < Utf16Offset{item.length};
  if (!is_inside || item.kind != ContentKind::String || item.content_bytes == item.length) return at;
  const std::string_view text = as_text(store.content(item));
  if (to_utf16(text, to_utf8(text, offset)) == offset) return at;
  return side < 0 ? at - 1 : at + 1;
}

/// Whether these attributes can be put on `units` units of `bytes` bytes, with marks that are switched on and off again.
Result<void> check_marks(const Store& store, const Attributes& attributes, uint64_t units, size_t bytes) {
  for (const Any::Member& member : attributes) {
    DX_TRY_VOID(check_text(member.key, bytes));
    DX_TRY_VOID(check_value(member.value, store.limits().max_depth, bytes));
  }
  if (!store.has_room(units + 2 * attributes.size() + 64, bytes)) return fail(ErrorCode::TooLarge);
  return {};
}

TypeRef place_type(Store& store, TextEditor& editor, const NewType& made, const Attributes& attributes) {
  Marks negated;
  const ItemRef ref =
      editor.begin_insert({ContentKind::Type, 1, {}, made.kind, made.name}, marks_from(store, attributes), negated);
  const TypeRef type = store.type_of(store.item(ref));
  fill(store, type, made);
  editor.end_insert(negated);
  return type;
}

/// A text that is embedded is text, as in Yjs. Returns the units.
uint32_t place_value(TextEditor& editor, const Any& value, const Marks& marks) {
  if (const std::string* text = value.as_string()) {
    const uint32_t units = utf16_length(*text).value();
    if (units > 0) (void)editor.insert({ContentKind::String, units, as_bytes(*text)}, marks);
    return units;
  }
  const Bytes encoded = value.encode();
  (void)editor.insert({ContentKind::Embed, 1, encoded}, marks);
  return 1;
}

bool can_be_embedded(const Any& value) { return !value.is_null() && !value.is_undefined(); }

/// Whether all of a delta can be done: whatever it inserts is fit to be inserted, and there is room for it.
Result<void> check_edits(const Store& store, std::span<const TextEdit> edits) {
  uint64_t units = 0;
  size_t bytes = 0;
  for (const TextEdit& edit : edits) {
    units += 2 * edit.attributes.size() + 64 + edit.length.value() + edit.text.size();
    bytes += edit.length.value() + edit.text.size();
    for (const Any::Member& member : edit.attributes) {
      DX_TRY_VOID(check_text(member.key, bytes));
      DX_TRY_VOID(check_value(member.value, store.limits().max_depth, bytes));
    }
    if (edit.kind == TextEdit::Kind::InsertText && !is_valid_utf8(edit.text)) return fail(ErrorCode::InvalidUtf8);
    if (edit.kind != TextEdit::Kind::InsertEmbed) continue;
    if (std::holds_alternative<NewSubdocument>(edit.embed)) return fail(ErrorCode::WrongType);
    DX_TRY_VOID(check_new_entry(store, edit.embed));
    if (const Any* value = std::get_if<Any>(&edit.embed); value != nullptr && !can_be_embedded(*value)) {
      return fail(ErrorCode::WrongType);
    }
  }
  if (!store.has_room(units, bytes)) return fail(ErrorCode::TooLarge);
  return {};
}

}  // namespace

TextEdit TextEdit::retain(Length length, Attributes attributes) {
  return {Kind::Retain, length, {}, {}, std::move(attributes)};
}
TextEdit TextEdit::insert(std::string utf8, Attributes attributes) {
  return {Kind::InsertText, Length{0}, std::move(utf8), {}, std::move(attributes)};
}
TextEdit TextEdit::embed_value(NewValue value, Attributes attributes) {
  return {Kind::InsertEmbed, Length{0}, {}, std::move(value), std::move(attributes)};
}
TextEdit TextEdit::erase(Length length) { return {Kind::Delete, length, {}, {}, {}}; }

std::optional<Value> Text::attribute(std::string_view key) const { return entry_at(*this, key); }
std::vector<std::pair<std::string, Value>> Text::attributes() const { return entries_of(*this); }
Result<void> Text::set_attribute(Transaction&, std::string_view key, const NewValue& value) {
  return set_entry(*this, key, value);
}
bool Text::remove_attribute(Transaction&, std::string_view key) { return remove_entry(*this, key); }

Length Text::length() const { return Length{store_->type(as_type(type_)).length}; }

std::string Text::to_string() const {
  const SharedType& type = store_->type(as_type(type_));
  const bool is_ascii = !store_->has_wide_text();
  std::string text;
  const size_t most = is_ascii ? type.length : size_t{3} * type.length;
  text.resize_and_overwrite(most + ByteHeap::kSlack, [&](char* begin, size_t) {
    char* end = begin;
    ItemRef next = type.length == 0 ? ItemRef::None : type.start;
    while (some(next)) {
      const Item& item = store_->item(next);
      next = item.right;
      // Pieces and tombstones come as they like: copying nothing takes less time than guessing wrong.
      const ByteView piece = store_->visible_text(item);
      if (piece.size() <= ByteHeap::kSlack) [[likely]] {
        ByteHeap::copy_slack(end, piece.data());
      } else {
        copy_short(end, piece.data(), piece.size());
      }
      end += piece.size();
    }
    return static_cast<size_t>(end - begin);
  });
  if (!is_ascii) text.shrink_to_fit();
  return text;
}

std::vector<TextRun> Text::runs() const {
  std::vector<TextRun> runs;
  Marks marks;
  std::string text;
  const auto attributes = [&] { return attributes_of(*store_, marks); };
  const auto flush = [&] {
    if (!text.empty()) runs.push_back({std::move(text), {}, std::nullopt, attributes()});
    text.clear();
  };
  for (ItemRef ref = store_->type(as_type(type_)).start; some(ref); ref = store_->item(ref).right) {
    const Item& item = store_->item(ref);
    if (item.deleted()) continue;
    if (item.kind == ContentKind::String) {
      text += diaryx::as_text(store_->content(item));
    } else if (item.kind == ContentKind::Format) {
      flush();
      marks.fold(mark_key(*store_, item), mark_value(*store_, item));
    } else if (item.kind == ContentKind::Embed || item.kind == ContentKind::Type) {
      flush();
      TextRun& run = runs.emplace_back();
      run.attributes = attributes();
      if (item.kind == ContentKind::Embed) {
        run.embed = decode_trusted_any(store_->content(item).subspan(value_prefix(item.kind)));
      } else {
        run.type = HandleAccess::make(*store_, store_->type_of(item));
      }
    }
  }
  flush();
  return runs;
}

std::vector<TextSpan> Text::spans() const {
  std::vector<TextSpan> spans;
  for (ItemRef ref = store_->type(as_type(type_)).start; some(ref); ref = store_->item(ref).right) {
    const Item& item = store_->item(ref);
    if (item.kind != ContentKind::String || item.deleted()) continue;
    const Id first{store_->client_id(item.client), Clock{item.clock}};
    if (!spans.empty() && spans.back().first.client == first.client &&
        spans.back().first.clock + spans.back().length == first.clock) {
      spans.back().length += Length{item.length};
    } else {
      spans.push_back({first, Length{item.length}});
    }
  }
  return spans;
}

Result<void> Text::insert(Transaction&, Utf16Offset offset, std::string_view utf8) {
  uint32_t units = 1;
  const bool is_letter = utf8.size() == 1 && static_cast<uint8_t>(utf8[0]) < 0x80;  // most insertions there are
  if (!is_letter) {
    if (utf8.empty()) return {};
    const std::optional<Length> length_if_valid = utf16_length_if_valid(utf8);
    if (!length_if_valid) return fail(ErrorCode::InvalidUtf8);
    units = length_if_valid->value();
  }
  const TypeRef type = as_type(type_);
  if (!store_->is_live(type)) return fail(ErrorCode::WrongType);
  if (!store_->has_room(units, utf8.size())) return fail(ErrorCode::TooLarge);
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
  DX_TRY_VOID(check_marks(*store_, attributes, units, utf8.size()));
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  editor.seek(snap(*store_, type, offset.value(), -1));
  (void)editor.insert({ContentKind::String, units, as_bytes(utf8)}, marks_from(*store_, attributes));
  return {};
}

Result<void> Text::insert_embed(Transaction&, Utf16Offset offset, const Any& value, const Attributes& attributes) {
  if (!is_live() || !can_be_embedded(value)) return fail(ErrorCode::WrongType);
  size_t bytes = 0;
  DX_TRY_VOID(check_value(value, store_->limits().max_depth, bytes));
  DX_TRY_VOID(check_marks(*store_, attributes, bytes, bytes));
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  editor.seek(snap(*store_, type, offset.value(), -1));
  (void)place_value(editor, value, marks_from(*store_, attributes));
  return {};
}

Result<Shared> Text::insert_type(Transaction&, Utf16Offset offset, const NewType& made, const Attributes& attributes) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_new_entry(*store_, made));
  DX_TRY_VOID(check_marks(*store_, attributes, 0, 0));
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  editor.seek(snap(*store_, type, offset.value(), -1));
  return HandleAccess::make(*store_, place_type(*store_, editor, made, attributes));
}

Result<void> Text::apply_delta(Transaction&, std::span<const TextEdit> edits) {
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_edits(*store_, edits));
  const TypeRef type = as_type(type_);
  TextEditor editor(*store_, type);
  uint32_t at = 0;  // visible units left of the editor
  // To the border of a character, outwards; beyond the end it stays as it is.
  const auto stretch = [&](Length length) {
    const uint64_t end = uint64_t{at} + length.value();
    return end < this->length().value() ? snap(*store_, type, static_cast<uint32_t>(end), 1) - at : length.value();
  };
  for (const TextEdit& edit : edits) {
    switch (edit.kind) {
      case TextEdit::Kind::Retain: {
        const uint32_t units = stretch(edit.length);
        editor.format(units, marks_from(*store_, edit.attributes));
        at += units;
        break;
      }
      case TextEdit::Kind::Delete: editor.erase(stretch(edit.length)); break;
      case TextEdit::Kind::InsertText: {
        if (edit.text.empty()) break;
        const uint32_t units = utf16_length(edit.text).value();
        const Marks marks = marks_from(*store_, edit.attributes);
        (void)editor.insert({ContentKind::String, units, as_bytes(edit.text)}, marks);
        at += units;
        break;
      }
      case TextEdit::Kind::InsertEmbed:
        if (const auto* made = std::get_if<NewType>(&edit.embed)) {
          (void)place_type(*store_, editor, *made, edit.attributes);
          ++at;
        } else {
          at += place_value(editor, std::get<Any>(edit.embed), marks_from(*store_, edit.attributes));
        }
        break;
    }
  }
  return {};
}

Result<void> Text::format(Transaction&, Utf16Offset at, Length range, const Attributes& attributes) {
  if (at.value() > length().value()) return fail(ErrorCode::OffsetOutOfRange);
  if (range == Length{0}) return {};
  if (!is_live()) return fail(ErrorCode::WrongType);
  DX_TRY_VOID(check_marks(*store_, attributes, range.value(), range.value()));
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
  if (range == Length{0}) return {};
  if (!is_live()) return fail(ErrorCode::WrongType);
  const TypeRef type = as_type(type_);
  const uint32_t from = snap(*store_, type, at.value(), -1);
  const uint64_t end = uint64_t{at.value()} + range.value();
  const uint64_t to = end < length().value() ? snap(*store_, type, static_cast<uint32_t>(end), 1) : end;
  store_->erase_text(type, from, static_cast<uint32_t>(std::min<uint64_t>(to - from, 0xffffffffu)));
  return {};
}

}  // namespace diaryx::crdt
