// The past of a workspace from what the storage keeps, as core/sync reads it.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "diaryx/sync/history.h"
#include "services.h"
#include "workspace_edits.h"

namespace diaryx::server {

/// A history that is filled from the storage while it is asked. One request's; not shared.
class Past {
 public:
  Past(Services& services, std::string workspace) : services_(services), workspace_(std::move(workspace)) {}

  /// Documents go by the names that `sync::History` has for them: `workspace`, `body:<key>`. Those that are here already are
  /// passed over. Errors: 413 when all of it is too much for one request.
  boost::asio::awaitable<OrResponse<void>> load(std::vector<std::string> documents);
  boost::asio::awaitable<OrResponse<void>> load_file(const std::string& path);
  /// The documents with records after a point, newest first, at most `limit`; nothing is loaded.
  boost::asio::awaitable<OrResponse<std::vector<ChangedDocument>>> changed_since(sync::HistoryPoint point,
                                                                                 uint32_t limit);

  const sync::History& history() const { return history_; }

 private:
  std::string stored_name(const std::string& document) const;

  Services& services_;
  std::string workspace_;
  sync::History history_;
  uint64_t size_bytes_ = 0;
};

/// Records in the form of `sync::History`; if the oldest are gone, a base made of the snapshot stands for them.
std::vector<sync::HistoryRecord> history_records(DocumentPast past);

}  // namespace diaryx::server
