// The inside of History: what is read once and kept.
#pragma once

#include <array>
#include <functional>
#include <set>

#include "diaryx/sync/history.h"
#include "replica/workspace_doc.h"

namespace diaryx::sync {

class History::Impl {
 public:
  using Documents = std::map<std::string, DocHistory, std::less<>>;

  /// What one pass over the workspace document's records tells.
  struct WorkspacePass {
    std::unique_ptr<WorkspaceDoc> present;
    std::vector<std::vector<std::string>> files_changed;           // by record
    std::vector<std::vector<std::string>> files_removed;           // the same: those of them that were deleted
    std::map<std::string, std::set<std::string>, std::less<>> came_from;  // path -> names whose tombstones lead to it
    std::map<std::string, std::set<std::string>, std::less<>> documents_at;  // path -> other documents it named
    std::map<std::string, std::set<std::string>, std::less<>> documents_of;  // id of a file -> its documents
    std::map<std::string, std::string, std::less<>> path_of_document;  // of those that no path names
    std::map<std::string, ClientId, std::less<>> first_writer;  // of a file's entry
    std::map<uint64_t, std::string> device_ids;  // by client
    std::map<std::string, std::string, std::less<>> device_names;  // by device id
  };

  const DocHistory* document(std::string_view doc) const;
  const WorkspacePass& pass() const;
  const WorkspaceDoc& workspace_at(HistoryPoint point) const;
  /// The body document at a point; null if there are no records of it up to there.
  std::unique_ptr<crdt::Doc> body_at(const std::string& path, HistoryPoint point) const;
  /// Of a file without a record up to a point: whether it had no text then, instead of one that had not come here.
  bool is_empty_before_its_records(const FileMetadata& entry, const std::string& path, HistoryPoint point) const;
  using Writers = std::map<uint64_t, HistoryDevice>;
  /// By client, from what devices say in the workspace document and from records made here.
  const Writers& known_writers() const;
  /// Clients of a body document, which are made from a device's client and a name of the file, and that of its first import.
  const Writers& body_writers(std::string_view doc, const std::string& path, std::span<const std::string> names) const;
  std::string head_of(crdt::Doc& body, const std::optional<FileMetadata>& entry, std::string_view path) const;

  Documents documents_;
  mutable size_t damaged_ = 0;

  /// What was derived from a document is made anew after a block of it was added.
  void forget(std::string_view doc);

 private:
  void read_devices(WorkspacePass& pass) const;
  /// The client that a body document was imported under, if it begins with an import.
  std::optional<ClientId> seed_of(std::string_view doc) const;
  static void note_move(WorkspacePass& pass, const std::string& path);
  static void note_document(WorkspacePass& pass, const std::string& path);

  mutable std::unique_ptr<WorkspacePass> pass_;
  // The workspace document at two points, since two are compared; the one used last comes first.
  struct Past {
    std::unique_ptr<WorkspaceDoc> workspace;
    HistoryPoint point = kHistoryStart;
  };
  mutable std::array<Past, 2> past_;
  mutable std::optional<Writers> known_writers_;
  mutable std::map<std::string, Writers, std::less<>> body_writers_;
};

}  // namespace diaryx::sync
