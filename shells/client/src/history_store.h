// The history of a folder, in the tables `history` and `requests` of its state.
//
// Written by the command that works on the folder, read by any other at the same time. Its marks are records of the replica's
// store (`mark:...`).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/native/sqlite.h"
#include "diaryx/sync/history.h"
#include "diaryx/sync/history_keep.h"
#include "diaryx/sync/history_restore.h"
#include "diaryx/sync/replica.h"
#include "exit_code.h"

namespace diaryx::client {

extern const std::string_view kHistorySchema;

/// A restore that a command asks for. Its row stays, with an outcome, until the asker has read that.
struct HistoryRequest {
  int64_t id = 0;
  sync::RestoreFiles restore;
};

class HistoryStore {
 public:
  static Attempt<HistoryStore> begin(native::Database& database, const sync::HistoryDevice& device);

  /// Inside the transaction that stores the update.
  Attempt<void> put(native::Database& database, const sync::PersistUpdate& update, TimestampMs now);
  Attempt<void> adopt(native::Database& database, const sync::Replica& replica, TimestampMs now);
  Attempt<void> tidy(native::Database& database, TimestampMs now);

 private:
  explicit HistoryStore(sync::HistoryRecorder recorder) : recorder_(std::move(recorder)) {}
  sync::HistoryRecorder recorder_;
};

Attempt<std::vector<HistoryRequest>> read_requests(native::Database& database);
Attempt<void> finish_request(native::Database& database, int64_t id, std::string_view outcome);

/// Reads the history of a folder, whether or not another command works on it.
class HistoryReader {
 public:
  /// Errors: NotLinked when nothing was ever synced.
  static Attempt<HistoryReader> open(const std::string& state_path);

  /// Adds the blocks of a document, once. What cannot be read is left out and counted.
  Attempt<void> load(std::string_view doc);
  /// The documents of a file, over its renames.
  Attempt<void> load_file(const std::string& path);
  /// The documents that changed last; what is older than all of these blocks is not known of afterwards.
  Attempt<void> load_recent();
  /// Documents with records after a point: what a comparison with it needs.
  Attempt<void> load_newer(sync::HistoryPoint point);
  /// What a restore needs.
  Attempt<void> load_for(const sync::RestoreChoice& choice);
  /// Documents with records after a point.
  Attempt<std::vector<std::string>> newer_than(sync::HistoryPoint point);

  const sync::History& history() const { return history_; }
  size_t damaged_blocks() const { return damaged_; }

  Attempt<sync::HistoryPoint> last();
  /// The last record that was stored up to a time; the start if there is none.
  Attempt<sync::HistoryPoint> point_at(TimestampMs time);
  /// By point, oldest first.
  Attempt<std::vector<sync::HistoryMark>> marks();

 private:
  explicit HistoryReader(native::Database database) : database_(std::move(database)) {}

  native::Database database_;
  sync::History history_;
  std::vector<std::string> loaded_;
  size_t damaged_ = 0;
};

/// Writes beside a command that works on the folder.
/// Errors: Failed when there is a snapshot of that name.
Attempt<void> store_mark(const std::string& state_path, const sync::HistoryMark& mark);
Attempt<void> remove_mark(const std::string& state_path, const sync::HistoryMark& mark);
Attempt<int64_t> store_request(const std::string& state_path, const sync::RestoreFiles& restore);
/// The outcome of a request, once there is one; it is removed then.
Attempt<std::optional<std::string>> take_outcome(const std::string& state_path, int64_t id);

}  // namespace diaryx::client
