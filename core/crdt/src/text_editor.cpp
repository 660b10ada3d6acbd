// Marks in texts: insertion, formatting and deletion, step by step as Yjs does them.
//
// Source: Yjs 13.6 src/types/YText.js; docs/protocol.md.
#include <algorithm>

#include "marks.h"

namespace diaryx::crdt {

TextEditor::TextEditor(Store& store, TypeRef type) : store_(store), type_(type), right_(store.type(type).start) {}

bool TextEditor::is_live_mark(ItemRef ref) const {
  const Item& item = store_.item(ref);
  return item.kind == ContentKind::Format && !item.deleted();
}

void TextEditor::seek(uint32_t at) {
  if (!store_.type(type_).has_formatting) {
    const Gap gap = store_.gap_at(type_, std::min(at, store_.type(type_).length));
    left_ = gap.left;
    right_ = gap.right;
    return;
  }
  while (some(right_) && at > 0) {
    const Item& item = store_.item(right_);
    if (is_live_mark(right_)) {
      marks_.fold(mark_key(store_, item), mark_value(store_, item));
    } else if (!item.deleted()) {
      if (at < item.length) (void)store_.split(right_, at);
      at -= item.length;
    }
    left_ = right_;
    right_ = store_.item(right_).right;
  }
}

void TextEditor::forward() {
  const Item& item = store_.item(right_);
  if (is_live_mark(right_)) marks_.fold(mark_key(store_, item), mark_value(store_, item));
  left_ = right_;
  right_ = item.right;
}

/// Passes tombstones, and marks that say what is wanted anyway.
void TextEditor::minimize_changes(const Marks& attributes) {
  while (some(right_)) {
    const Item& item = store_.item(right_);
    const bool passes =
        item.deleted() || (item.kind == ContentKind::Format &&
                           equal_attributes(attributes.get(mark_key(store_, item)), mark_value(store_, item)));
    if (!passes) return;
    forward();
  }
}

void TextEditor::insert_mark(KeyRef key, const MarkValue& value) {
  right_ = store_.insert_mark(type_, {left_, right_}, key, as_bytes(value.any), value.identity);
  forward();
}

/// Switches on what differs. Returns what it was before, to be switched back later.
Marks TextEditor::insert_marks(const Marks& attributes) {
  Marks negated;
  for (const auto& [key, value] : attributes.entries()) {
    const MarkValue current = marks_.get(key);
    if (equal_attributes(current, value)) continue;
    negated.set(key, current);
    insert_mark(key, value);
  }
  return negated;
}

void TextEditor::insert_negated(Marks& negated) {
  while (some(right_)) {
    const Item& item = store_.item(right_);
    if (!item.deleted()) {
      if (item.kind != ContentKind::Format) break;
      const KeyRef key = mark_key(store_, item);
      const MarkValue* wanted = negated.find(key);
      if (wanted == nullptr || !equal_attributes(*wanted, mark_value(store_, item))) break;
      negated.erase(key);
    }
    forward();
  }
  for (const auto& [key, value] : negated.entries()) insert_mark(key, value);
}

ItemRef TextEditor::insert(const Content& content, Marks attributes) {
  Marks negated;
  const ItemRef made = begin_insert(content, std::move(attributes), negated);
  insert_negated(negated);
  return made;
}

ItemRef TextEditor::begin_insert(const Content& content, Marks attributes, Marks& negated) {
  for (const auto& [key, value] : marks_.entries()) {
    if (attributes.find(key) == nullptr) attributes.set(key, MarkValue{});
  }
  attributes.order_as_object(store_);
  minimize_changes(attributes);
  negated = insert_marks(attributes);
  const Gap gap{left_, right_};
  ItemRef made;
  if (content.kind == ContentKind::Type) {
    made = store_.insert_type(type_, gap, KeyRef::None, content.type_kind, content.name);
  } else if (content.kind == ContentKind::Embed) {
    made = store_.insert_embed(type_, gap, content.bytes);
  } else {
    made = store_.insert(type_, gap, KeyRef::None, content.kind, content.length, content.bytes);
  }
  right_ = made;
  forward();
  return made;
}

void TextEditor::format(uint32_t length, const Marks& attributes) {
  minimize_changes(attributes);
  Marks negated = insert_marks(attributes);
  while (some(right_) && (length > 0 || (!negated.empty() && (store_.item(right_).deleted() ||
                                                              store_.item(right_).kind == ContentKind::Format)))) {
    const Item& item = store_.item(right_);
    if (is_live_mark(right_)) {
      const KeyRef key = mark_key(store_, item);
      const MarkValue value = mark_value(store_, item);
      if (const MarkValue* wanted = attributes.find(key)) {
        if (equal_attributes(*wanted, value)) {
          negated.erase(key);
        } else {
          if (length == 0) break;
          negated.set(key, value);
        }
        store_.erase(right_);
      } else {
        marks_.set(key, value);
      }
    } else if (!item.deleted()) {
      if (length < item.length) (void)store_.split(right_, length);
      length -= item.length;
    }
    forward();
  }
  if (length > 0) {
    // Formatting beyond the end makes the text longer, with newlines.
    const std::string newlines(length, '\n');
    right_ = store_.insert(type_, {left_, right_}, KeyRef::None, ContentKind::String, length, as_bytes(newlines));
    forward();
  }
  insert_negated(negated);
}

void TextEditor::erase(uint32_t length) {
  const Marks start_marks = marks_;
  const ItemRef start = right_;
  while (length > 0 && some(right_)) {
    const Item& item = store_.item(right_);
    const bool counts =
        item.kind == ContentKind::String || item.kind == ContentKind::Embed || item.kind == ContentKind::Type;
    if (!item.deleted() && counts) {
      if (length < item.length) (void)store_.split(right_, length);
      length -= item.length;
      store_.erase(right_);
    }
    forward();
  }
  if (some(start)) (void)clean_up_gap(store_, start, right_, start_marks, marks_);
}

uint32_t clean_up_gap(Store& store, ItemRef start, ItemRef current, const Marks& start_marks, Marks& current_marks) {
  ItemRef end = start;
  std::vector<std::pair<KeyRef, ItemRef>> last_marks;  // per key the last mark of the gap
  for (; some(end) && store.item(end).visible() == 0; end = store.item(end).right) {
    const Item& item = store.item(end);
    if (item.deleted() || item.kind != ContentKind::Format) continue;
    const KeyRef key = mark_key(store, item);
    std::erase_if(last_marks, [key](const auto& entry) { return entry.first == key; });
    last_marks.emplace_back(key, end);
  }
  uint32_t cleaned = 0;
  bool reached_current = false;
  for (ItemRef at = start; at != end; at = store.item(at).right) {
    if (at == current) reached_current = true;
    const Item& item = store.item(at);
    if (item.deleted() || item.kind != ContentKind::Format) continue;
    const KeyRef key = mark_key(store, item);
    const MarkValue value = mark_value(store, item);
    const MarkValue before = start_marks.get(key);
    const bool is_last = std::find(last_marks.begin(), last_marks.end(), std::pair{key, at}) != last_marks.end();
    if (!is_last || strictly_equal(before, value)) {
      store.erase(at);
      ++cleaned;
      if (!reached_current && strictly_equal(current_marks.get(key), value) && !strictly_equal(before, value)) {
        current_marks.fold(key, before);
      }
    } else if (!reached_current) {
      current_marks.fold(key, value);
    }
  }
  return cleaned;
}

}  // namespace diaryx::crdt
