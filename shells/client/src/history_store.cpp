#include "history_store.h"

#include <algorithm>
#include <utility>

#include "restore_json.h"
#include "sql.h"

namespace diaryx::client {

const std::string_view kHistorySchema = R"sql(
CREATE TABLE IF NOT EXISTS history (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, doc TEXT NOT NULL,
  until_ms INTEGER NOT NULL, block BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS history_by_doc ON history (doc, first);
CREATE INDEX IF NOT EXISTS history_by_last ON history (last);
CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, json TEXT NOT NULL, outcome TEXT);
)sql";

namespace {

/// Documents with more blocks than this are folded and packed, so many at a time.
constexpr int64_t kManyBlocks = 32;
constexpr int64_t kFoldedAtOnce = 64;

/// So far back the timeline of a folder goes, in blocks.
constexpr int64_t kRecentBlocks = 5'000;

constexpr std::string_view kInsertBlock =
    "INSERT INTO history (first, last, doc, until_ms, block) VALUES (?, ?, ?, ?, ?)";
constexpr std::string_view kSelectMarks = "SELECT key, value FROM records WHERE key >= 'mark:' AND key < 'mark;'";
constexpr std::string_view kPutRecord =
    "INSERT INTO records (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";

Attempt<std::vector<sync::HistoryMark>> read_marks(native::Database& database) {
  std::vector<sync::HistoryMark> marks;
  auto read = for_each_row(database, kSelectMarks, [&](const native::Statement& row) {
    if (auto mark = sync::parse_mark_record(row.text(0), row.text(1))) marks.push_back(*std::move(mark));
  });
  if (!read) return std::unexpected(std::move(read.error()));
  std::ranges::sort(marks, {}, &sync::HistoryMark::point);
  return marks;
}

Attempt<void> put_mark(native::Database& database, const sync::HistoryMark& mark) {
  const sync::PersistRecord record = sync::mark_record(mark);
  return run(database, kPutRecord, std::string_view(record.key), std::string_view(record.value));
}

Attempt<sync::HistoryPoint> read_last(native::Database& database) {
  int64_t last = 0;
  auto read = for_each_row(database, "SELECT coalesce(max(last), 0) FROM history",
                           [&](const native::Statement& row) { last = row.integer(0); });
  if (!read) return std::unexpected(std::move(read.error()));
  return static_cast<sync::HistoryPoint>(last);
}

Attempt<void> fold(native::Database& database, const std::string& doc, std::span<const sync::HistoryMark> marks,
                   TimestampMs now) {
  sync::DocHistory records;
  bool readable = true;
  auto read = for_each_row(
      database, "SELECT block FROM history WHERE doc = ? ORDER BY first",
      [&](const native::Statement& row) { readable = readable && records.add(row.blob_view(0)).has_value(); },
      std::string_view(doc));
  if (!read || !readable) return read;  // a damaged block is left alone, and all others with it
  const auto blocks = sync::compact_history(records, marks, now);
  if (!blocks) return {};
  auto transaction = native::WriteTransaction::begin(database);
  if (!transaction) return store_failure(transaction.error());
  if (auto gone = run(database, "DELETE FROM history WHERE doc = ?", std::string_view(doc)); !gone) return gone;
  for (const sync::StoredBlock& block : *blocks) {
    const auto inside = sync::decode_history_block(block.bytes);
    const int64_t until = inside ? inside->back().time.value() : 0;
    auto stored = run(database, kInsertBlock, int64_t(block.first), int64_t(block.last), std::string_view(doc), until,
                      ByteView(block.bytes));
    if (!stored) return stored;
  }
  if (auto committed = transaction->commit(); !committed) return store_failure(committed.error());
  return {};
}

Attempt<native::Database> open_beside(const std::string& state_path) {
  auto database = native::Database::open(state_path, native::Durability::Full);
  if (!database) return store_failure(database.error());
  return std::move(*database);
}

}  // namespace

// --- writing ------------------------------------------------------------------------------------------------------

Attempt<HistoryStore> HistoryStore::begin(native::Database& database, const sync::HistoryDevice& device) {
  int64_t last = 0;
  int64_t last_ms = 0;
  auto read = for_each_row(database, "SELECT last, until_ms FROM history ORDER BY last DESC LIMIT 1",
                           [&](const native::Statement& row) {
                             last = row.integer(0);
                             last_ms = row.integer(1);
                           });
  if (!read) return std::unexpected(std::move(read.error()));
  const auto marks = read_marks(database);
  if (!marks) return std::unexpected(marks.error());
  const auto last_mark = marks->empty() ? std::nullopt : std::optional(marks->back());
  return HistoryStore(sync::HistoryRecorder(device, sync::HistoryPoint(last), TimestampMs{last_ms}, last_mark));
}

