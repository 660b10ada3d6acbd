// What a device remembers between runs: documents, records, digests of files and its last status, in SQLite.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diaryx/native/file_scan.h"
#include "diaryx/native/sqlite.h"
#include "diaryx/sync/action.h"
#include "diaryx/sync/replica.h"
#include "exit_code.h"
#include "history_store.h"

namespace diaryx::client {

/// A stored update or record that could not be read back. It is kept aside in the table `damaged`; the server repairs
/// the document.
struct DamagedRecord {
  std::string name;
  std::string reason;
};

/// WAL with synchronous=FULL: what `persist` accepted survives a power cut. Used from one thread.
class StateStore {
 public:
  /// Opens or creates. Errors: Failed, with what to do when the file is damaged.
  static Attempt<StateStore> open(const std::string& path);

  /// Gives everything stored to a new replica. Damaged rows do not stop the others.
  Attempt<std::vector<DamagedRecord>> restore(sync::Replica& replica);

  /// Makes every Persist action of a batch durable in one transaction; other actions are passed over.
  ///
  /// now  the time that stands in the history, see `keep_history`.
  Attempt<void> persist(std::span<const sync::Action> batch, TimestampMs now);

  /// From now on every update is a record of the history as well, in the same transaction. Documents that an older version
  /// stored without one begin theirs with what `replica` holds. Call after `restore`.
  Attempt<void> keep_history(const sync::HistoryDevice& device, const sync::Replica& replica, TimestampMs now);
  /// Folds old history by the rule of `history_keep.h`, some documents at a time. Call now and then, between batches.
  Attempt<void> tidy_history(TimestampMs now);

  /// What other commands asked the one that works on the folder to do.
  Attempt<std::vector<HistoryRequest>> history_requests();
  Attempt<void> finish_request(int64_t id, std::string_view outcome);

  /// Replaces logs that have become long by the whole state. Call right after `persist`, before another event.
  Attempt<void> compact(const sync::Replica& replica);

  Attempt<void> restore_digests(native::DigestCache& cache);
  /// Stores what differs from what is stored.
  Attempt<void> save_digests(const native::DigestCache& cache);

  Attempt<void> save_status(std::string_view json);

 private:
  explicit StateStore(native::Database database) : database_(std::move(database)) {}

  Attempt<void> put(const sync::PersistUpdate& update, TimestampMs now);
  Attempt<void> put(const sync::PersistRecord& record);
  Attempt<void> set_aside(std::string_view doc, ByteView data, std::string_view reason);
  Attempt<void> put_digest(const std::string& path, const native::KnownFile& known);

  native::Database database_;
  std::optional<HistoryStore> history_;
  std::map<std::string, uint32_t, std::less<>> log_lengths_;  // rows per document
  std::map<std::string, native::KnownFile, std::less<>> stored_digests_;
};

/// The status that a running or ended command left, read without disturbing it. Nothing if there is none.
Attempt<std::optional<std::string>> read_status(const std::string& path);

}  // namespace diaryx::client
