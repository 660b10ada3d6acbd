// The document of one Markdown file: its frontmatter block (`head`) and the text behind it (`body`).
//
// `body` is what every Diaryx peer reads. `head` is ours: old peers ignore a root they do not know, and between our own
// devices it carries the block byte for byte. `seed` names the first import, see `seed_update`, and the file whose text this
// is: a document is one file's for ever.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/doc.h"
#include "replica/text_units.h"

namespace diaryx::sync {

/// The owner of a document that every file left. No file has such an id.
inline constexpr std::string_view kNobody = "~";

class BodyDoc {
 public:
  explicit BodyDoc(ClientId client);

  crdt::Doc& doc() { return doc_; }
  const crdt::Doc& doc() const { return doc_; }

  const std::string& head() const { return shown().head; }
  const std::string& body() const { return shown().body; }

  /// No operation of anybody: the only state in which a seed may be made (T1).
  bool is_virgin() const { return doc_.is_empty() && !doc_.has_pending(); }

  /// Changes the two texts by their difference. Returns the update, empty when nothing changed.
  Bytes set_text(std::string_view head, std::string_view body);

  /// What the two texts are made of now.
  const TextUnits& units() const;

  /// Carries an edit of an older version over: `before` and `units` are that version, `after` is what it became.
  /// Returns the update, empty when nothing changed, and sets `units` to those of `after`.
  struct Parts {
    std::string_view head;
    std::string_view body;
  };
  Bytes merge_text(TextUnits& units, Parts before, Parts after);

  /// The same with operations that depend only on `key`, the document and the texts: devices that put a text back at once do
  /// not double it.
  Bytes restore_text(std::string_view key, std::string_view head, std::string_view body);

  /// The name of the first import that holds now: of concurrent ones the same everywhere. Empty if never seeded.
  std::string seed_name() const;

  /// The id of the file whose text this is; empty if nobody said, `kNobody` if that file has left. Of two files that began in one
  /// document at once the same one everywhere.
  std::string owner() const;
  /// Says whose text this is. Returns the update, empty when that is known.
  Bytes claim(std::string_view file_id);

  /// Two files began in one document at once, and one of them left, or each thought that it had to: the document says which files
  /// left it, and the documents of such a file say where it began. So late operations of it can be told from those of the one
  /// that stayed, and what was taken out here is never taken out of its other documents.
  std::vector<std::string> files_that_left() const;
  Bytes note_left(std::string_view file_id);
  std::vector<std::string> began_in() const;
  Bytes note_began_in(std::string_view document);

  /// Deletes every operation in `ids`. Returns the update, empty when none was left.
  Bytes erase_operations(const crdt::DeleteSet& ids);

 private:
  // Making texts of a document walks all that was ever typed, and one edit asks for them again and again.
  struct Shown {
    uint32_t transaction = 0;  // as of which they are
    std::string head;
    std::string body;
    std::optional<TextUnits> units;
  };
  Shown& shown() const;
  Bytes note(std::string_view prefix, std::string_view name);

  crdt::Doc doc_;
  crdt::Text head_;
  crdt::Text body_;
  crdt::Map seed_;
  mutable std::optional<Shown> shown_;
};

/// True if the bytes may hold an operation that says whose document it is, or that its file left. Never false when one does.
bool may_claim(ByteView update);

/// The operations that `after` has and `before` lacks.
crdt::DeleteSet operations_between(const crdt::StateVector& before, const crdt::StateVector& after);
/// Those of them that `other` has, too.
crdt::DeleteSet operations_in_common(const crdt::StateVector& before, const crdt::StateVector& after,
                                     const crdt::StateVector& other);

/// The first import of a file as an update: the same file under the same key gives the same operations on every device,
/// so that two devices that import it at once do not double it.
Bytes seed_update(std::string_view key, std::string_view file_id, std::string_view head, std::string_view body);

/// The client id of that seed, in decimal: what `seed_name` returns while it holds, and the id of a file that is the first
/// under its path.
std::string seed_name(std::string_view key, std::string_view head, std::string_view body);

}  // namespace diaryx::sync