Attempt<void> HistoryStore::put(native::Database& database, const sync::PersistUpdate& update, TimestampMs now) {
  const auto row = recorder_.record(update, now);
  if (!row) return failure(ExitCode::Failed, "a change is too large for the history: " + describe(row.error()));
  if (row->mark) {
    if (auto marked = put_mark(database, *row->mark); !marked) return marked;
  }
  return run(database, kInsertBlock, int64_t(row->sequence), int64_t(row->sequence), std::string_view(row->doc),
             now.value(), ByteView(row->block));
}

Attempt<void> HistoryStore::adopt(native::Database& database, const sync::Replica& replica, TimestampMs now) {
  std::vector<std::string> known;
  auto read = for_each_row(database, "SELECT DISTINCT doc FROM history ORDER BY doc",
                           [&](const native::Statement& row) { known.push_back(row.text(0)); });
  if (!read) return read;
  std::optional<native::WriteTransaction> transaction;
  for (const std::string& doc : replica.documents()) {
    if (std::ranges::binary_search(known, doc)) continue;
    if (!transaction) {
      auto begun = native::WriteTransaction::begin(database);
      if (!begun) return store_failure(begun.error());
      transaction.emplace(std::move(*begun));
    }
    const sync::PersistUpdate base{doc, replica.document_state(doc), sync::HistoryOrigin::Base, {}};
    if (auto stored = put(database, base, now); !stored) return stored;
  }
  if (!transaction) return {};
  if (auto committed = transaction->commit(); !committed) return store_failure(committed.error());
  return {};
}

Attempt<void> HistoryStore::tidy(native::Database& database, TimestampMs now) {
  auto marks = read_marks(database);
  if (!marks) return std::unexpected(std::move(marks.error()));
  if (!marks->empty()) recorder_.set_last_mark(marks->back());
  const std::vector<sync::HistoryMark> dropped = sync::marks_to_drop(*marks, now);
  for (const sync::HistoryMark& mark : dropped) {
    auto gone = run(database, "DELETE FROM records WHERE key = ?", std::string_view(sync::mark_record_key(mark)));
    if (!gone) return gone;
    std::erase(*marks, mark);
  }
  std::vector<std::string> long_ones;
  auto read = for_each_row(
      database, "SELECT doc FROM history GROUP BY doc HAVING count(*) > ? LIMIT ?",
      [&](const native::Statement& row) { long_ones.push_back(row.text(0)); }, kManyBlocks, kFoldedAtOnce);
  if (!read) return read;
  for (const std::string& doc : long_ones) {
    if (auto folded = fold(database, doc, *marks, now); !folded) return folded;
  }
  return {};
}

Attempt<std::vector<HistoryRequest>> read_requests(native::Database& database) {
  std::vector<HistoryRequest> requests;
  auto read = for_each_row(database, "SELECT id, json FROM requests WHERE outcome IS NULL ORDER BY id",
                           [&](const native::Statement& row) {
                             auto restore = parse_restore(row.text(1));
                             requests.push_back({row.integer(0), restore ? *std::move(restore) : sync::RestoreFiles{}});
                           });
  if (!read) return std::unexpected(std::move(read.error()));
  return requests;
}

Attempt<void> finish_request(native::Database& database, int64_t id, std::string_view outcome) {
  return run(database, "UPDATE requests SET outcome = ? WHERE id = ?", outcome, id);
}

Attempt<void> store_mark(const std::string& state_path, const sync::HistoryMark& mark) {
  auto database = open_beside(state_path);
  if (!database) return std::unexpected(std::move(database.error()));
  bool taken = false;
  auto read = for_each_row(
      *database, "SELECT 1 FROM records WHERE key = ?", [&](const native::Statement&) { taken = true; },
      std::string_view(sync::mark_record_key(mark)));
  if (!read) return read;
  if (taken && mark.is_named()) {
    return failure(ExitCode::Failed,
                   "there is a snapshot called \"" + mark.name + "\" already; choose another name, or delete it first");
  }
  return put_mark(*database, mark);
}

Attempt<void> remove_mark(const std::string& state_path, const sync::HistoryMark& mark) {
  auto database = open_beside(state_path);
  if (!database) return std::unexpected(std::move(database.error()));
  return run(*database, "DELETE FROM records WHERE key = ?", std::string_view(sync::mark_record_key(mark)));
}

Attempt<int64_t> store_request(const std::string& state_path, const sync::RestoreFiles& restore) {
  auto database = open_beside(state_path);
  if (!database) return std::unexpected(std::move(database.error()));
  const std::string json = to_json(restore).dump();
  if (auto stored = run(*database, "INSERT INTO requests (json) VALUES (?)", std::string_view(json)); !stored)
    return std::unexpected(std::move(stored.error()));
  return database->last_insert_rowid();
}

