// The document of one Markdown file: its frontmatter block (`head`) and the text behind it (`body`).
//
// `body` is what every Diaryx peer reads. `head` and `fields` are ours: old peers ignore roots they do not know, and between our
// own devices they carry the block byte for byte, see `HeadText`. `seed` names the first import, see `seed_update`, and the file whose text this
// is: a document is one file's for ever.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/head_text.h"
#include "replica/text_units.h"

namespace diaryx::sync {

/// The owner of a document that every file left. No file has such an id.
inline constexpr std::string_view kNobody = "~";

class BodyDoc {
 public:
  /// `key` names the document; a copy that is only looked at may do without.
  explicit BodyDoc(ClientId client, const std::string& key = {});

  crdt::Doc& doc() { return doc_; }
  const crdt::Doc& doc() const { return doc_; }

  const std::string& head() const { return shown().head; }
  const std::string& body() const { return shown().body; }

  /// No operation of anybody: the only state in which a seed may be made (T1).
  bool is_virgin() const { return doc_.is_empty() && !doc_.has_pending(); }

  /// Changes the two texts by their difference. Returns the update, empty when nothing changed.
  /// shown  as in `HeadText::carry`.
  Bytes set_text(std::string_view head, std::string_view body, std::string_view shown = {});

  /// What the two texts are made of now.
  const TextUnits& units() const;

  /// Carries an edit of an older version over: `before` and `units` are that version, `after` is what it became.
  /// Returns the update, empty when nothing changed, and sets `units` to those of `after`.
  struct Parts {
    std::string_view head;
    std::string_view body;
  };
  /// other_heads  that the older version may have had instead: `HeadText::carry`, `perhaps`.
  using Heads = std::span<const std::string>;
  Bytes merge_text(TextUnits& units, Parts before, Parts after, Heads other_heads = {});
  /// The same where it is not known of which units the older body was: it becomes `body`.
  Bytes merge_head(std::string_view before, std::string_view after, std::string_view body, std::string_view shown,
                   Heads other_heads = {});

  /// The same with operations that depend only on `key`, the document and the texts: devices that put a text back at once do
  /// not double it.
  Bytes restore_text(std::string_view key, std::string_view head, std::string_view body);

  /// The id of the file whose text this is; empty if nobody said, `kNobody` if every file has left. Two files may begin in one
  /// document at once: of those that did not leave, the one whose id sorts first holds it, wherever that is asked.
  std::string owner() const;
  /// Other files that claim to have begun here.
  std::vector<std::string> rivals() const;
  /// Says whose text this is. Returns the update, empty when that is known. No claim replaces another.
  Bytes claim(const std::string& file_id);
  /// Says that a file went on elsewhere, for ever, and withdraws its claim: before anything of it is taken out.
  Bytes note_left(const std::string& file_id);
  std::vector<std::string> files_that_left() const;

  /// The client of what is written here now: one for each file, which says so before it writes anything else. So operations of two
  /// files in one document can be told apart, whoever brings them and in whatever pieces.
  ClientId writer() const;
  /// Operations of other files that came after `before`. Those of clients that say nothing, of other programs, are the owner's.
  crdt::DeleteSet strays(const crdt::StateVector& before) const;
  /// All operations but two kinds of notes: whose they are, by which what comes later of those clients is known as well, and which
  /// files left, since none of them may be taken for the owner again, not for a moment.
  crdt::DeleteSet operations() const;
  /// What is said of the document that holds now: no edit of anybody.
  crdt::DeleteSet notes() const;

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
  Bytes note(std::string_view added, std::string_view withdrawn = {});
  std::vector<crdt::Id> lasting_notes() const;
  std::string left_key(const std::string& file_id) const;
  ClientId writer_of(std::string_view holder) const;
  crdt::Transaction write();

  ClientId client_;
  std::string key_;
  crdt::Doc doc_;
  HeadText head_;
  crdt::Text body_;
  crdt::Map seed_;
  mutable std::optional<Shown> shown_;
};

/// The client of one body document in a run. Each document has its own: a renamed file takes its operations into another
/// document, where operations of the same run must not bear the same ids.
ClientId body_client(ClientId replica, const std::string& key);

/// The client with which `client`, that of a document in a run, writes what is of this file. 32 bits, as all that are made.
ClientId writer_for(ClientId client, std::string_view file_id);

/// True if the bytes may hold an operation that says whose document it is, or that its file left. Never false when one does.
bool may_claim(ByteView update);

/// The operations that `after` has and `before` lacks.
crdt::DeleteSet operations_between(const crdt::StateVector& before, const crdt::StateVector& after);

/// The first import of a file as an update: the same file under the same key gives the same operations on every device,
/// so that two devices that import it at once do not double it.
Bytes seed_update(std::string_view key, std::string_view file_id, std::string_view head, std::string_view body);

/// The client id of that seed, in decimal: the id of a file that is the first under its path.
std::string seed_name(std::string_view key, std::string_view head, std::string_view body);

}  // namespace diaryx::sync
