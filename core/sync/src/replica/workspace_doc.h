// The workspace document: which files there are and what is known about each.
//
// `files` is the map every Diaryx peer reads: path -> FileMetadata JSON. `binaries` is ours: path -> BinaryRef JSON for
// every other file, published only after its blob is on the server. `homes` is ours, too: id of a file -> where it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

/// Keys of `extra` that are ours. A leading `_` keeps them out of every peer's frontmatter.
inline constexpr std::string_view kHeadMark = "_h";  // short hash of the head the metadata was derived from
inline constexpr std::string_view kMovedTo = "_to";  // in a tombstone: the key the file has now
inline constexpr std::string_view kSeen = "_seen";  // in a tombstone: the state vector of the text that was deleted
inline constexpr std::string_view kHasText = "_t";  // the file was not empty: wait for its text before writing it
inline constexpr std::string_view kDocument = "_doc";  // the key of the file's document, where that is not its path
inline constexpr std::string_view kFileId = "_id";  // stays with a file over renames; a new file gets a new one

/// Some programs name an entry by a UUID and its file by members of the metadata. Such a key is no path (T13).
bool is_id_key(const std::string& key);

/// A key in front of which this stands names the document of one file, by its id. No path of a note looks like it.
inline constexpr std::string_view kOwnDocument = "~";
inline std::string own_document(const std::string& file_id) { return std::string(kOwnDocument).append(file_id); }

/// An id that may be used in keys and records; what other peers write is not trusted.
bool is_file_id(const std::string& id);

/// The id that an entry says; empty if it says none that can be used.
std::string said_id(const std::optional<FileMetadata>& entry);

/// The id of the file that `entry` lists at `path`. An entry of an old peer has none; whoever renames it finds the same one here.
std::string file_id_of_entry(const std::string& path, const FileMetadata& entry);

/// What stands for a state vector that is too long to keep.
inline constexpr std::string_view kSeenUnknown = "-";

/// Where a file is, by its id: what its entry cannot say once another file has its path.
struct Home {
  std::string path;
  std::string document;
  /// Empty: alive. Else it was deleted, and this is the state vector of the text that was deleted, in Base64, or
  /// `kSeenUnknown`.
  std::string seen;

  bool operator==(const Home&) const = default;
};

/// The frontmatter of a file whose document has none: nothing, or what an old peer alone said, in the metadata.
std::string head_without_text(const FileMetadata& entry, std::string_view path);

class WorkspaceDoc {
 public:
  explicit WorkspaceDoc(ClientId client);

  crdt::Doc& doc() { return doc_; }
  const crdt::Doc& doc() const { return doc_; }

  /// The entry of a path, tombstones included; nothing if there is none or it cannot be read.
  std::optional<FileMetadata> file(const std::string& path) const;
  std::optional<BinaryRef> binary(const std::string& path) const;
  /// The entry if it is live. One whose key is an id is kept and passed on, and is no file here.
  std::optional<FileMetadata> live_file(const std::string& path) const;
  std::optional<BinaryRef> live_binary(const std::string& path) const;

  /// Paths of all live entries that can be used here, sorted.
  std::vector<std::string> live_files() const;
  std::vector<BinaryRef> live_binaries() const;

  /// The operation that wrote the present entry of a binary file, live or not.
  std::optional<crdt::Id> binary_id(const std::string& path) const { return binaries_.current_id(path); }
  /// True if somebody replaced the entry that `earlier` wrote, having seen it; whoever wrote the present one may not have.
  bool binary_replaced_knowingly(const std::string& path, crdt::Id earlier) const {
    return binaries_.replaced_knowingly(path, earlier);
  }

  /// The key of the body document of the entry at a path, live or not.
  std::string document_of(const std::string& path) const;

  std::optional<Home> home(const std::string& file_id) const;
  /// Ids of all files that have a home, dead ones too.
  std::vector<std::string> file_ids() const { return homes_.keys(); }

  /// An id for a file that is made now, unlike any other.
  std::string new_file_id(const std::string& path) const;

  void set_file(crdt::Transaction& txn, const std::string& path, const FileMetadata& metadata);
  void set_binary(crdt::Transaction& txn, const BinaryRef& ref);
  void set_home(crdt::Transaction& txn, const std::string& file_id, const Home& home);

 private:
  std::optional<std::string> value(const crdt::Map& map, const std::string& path) const;

  // One edit asks for the same entry many times, and reading its JSON costs more than all else that is done with it.
  struct ReadEntry {
    std::string text;
    FileMetadata metadata;
  };
  mutable std::optional<ReadEntry> last_read_;

  crdt::Doc doc_;
  crdt::Map files_;
  crdt::Map binaries_;
  crdt::Map homes_;
};

/// The value of `homes`, and back; what another peer wrote is not trusted.
std::string format_home(const Home& home);
std::optional<Home> parse_home(std::string_view value);

/// The key of an entry's document: what the entry says, or its path.
std::string document_key(const std::optional<FileMetadata>& entry, const std::string& path);

/// The string member of `extra`, or nothing.
std::optional<std::string> extra_text(const FileMetadata& metadata, std::string_view key);
/// Sets or, with nothing, removes a string member of `extra`.
void set_extra_text(FileMetadata& metadata, std::string_view key, std::optional<std::string> value);

/// Equal in all that a frontmatter can say: `modified_at`, our marks, and what is known of attachments do not count.
bool same_meaning(const FileMetadata& a, const FileMetadata& b);

/// `fresh` with what only the entry knows: digests of attachments and marks of other peers.
FileMetadata carry_over(FileMetadata fresh, const FileMetadata& known);

/// The mark for a head.
std::string head_mark(std::string_view head);

}  // namespace diaryx::sync
