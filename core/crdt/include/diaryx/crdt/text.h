// Y.Text: a text that several writers edit at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/transaction.h"

namespace diaryx::crdt {

/// Names and values of marks, e.g. `{{"bold", Any::boolean(true)}}`; null ends an attribute.
using Attributes = Any::Object;

/// A run of equal content: text, or one embedded value (or one embedded type, then `embed` is undefined and `text` empty).
struct TextRun {
  std::string text;
  Any embed;
  Attributes attributes;
  bool is_text() const { return !text.empty(); }
};

/// A handle: cheap to copy, valid as long as the Doc. Offsets and lengths count UTF-16 units, text goes in and out as UTF-8.
class Text {
 public:
  /// Units of visible content: text, and one per embed.
  Length length() const;
  /// The visible text; embeds and marks are left out.
  std::string to_string() const;

  /// Inserts before unit `at`; beyond the end it appends, as Yjs does. Attributes are inherited from the left.
  /// An offset inside a surrogate pair moves to the start of that character, so that no character is broken.
  /// Errors: InvalidUtf8, TooLarge (the clock would pass 2^32-1). Cost: O(1) near the last edit, else O(log n).
  Result<void> insert(Transaction& txn, Utf16Offset at, std::string_view utf8);

  /// The same with exactly these attributes (none given: none).
  Result<void> insert(Transaction& txn, Utf16Offset at, std::string_view utf8, const Attributes& attributes);
  /// Inserts one unit that is no text. Errors: TooLarge, WrongType.
  Result<void> insert_embed(Transaction& txn, Utf16Offset at, const Any& value, const Attributes& attributes = {});
  /// Sets attributes on a range, with marks at its borders. Beyond the end the text grows by newlines, as in Yjs.
  /// Errors: OffsetOutOfRange when `at` lies beyond the end, TooLarge. Cost: the text up to the range is walked.
  Result<void> format(Transaction& txn, Utf16Offset at, Length length, const Attributes& attributes);
  /// The visible content; a run ends at every mark, as in Yjs `toDelta`.
  std::vector<TextRun> runs() const;

  /// Deletes `length` units from `at` on. A border inside a surrogate pair moves outwards, so that whole characters go.
  /// Errors: OffsetOutOfRange when the range passes the end; nothing is deleted then.
  Result<void> erase(Transaction& txn, Utf16Offset at, Length length);

  /// True while the type itself is part of the document (always for a root).
  bool is_live() const;

 private:
  friend class Array;
  friend class Doc;
  friend class Map;
  friend class Store;
  friend struct DocInternals;
  Text(Store* store, uint32_t type) : store_(store), type_(type) {}

  Store* store_;  // owned by the Doc
  uint32_t type_;  // TypeRef
};

}  // namespace diaryx::crdt
