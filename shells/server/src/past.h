// The past of a workspace from what the storage keeps, as core/sync reads it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "diaryx/sync/history.h"
#include "services.h"
#include "workspace_edits.h"

namespace diaryx::server {

/// A damaged record. What it held is not known from it on.
struct LostRecord {
  std::string document;
  sync::HistoryPoint point;
  std::optional<sync::HistoryPoint> known_again;  // the first point at which a snapshot says what it held
  TimestampMs time;
  sync::HistoryDevice device;

  bool hides(sync::HistoryPoint at) const { return at >= point && (!known_again || at < *known_again); }
};

/// A history that is filled from the storage while it is asked. One request's; not shared.
class Past {
 public:
  Past(Services& services, std::string workspace) : services_(services), workspace_(std::move(workspace)) {}

  /// Documents go by the names that `sync::History` has for them: `workspace`, `body:<key>`. Those that are here already are
  /// passed over; what is damaged is noted. Errors: 413 when all of it is too much for one request.
  boost::asio::awaitable<OrResponse<void>> load(std::vector<std::string> documents);
  boost::asio::awaitable<OrResponse<void>> load_file(const std::string& path);
  /// The documents with records after a point, newest first, at most `limit`; nothing is loaded.
  boost::asio::awaitable<OrResponse<std::vector<ChangedDocument>>> changed_since(sync::HistoryPoint point,
                                                                                 uint32_t limit);

  const sync::History& history() const { return history_; }
  /// Of the documents that were loaded, by document and point.
  const std::vector<LostRecord>& lost() const { return lost_; }
  /// The file whose text it is of; empty: it is of the list of files.
  std::string file_of(const LostRecord& lost) const;
  /// That something which was loaded is damaged at a point: of the list of files, or else of one of these documents. Empty: no.
  std::string damage_at(sync::HistoryPoint point, std::span<const std::string> documents = {}) const;

 private:
  std::string stored_name(const std::string& document) const;
  void note_lost(const std::string& document, const DocumentPast& past);

  Services& services_;
  std::string workspace_;
  sync::History history_;
  std::vector<LostRecord> lost_;
  uint64_t size_bytes_ = 0;
};

/// Records in the form of `sync::History`; a base made of the snapshot stands for those that are gone. From a damaged record to the
/// next base the document waits for what is missing, so that no text is taken for whole.
std::vector<sync::HistoryRecord> history_records(DocumentPast past);

}  // namespace diaryx::server
