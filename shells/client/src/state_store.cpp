#include "state_store.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "sql.h"

namespace diaryx::client {
namespace {

constexpr uint32_t kLongestLog = 256;

constexpr std::string_view kSchema = R"sql(
CREATE TABLE IF NOT EXISTS updates (id INTEGER PRIMARY KEY, doc TEXT NOT NULL, data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS updates_by_doc ON updates (doc, id);
CREATE TABLE IF NOT EXISTS records (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
DROP TABLE IF EXISTS digests;  -- without changed_ns: every file is read once more
CREATE TABLE IF NOT EXISTS known_files (path TEXT PRIMARY KEY, device INTEGER NOT NULL, inode INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, changed_ns INTEGER NOT NULL, digest BLOB NOT NULL,
  hashed_at_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS status (id INTEGER PRIMARY KEY CHECK (id = 1), json TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS damaged (id INTEGER PRIMARY KEY, doc TEXT NOT NULL, data BLOB NOT NULL, reason TEXT NOT NULL);
)sql";

}  // namespace

std::unexpected<Failure> store_failure(const native::SqliteError& error) {
  if (error.is_damaged()) {
    return failure(ExitCode::Failed, "the state of this folder (.diaryx/state.db) is damaged: " + error.message +
                                         "; unlink the folder and link it again, your files stay");
  }
  if (error.is_full()) {
    return failure(ExitCode::Failed,
                   "the disk is full, so the state of this folder cannot be stored; free some space and start again");
  }
  if (error.is_busy()) {
    return failure(ExitCode::Failed,
                   "another program keeps the state of this folder (.diaryx/state.db) locked; end it and try again");
  }
  if (error.is_missing()) {  // not the database itself, which was looked for before: its log and index
    return failure(
        ExitCode::Failed,
        "the state of this folder (.diaryx/state.db) cannot be used, because no file can be made beside it; mount "
        "its file system for writing, and give this user the permission to write there");
  }
  if (error.os_error != 0) {
    return failure(native::os_problem("use", "the state of this folder (.diaryx/state.db)", error.os_error).error());
  }
  return failure(ExitCode::Failed, "the state of this folder (.diaryx/state.db) cannot be used: " + error.message);
}

Attempt<StateStore> StateStore::open(const std::string& path) {
  auto database = native::Database::open(path, native::Durability::Full);
  if (!database) return store_failure(database.error());
  if (auto made = database->execute(kSchema); !made) return store_failure(made.error());
  if (auto made = database->execute(kHistorySchema); !made) return store_failure(made.error());
  return StateStore(std::move(*database));
}

Attempt<std::vector<DamagedRecord>> StateStore::restore(sync::Replica& replica) {
  struct BadRow {
    int64_t id;
    std::string doc;
    Bytes data;
    std::string reason;
  };
  std::vector<BadRow> bad_rows;
  auto read =
      for_each_row(database_, "SELECT id, doc, data FROM updates ORDER BY id", [&](const native::Statement& row) {
        const std::string doc = row.text(1);
        const auto applied = replica.restore_update(doc, row.blob_view(2));
        if (applied) {
          ++log_lengths_[doc];
        } else {
          bad_rows.push_back({row.integer(0), doc, row.blob(2), describe(applied.error())});
        }
      });
  if (!read) return std::unexpected(std::move(read.error()));

  std::vector<DamagedRecord> damaged;
  for (const BadRow& bad : bad_rows) {
    if (auto kept = set_aside(bad.doc, bad.data, bad.reason); !kept) return std::unexpected(std::move(kept.error()));
    if (auto gone = run(database_, "DELETE FROM updates WHERE id = ?", bad.id); !gone)
      return std::unexpected(std::move(gone.error()));
    damaged.push_back({bad.doc, bad.reason});
  }
  read = for_each_row(database_, "SELECT key, value FROM records ORDER BY key", [&](const native::Statement& row) {
    const std::string key = row.text(0);
    if (const auto taken = replica.restore_record(key, row.text(1)); !taken)
      damaged.push_back({key, describe(taken.error())});
  });
  if (!read) return std::unexpected(std::move(read.error()));
  return damaged;
}

Attempt<void> StateStore::set_aside(std::string_view doc, ByteView data, std::string_view reason) {
  return run(database_, "INSERT INTO damaged (doc, data, reason) VALUES (?, ?, ?)", doc, data, reason);
}

Attempt<void> StateStore::put(const sync::PersistUpdate& update, TimestampMs now) {
  ++log_lengths_[update.doc];
  auto stored = run(database_, "INSERT INTO updates (doc, data) VALUES (?, ?)", std::string_view(update.doc),
                    ByteView(update.update));
  if (!stored || !history_) return stored;
  return history_->put(database_, update, now);
}

Attempt<void> StateStore::keep_history(const sync::HistoryDevice& device, const sync::Replica& replica,
                                       TimestampMs now) {
  auto history = HistoryStore::begin(database_, device);
  if (!history) return std::unexpected(std::move(history.error()));
  history_.emplace(std::move(*history));
  return history_->adopt(database_, replica, now);
}

Attempt<void> StateStore::tidy_history(TimestampMs now) {
  return history_ ? history_->tidy(database_, now) : Attempt<void>{};
}

Attempt<std::vector<HistoryRequest>> StateStore::history_requests() { return read_requests(database_); }

Attempt<void> StateStore::finish_request(int64_t id, std::string_view outcome) {
  return client::finish_request(database_, id, outcome);
}

Attempt<void> StateStore::put(const sync::PersistRecord& record) {
  if (record.value.empty()) return run(database_, "DELETE FROM records WHERE key = ?", std::string_view(record.key));
  return run(database_,
             "INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
             std::string_view(record.key), std::string_view(record.value));
}

Attempt<void> StateStore::persist(std::span<const sync::Action> batch, TimestampMs now) {
  const auto is_persist = [](const sync::Action& action) {
    return std::holds_alternative<sync::PersistUpdate>(action) || std::holds_alternative<sync::PersistRecord>(action);
  };
  if (std::none_of(batch.begin(), batch.end(), is_persist)) return {};
  auto transaction = native::WriteTransaction::begin(database_);
  if (!transaction) return store_failure(transaction.error());
  for (const sync::Action& action : batch) {
    if (const auto* update = std::get_if<sync::PersistUpdate>(&action)) {
      if (auto stored = put(*update, now); !stored) return stored;
    } else if (const auto* record = std::get_if<sync::PersistRecord>(&action)) {
      if (auto stored = put(*record); !stored) return stored;
    }
  }
  if (auto committed = transaction->commit(); !committed) return store_failure(committed.error());
  return {};
}

Attempt<void> StateStore::compact(const sync::Replica& replica) {
  for (auto& [doc, length] : log_lengths_) {
    if (length <= kLongestLog) continue;
    const Bytes state = replica.document_state(doc);
    auto transaction = native::WriteTransaction::begin(database_);
    if (!transaction) return store_failure(transaction.error());
    if (auto gone = run(database_, "DELETE FROM updates WHERE doc = ?", std::string_view(doc)); !gone) return gone;
    auto stored =
        run(database_, "INSERT INTO updates (doc, data) VALUES (?, ?)", std::string_view(doc), ByteView(state));
    if (!stored) return stored;
    if (auto committed = transaction->commit(); !committed) return store_failure(committed.error());
    length = 1;
  }
  return {};
}

Attempt<void> StateStore::restore_digests(native::DigestCache& cache) {
  constexpr std::string_view kSelect =
      "SELECT path, device, inode, size_bytes, modified_ns, changed_ns, digest, hashed_at_ms FROM known_files ORDER BY "
      "path";
  return for_each_row(database_, kSelect, [&](const native::Statement& row) {
    native::KnownFile known;
    known.stamp = {.device = uint64_t(row.integer(1)),
                   .inode = uint64_t(row.integer(2)),
                   .size_bytes = uint64_t(row.integer(3)),
                   .modified_ns = row.integer(4),
                   .changed_ns = row.integer(5)};
    const ByteView digest = row.blob_view(6);
    if (digest.size() != known.digest.bytes.size()) return;  // it is hashed again
    std::copy(digest.begin(), digest.end(), known.digest.bytes.begin());
    known.hashed_at = TimestampMs{row.integer(7)};
    stored_digests_.insert_or_assign(row.text(0), known);
    cache.restore(row.text(0), known);
  });
}

Attempt<void> StateStore::put_digest(const std::string& path, const native::KnownFile& known) {
  constexpr std::string_view kPut = "INSERT OR REPLACE INTO known_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
  return run(database_, kPut, std::string_view(path), int64_t(known.stamp.device), int64_t(known.stamp.inode),
             int64_t(known.stamp.size_bytes), known.stamp.modified_ns, known.stamp.changed_ns,
             ByteView(known.digest.bytes), known.hashed_at.value());
}

Attempt<void> StateStore::save_digests(const native::DigestCache& cache) {
  auto transaction = native::WriteTransaction::begin(database_);
  if (!transaction) return store_failure(transaction.error());
  for (const auto& [path, known] : cache.entries()) {
    const auto stored = stored_digests_.find(path);
    if (stored != stored_digests_.end() && stored->second == known) continue;
    if (auto put = put_digest(path, known); !put) return put;
  }
  for (const auto& [path, known] : stored_digests_) {
    if (cache.entries().contains(path)) continue;
    auto gone = run(database_, "DELETE FROM known_files WHERE path = ?", std::string_view(path));
    if (!gone) return gone;
  }
  if (auto committed = transaction->commit(); !committed) return store_failure(committed.error());
  stored_digests_ = cache.entries();
  return {};
}

Attempt<void> StateStore::save_status(std::string_view json) {
  return run(database_,
             "INSERT INTO status (id, json) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET json = excluded.json", json);
}

Attempt<std::optional<std::string>> read_status(const std::string& path) {
  auto database = native::Database::open_reader(path);
  if (!database && database.error().is_missing()) return std::optional<std::string>{};  // linked, but never synced
  if (!database) return store_failure(database.error());
  std::optional<std::string> json;
  bool has_table = false;  // not yet in one that is being made at this moment, or whose making was cut off
  auto looked = for_each_row(*database, "SELECT 1 FROM sqlite_master WHERE name = 'status'",
                             [&](const native::Statement&) { has_table = true; });
  if (!looked) return std::unexpected(std::move(looked.error()));
  if (!has_table) return json;
  auto read =
      for_each_row(*database, "SELECT json FROM status", [&](const native::Statement& row) { json = row.text(0); });
  if (!read) return std::unexpected(std::move(read.error()));
  return json;
}

}  // namespace diaryx::client
