// Y.Text: a text that several writers edit at once.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/any.h"
#include "diaryx/crdt/id.h"
#include "diaryx/crdt/shared.h"
#include "diaryx/crdt/transaction.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

/// A run of equal content: text, or one embedded value or type.
struct TextRun {
  std::string text;
  Any embed;  ///< undefined when the run is text or a type
  std::optional<Shared> type;
  Attributes attributes;
  bool is_text() const { return !text.empty(); }
};

/// One step of an edit that goes through a text from left to right; see Text::apply_delta.
struct TextEdit {
  enum class Kind : uint8_t { Retain, InsertText, InsertEmbed, Delete };

  Kind kind = Kind::Retain;
  Length length{0};  ///< of Retain and Delete
  std::string text;  ///< of InsertText
  NewValue embed;  ///< of InsertEmbed: a value or a type
  Attributes attributes;  ///< Retain: what changes; InsertText and InsertEmbed: exactly these

  static TextEdit retain(Length length, Attributes attributes = {});
  static TextEdit insert(std::string utf8, Attributes attributes = {});
  static TextEdit embed_value(NewValue value, Attributes attributes = {});
  static TextEdit erase(Length length);
};

/// Visible units that one client wrote in a row: ids `first`, `first` + 1 ...
struct TextSpan {
  Id first;
  Length length;

  friend bool operator==(const TextSpan&, const TextSpan&) = default;
};

/// A handle: cheap to copy, valid as long as the Doc. Offsets and lengths count UTF-16 units, text goes in and out as UTF-8.
///
/// An offset inside a surrogate pair moves to the border of that character, so that no character is broken (left for insertions,
/// outwards for ranges); see SurrogatePairs for the way of Yjs.
class Text : public Shared {
 public:
  /// Units of visible content: text, and one per embed.
  Length length() const;
  /// The visible text; embeds and marks are left out.
  std::string to_string() const;

  /// Inserts before unit `at`; beyond the end it appends, as Yjs does. Attributes are inherited from the left.
  /// Errors: InvalidUtf8, TooLarge (the clock would pass 2^32-1), WrongType (the text is not live). Cost: O(1) near the last edit, else O(log n).
  Result<void> insert(Transaction& txn, Utf16Offset at, std::string_view utf8);

  /// The same with exactly these attributes (none given: none). Errors: also TooDeep, of a value that nests deeper than DecodeLimits
  /// let it arrive; so below.
  Result<void> insert(Transaction& txn, Utf16Offset at, std::string_view utf8, const Attributes& attributes);
  /// Inserts one unit that is no text. Errors: TooLarge, WrongType, InvalidUtf8, TooDeep.
  Result<void> insert_embed(Transaction& txn, Utf16Offset at, const Any& value, const Attributes& attributes = {});
  /// Sets attributes on a range, with marks at its borders. Beyond the end the text grows by newlines, as in Yjs.
  /// Errors: OffsetOutOfRange when `at` lies beyond the end, TooLarge, InvalidUtf8, TooDeep. Cost: the text up to the range is walked.
  Result<void> format(Transaction& txn, Utf16Offset at, Length length, const Attributes& attributes);
  /// Puts a new shared type into the text, as one unit. Errors: TooLarge, WrongType, InvalidUtf8, TooDeep.
  Result<Shared> insert_type(Transaction& txn, Utf16Offset at, const NewType& type, const Attributes& attributes = {});
  /// Yjs `applyDelta`: all edits in one walk from left to right. Retain beyond the end lets the text grow by newlines, as there;
  /// Delete beyond the end is cut.
  /// Errors: InvalidUtf8, TooDeep, TooLarge, WrongType; nothing is changed then. Cost: the walk, and the edits.
  Result<void> apply_delta(Transaction& txn, std::span<const TextEdit> edits);
  /// The visible content: Yjs `toDelta`. A run ends at every mark, and owns its attributes: memory is the runs times the attributes in
  /// force, which a peer can make the square of the marks (8,000 runs under up to 8,000 keys each: 4.6 GB).
  std::vector<TextRun> runs() const;
  /// Who wrote what `to_string()` shows: one span after another covers its units. Neighbours whose ids go on are one span.
  std::vector<TextSpan> spans() const;

  /// Deletes `length` units from `at` on.
  /// What lies beyond the end is left out, as in Yjs. Errors: WrongType (see `is_live`).
  Result<void> erase(Transaction& txn, Utf16Offset at, Length length);

  /// Attributes of the text as a whole, e.g. an alignment; not the marks in it. As the entries of a Map.
  std::optional<Value> attribute(std::string_view key) const;
  std::vector<std::pair<std::string, Value>> attributes() const;
  /// Errors: WrongType, TooLarge, InvalidUtf8, TooDeep.
  Result<void> set_attribute(Transaction& txn, std::string_view key, const NewValue& value);
  /// False if there was nothing to remove.
  bool remove_attribute(Transaction& txn, std::string_view key);

 private:
  friend struct HandleAccess;
  friend class XmlText;
  Text(Store* store, uint32_t type) : Shared(store, type) {}
};

}  // namespace diaryx::crdt
