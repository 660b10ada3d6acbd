// The document of one Markdown file: its frontmatter block (`head`) and the text behind it (`body`).
//
// `body` is what every Diaryx peer reads. `head` is ours: old peers ignore a root they do not know, and between our own
// devices it carries the block byte for byte. `seed` names the first import, see `seed_update`. `era` tells the files apart
// that have used the key one after the other: a key is a path, so the document outlives a file that is renamed away.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/doc.h"

namespace diaryx::sync {

/// What happened to the file that used a key before the present one did.
struct PastEra {
  std::string target;  // the key it went to
  std::string file_id;  // its id, which leads to where it is now
  crdt::StateVector known;  // all operations of that file that whoever began the next era had seen
};

class BodyDoc {
 public:
  explicit BodyDoc(ClientId client);

  crdt::Doc& doc() { return doc_; }
  const crdt::Doc& doc() const { return doc_; }

  std::string head() const { return head_.to_string(); }
  std::string body() const { return body_.to_string(); }

  /// No operation of anybody: the only state in which a seed may be made (T1).
  bool is_virgin() const { return doc_.is_empty() && !doc_.has_pending(); }

  /// Changes the two texts by their difference. Returns the update, empty when nothing changed.
  Bytes set_text(std::string_view head, std::string_view body);

  /// The same with operations that depend only on `key`, the document and the texts: devices that put a text back at once do
  /// not double it.
  Bytes restore_text(std::string_view key, std::string_view head, std::string_view body);

  /// The name of the first import that holds now: of concurrent ones the same everywhere. Empty if never seeded.
  std::string seed_name() const;

  /// The name of the present era of `key`; empty for the first file under it. A file that is renamed takes its operations
  /// along, so a document may tell of the eras of other keys too.
  std::string era(std::string_view key) const;
  std::optional<PastEra> past_era(std::string_view key, std::string_view era) const;
  /// What all who began eras of `key` had seen.
  crdt::StateVector known_before(std::string_view key) const;

  /// Another file takes the key: nothing of the one before remains, and everybody can tell the two apart.
  ///
  /// past     where the file of the present era went; its `known` is filled in here.
  /// state    a document whose operations the new file brings along; may be `00 00`.
  /// Returns  the update that does it.
  Bytes begin_era(std::string_view key, std::string_view era, PastEra past, ByteView state, std::string_view head,
                  std::string_view body);

  /// Deletes every operation in `ids`. Returns the update, empty when none was left.
  Bytes erase_operations(const crdt::DeleteSet& ids);

 private:
  crdt::Doc doc_;
  crdt::Text head_;
  crdt::Text body_;
  crdt::Map seed_;
  crdt::Map era_;
};

/// True if the bytes may hold an operation that begins an era. Never false when one does.
bool may_begin_era(ByteView update);

/// The operations that `after` has and `before` lacks.
crdt::DeleteSet operations_between(const crdt::StateVector& before, const crdt::StateVector& after);

/// The first import of a file as an update: the same file under the same key gives the same operations on every device,
/// so that two devices that import it at once do not double it.
Bytes seed_update(std::string_view key, std::string_view head, std::string_view body);

/// The client id of that seed, in decimal: what `seed_name` returns while it holds.
std::string seed_name(std::string_view key, std::string_view head, std::string_view body);

}  // namespace diaryx::sync
