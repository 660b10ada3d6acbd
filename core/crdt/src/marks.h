// Values of text attributes, compared as JavaScript compares them. Private to the engine.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "any_codec.h"
#include "store.h"

namespace diaryx::crdt {

/// An attribute's value: lib0 bytes, and for arrays, objects and bytes the identity that `===` looks at.
struct MarkValue {
  std::string any = std::string(1, static_cast<char>(AnyTag::Null));
  uint32_t identity = 0;

  bool is_null() const { return any.size() == 1 && any[0] == static_cast<char>(AnyTag::Null); }
};

/// `===`: objects are equal to themselves only, NaN to nothing, 0 to -0.
bool strictly_equal(const MarkValue& a, const MarkValue& b);
/// Equal, or objects whose members are strictly equal.
bool equal_attributes(const MarkValue& a, const MarkValue& b);

/// Attributes in the order of their insertion, as a JavaScript Map.
class Marks {
 public:
  using Entry = std::pair<KeyRef, MarkValue>;

  const MarkValue* find(KeyRef key) const;
  /// The value, null when there is none.
  MarkValue get(KeyRef key) const;
  void set(KeyRef key, MarkValue value);
  void erase(KeyRef key);
  /// A mark was passed: null ends the attribute.
  void fold(KeyRef key, const MarkValue& value);
  /// The order of a JavaScript object with these members: array indices first, ascending, then as they were set.
  void order_as_object(const Store& store);

  bool empty() const { return entries_.empty(); }
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

/// Edits one text, from a position that moves with it: exactly the steps of Yjs, for each of them shows in the bytes.
/// Cost: a text with marks is walked from its start.
class TextEditor {
 public:
  TextEditor(Store& store, TypeRef type);

  /// Moves to visible unit `at`, at most the end; left of the tombstones and marks there.
  void seek(uint32_t at);
  bool at_end() const { return !some(right_); }
  const Marks& marks() const { return marks_; }

  struct Content {
    ContentKind kind;
    uint32_t length;
    ByteView bytes;  // of an Embed: the value
    TypeKind type_kind = TypeKind::Text;
    std::string_view name = {};
  };
  /// Inserts content that has exactly `attributes`. Returns its item.
  ItemRef insert(const Content& content, Marks attributes);
  /// The same in two halves, for a new type: what it holds from the start is written before the attributes are switched back.
  ItemRef begin_insert(const Content& content, Marks attributes, Marks& negated);
  void end_insert(Marks& negated) { insert_negated(negated); }
  void format(uint32_t length, const Marks& attributes);
  void erase(uint32_t length);

 private:
  void forward();
  void minimize_changes(const Marks& attributes);
  Marks insert_marks(const Marks& attributes);
  void insert_negated(Marks& negated);
  void insert_mark(KeyRef key, const MarkValue& value);
  bool is_live_mark(ItemRef ref) const;

  Store& store_;
  TypeRef type_;
  ItemRef left_ = ItemRef::None;
  ItemRef right_ = ItemRef::None;
  Marks marks_;
};

/// Deletes marks in the gap that begins with `start` that change nothing. Returns how many.
uint32_t clean_up_gap(Store& store, ItemRef start, ItemRef current, const Marks& start_marks, Marks& current_marks);

/// The other way round.
Attributes attributes_of(const Store& store, const Marks& marks);
/// What a caller names, as marks: each object value is new, so it is equal to nothing by identity.
Marks marks_from(Store& store, const Attributes& attributes);

/// The key and value of a Format item.
KeyRef mark_key(const Store& store, const Item& item);
MarkValue mark_value(const Store& store, const Item& item);

}  // namespace diaryx::crdt
