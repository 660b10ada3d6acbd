// Which file is where, as the list says: by path, by the id of the file, and by the document that holds its text.
//
// Invariants
// 1. A path has an id while its entry is live and bears one; it is then among the paths of that id, and of no other.
// 2. A path has one document: what its entry says, live or not, and else the one that is named by the path.
// 3. Whatever document a file leaves, since its entry is deleted or names another one, is among its old ones from then on.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

/// Every question costs a logarithm of the number of files.
class FileIndex {
 public:
  /// The entry of this path is that from now on. True if another file is live there than before, or it has another document.
  bool note(const std::string& path, const std::optional<FileMetadata>& entry);
  /// That document is another file's after all.
  void forget_old_document(const std::string& file_id, const std::string& document);

  /// The id of the file that is live there; empty if there is none, or an old peer's without an id.
  std::string id_at(const std::string& path) const;
  /// Where the file is live. More than one path: two devices renamed it at once. Nowhere for an empty id.
  const std::set<std::string>& paths_of(const std::string& file_id) const;
  /// The first of them.
  std::optional<std::string> live_path(const std::string& file_id) const;

  /// The document of whatever is at this path, or will be.
  std::string document_of(const std::string& path) const;
  /// The paths whose entries, live or not, say that document; not the path that names it.
  const std::set<std::string>& paths_with(const std::string& document) const;
  /// Documents that the file had before.
  const std::set<std::string>& old_documents_of(const std::string& file_id) const;

 private:
  using Sets = std::map<std::string, std::set<std::string>, std::less<>>;

  void set_document(const std::string& path, const std::string& document);

  std::map<std::string, std::string, std::less<>> id_of_;  // by path
  Sets paths_of_;  // by id
  std::map<std::string, std::string, std::less<>> document_of_;  // by path, where it is not named by it
  Sets paths_with_;  // the same the other way round
  Sets old_documents_of_;  // by id
};

}  // namespace diaryx::sync