Attempt<std::optional<std::string>> take_outcome(const std::string& state_path, int64_t id) {
  auto database = open_beside(state_path);
  if (!database) return std::unexpected(std::move(database.error()));
  std::optional<std::string> outcome;
  auto read = for_each_row(
      *database, "SELECT outcome FROM requests WHERE id = ? AND outcome IS NOT NULL",
      [&](const native::Statement& row) { outcome = row.text(0); }, id);
  if (!read) return std::unexpected(std::move(read.error()));
  if (outcome) {
    if (auto gone = run(*database, "DELETE FROM requests WHERE id = ?", id); !gone)
      return std::unexpected(std::move(gone.error()));
  }
  return outcome;
}

// --- reading ------------------------------------------------------------------------------------------------------

Attempt<HistoryReader> HistoryReader::open(const std::string& state_path) {
  auto database = native::Database::open_reader(state_path);
  if (!database && !database.error().is_missing()) return store_failure(database.error());
  bool has_table = false;
  if (database) {
    auto read = for_each_row(*database, "SELECT 1 FROM sqlite_master WHERE name = 'history'",
                             [&](const native::Statement&) { has_table = true; });
    if (!read) return std::unexpected(std::move(read.error()));
  }
  if (!has_table) {
    return failure(ExitCode::NotLinked,
                   "this folder has no history yet; it begins with the first sync: diaryx-sync sync");
  }
  HistoryReader reader(std::move(*database));
  if (auto loaded = reader.load("workspace"); !loaded) return std::unexpected(std::move(loaded.error()));
  return reader;
}

Attempt<void> HistoryReader::load(std::string_view doc) {
  if (std::ranges::find(loaded_, doc) != loaded_.end()) return {};
  loaded_.emplace_back(doc);
  return for_each_row(
      database_, "SELECT block FROM history WHERE doc = ? ORDER BY first",
      [&](const native::Statement& row) {
        if (!history_.add(doc, row.blob_view(0))) ++damaged_;
      },
      doc);
}

Attempt<void> HistoryReader::load_file(const std::string& path) {
  for (const std::string& doc : history_.documents_of(path)) {
    if (auto loaded = load(doc); !loaded) return loaded;
  }
  return {};
}

Attempt<void> HistoryReader::load_recent() {
  std::vector<std::string> docs;
  auto read = for_each_row(
      database_, "SELECT DISTINCT doc FROM (SELECT doc FROM history ORDER BY last DESC LIMIT ?)",
      [&](const native::Statement& row) { docs.push_back(row.text(0)); }, kRecentBlocks);
  if (!read) return read;
  for (const std::string& doc : docs) {
    if (auto loaded = load(doc); !loaded) return loaded;
  }
  return {};
}

Attempt<void> HistoryReader::load_newer(sync::HistoryPoint point) {
  const auto docs = newer_than(point);
  if (!docs) return std::unexpected(docs.error());
  for (const std::string& doc : *docs) {
    if (auto loaded = load(doc); !loaded) return loaded;
  }
  return {};
}

Attempt<std::vector<std::string>> HistoryReader::newer_than(sync::HistoryPoint point) {
  std::vector<std::string> docs;
  auto read = for_each_row(
      database_, "SELECT DISTINCT doc FROM history WHERE last > ?",
      [&](const native::Statement& row) { docs.push_back(row.text(0)); },
      int64_t(std::min<sync::HistoryPoint>(point, INT64_MAX)));
  if (!read) return std::unexpected(std::move(read.error()));
  return docs;
}

Attempt<void> HistoryReader::load_for(const sync::RestoreChoice& choice) {
  const auto newer = newer_than(choice.point);
  if (!newer) return std::unexpected(newer.error());
  for (const std::string& doc : sync::documents_for_restore(history_, choice, *newer)) {
    if (auto loaded = load(doc); !loaded) return loaded;
  }
  for (const std::string& path : choice.paths) {
    if (auto loaded = load_file(path); !loaded) return loaded;
  }
  return {};
}

Attempt<sync::HistoryPoint> HistoryReader::last() { return read_last(database_); }

Attempt<sync::HistoryPoint> HistoryReader::point_at(TimestampMs time) {
  // Blocks that end before the time count whole, those that end later are looked into.
  int64_t found = 0;
  auto read = for_each_row(
      database_, "SELECT coalesce(max(last), 0) FROM history WHERE until_ms <= ?",
      [&](const native::Statement& row) { found = row.integer(0); }, time.value());
  if (!read) return std::unexpected(std::move(read.error()));
  read = for_each_row(
      database_, "SELECT block FROM history WHERE until_ms > ? AND last > first",
      [&](const native::Statement& row) {
        const auto records = sync::decode_history_block(row.blob_view(0));
        if (!records) return;
        for (const sync::HistoryRecord& record : *records) {
          if (record.time <= time) found = std::max(found, int64_t(record.sequence));
        }
      },
      time.value());
  if (!read) return std::unexpected(std::move(read.error()));
  return static_cast<sync::HistoryPoint>(found);
}

Attempt<std::vector<sync::HistoryMark>> HistoryReader::marks() { return read_marks(database_); }

}  // namespace diaryx::client
