// Documents: snapshots and the log of updates.
#include "sqlite_storage.h"

#include <algorithm>

#include "record_check.h"
#include "sqlite_schema.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

/// In KiB. What SQLite keeps of the file is a second copy of what the system keeps of it.
constexpr std::string_view kSmallCache = "PRAGMA cache_size=-512";

StorageError damaged(const std::string& document, relay::Sequence sequence) {
  return {StorageError::Kind::Damaged,
          "record " + std::to_string(sequence.value()) + " of " + document + " is not what was written"};
}

relay::Sequence sequence_of(int64_t value) { return relay::Sequence{static_cast<uint64_t>(value)}; }

StorageResult<int64_t> document_row(Database& database, const std::string& workspace, const std::string& document) {
  DX_SQL(auto* find, database.cached("SELECT id FROM documents WHERE name=?"));
  DX_SQL(const bool found, find->bind(1, document).step());
  if (found) {
    const int64_t id = find->integer(0);
    find->reset();
    return id;
  }
  find->reset();
  DX_SQL(auto* insert, database.cached("INSERT INTO documents(name, workspace_id) VALUES(?,?)"));
  if (auto inserted = insert->bind(1, document).bind(2, workspace).run(); !inserted) {
    if (inserted.error().is_constraint()) {
      return std::unexpected(StorageError{StorageError::Kind::NotFound, "no workspace " + workspace});
    }
    return std::unexpected(storage_error(inserted.error()));
  }
  return database.last_insert_rowid();
}

/// Asked inside the transaction that writes: who was overtaken stores nothing.
StorageResult<void> check_turn(Database& database, uint64_t epoch) {
  DX_SQL(auto* find, database.cached("SELECT epoch FROM writer"));
  DX_SQL(const bool found, find->step());
  const bool newest = found && static_cast<uint64_t>(find->integer(0)) == epoch;
  find->reset();
  if (!newest) return std::unexpected(StorageError{StorageError::Kind::Superseded, "another server took over"});
  return {};
}

StorageResult<relay::Sequence> append(Database& database, const NewUpdate& update) {
  if (auto turn = check_turn(database, update.epoch); !turn) return std::unexpected(turn.error());
  const auto document = document_row(database, update.workspace, update.document);
  if (!document) return std::unexpected(document.error());
  DX_SQL(auto* insert, database.cached("INSERT INTO updates(document_id, data, data_check, user_id, device_id, origin, "
                                       "time_ms) VALUES(?,?,?,?,?,?,?)"));
  insert->bind(1, *document).bind(2, ByteView(*update.bytes)).bind(3, record_check(*update.bytes));
  insert->bind(4, update.user_id).bind(5, update.device_id).bind(6, static_cast<int64_t>(update.origin));
  DX_SQL_VOID(insert->bind(7, update.time.value()).run());
  return sequence_of(database.last_insert_rowid());
}

StorageResult<StoredDocument> load(Database& database, const std::string& document) {
  StoredDocument stored;
  DX_SQL(auto* find,
         database.cached("SELECT id, snapshot, snapshot_check, snapshot_through FROM documents WHERE name=?"));
  DX_SQL(const bool found, find->bind(1, document).step());
  if (!found) return stored;
  const int64_t id = find->integer(0);
  stored.last = sequence_of(find->integer(3));
  if (!find->is_null(1)) {
    stored.snapshot = find->blob(1);
    if (record_check(stored.snapshot) != find->integer(2)) return std::unexpected(damaged(document, stored.last));
  }
  find->reset();
  DX_SQL(auto* select,
         database.cached("SELECT sequence, data, data_check FROM updates WHERE document_id=? AND sequence>? "
                         "ORDER BY sequence"));
  select->bind(1, id).bind(2, static_cast<int64_t>(stored.last.value()));
  while (true) {
    DX_SQL(const bool row, select->step());
    if (!row) break;
    stored.last = sequence_of(select->integer(0));
    if (record_check(select->blob_view(1)) != select->integer(2))
      return std::unexpected(damaged(document, stored.last));
    stored.updates.push_back(select->blob(1));
  }
  select->reset();
  return stored;
}

/// Up to where records may have been removed; a cursor before it would miss what they held.
StorageResult<int64_t> pruned_through(Database& database) {
  DX_SQL(auto* find, database.cached("SELECT CAST(value AS INTEGER) FROM facts WHERE name='pruned_through'"));
  DX_SQL(const bool found, find->step());
  const int64_t through = found ? find->integer(0) : 0;
  find->reset();
  return through;
}

struct OldRecords {
  int64_t through = 0;  // all of them up to here
  bool more = false;  // the walk ended for its length
};

/// Goes on from where the last walk ended, up to the first record that is young: each is looked at once in its life. A time that has
/// not come yet is wrong, and ends nothing.
StorageResult<OldRecords> walk_old_records(Database& database, TimestampMs before, TimestampMs now,
                                           uint32_t max_records) {
  const auto start = pruned_through(database);
  if (!start) return std::unexpected(start.error());
  OldRecords old{.through = *start};
  DX_SQL(auto* look, database.cached("SELECT sequence, time_ms FROM updates WHERE sequence>?1 AND time_ms<=?2 "
                                     "ORDER BY sequence LIMIT ?3"));
  look->bind(1, *start).bind(2, now.value()).bind(3, static_cast<int64_t>(max_records));
  uint32_t passed = 0;
  while (true) {
    DX_SQL(const bool found, look->step());
    if (!found || look->integer(1) >= before.value()) break;
    old.through = look->integer(0);
    ++passed;
  }
  look->reset();
  old.more = passed == max_records;
  return old;
}

StorageResult<Pruned> prune(Database& database, TimestampMs before, TimestampMs now, uint32_t max_records) {
  const auto old = walk_old_records(database, before, now, max_records);
  if (!old) return std::unexpected(old.error());
  DX_SQL(auto* note, database.cached("INSERT INTO facts VALUES('pruned_through', ?1) ON CONFLICT(name) DO UPDATE "
                                     "SET value=excluded.value WHERE value<>excluded.value"));
  DX_SQL_VOID(note->bind(1, std::to_string(old->through)).run());
  // By document, so that each row that is looked at is one to remove: the writers wait only for those. But for times that are wrong,
  // and for an age that was less before.
  DX_SQL(
      auto* remove,
      database.cached("DELETE FROM updates WHERE sequence IN (SELECT u.sequence FROM documents d CROSS JOIN updates u "
                      "ON u.document_id=d.id AND u.sequence<=min(d.snapshot_through,?1) AND u.time_ms<?2 LIMIT ?3)"));
  remove->bind(1, old->through).bind(2, before.value()).bind(3, static_cast<int64_t>(max_records));
  DX_SQL_VOID(remove->run());
  const auto removed = static_cast<uint64_t>(database.changes());
  return Pruned{.records = removed, .more = old->more || removed == max_records};
}

StorageResult<ChangedDocuments> changes_since(Database& database, const std::string& workspace,
                                              std::optional<relay::Sequence> since) {
  ChangedDocuments changed;
  DX_SQL(auto* newest, database.cached("SELECT seq FROM sqlite_sequence WHERE name='updates'"));
  DX_SQL(const bool any, newest->step());
  changed.through = sequence_of(any ? newest->integer(0) : 0);
  newest->reset();
  const auto pruned = pruned_through(database);
  if (!pruned) return std::unexpected(pruned.error());
  changed.known = since && *since <= changed.through && static_cast<int64_t>(since->value()) >= *pruned;
  if (!changed.known) return changed;
  // From the records on, not from the documents: an answer costs what happened since, however many notes there are.
  DX_SQL(auto* select,
         database.cached("SELECT DISTINCT d.name FROM updates u CROSS JOIN documents d ON d.id=u.document_id "
                         "WHERE u.sequence>? AND d.workspace_id=?"));
  select->bind(1, static_cast<int64_t>(since->value())).bind(2, workspace);
  DX_SQL_VOID(select->for_each_row([&](const auto& row) { changed.documents.push_back(row.text(0)); }));
  return changed;
}

}  // namespace

native::Outcome<std::unique_ptr<SqliteStorage>> SqliteStorage::open(const std::string& path, EmptyDatabase empty) {
  auto writer = Database::open(path, native::Durability::Full);
  if (!writer) {
    const auto& error = writer.error();
    if (error.os_error != 0 && !error.is_full())
      return native::os_problem("open", "the database " + path, error.os_error);
    return native::problem("the database " + path + " cannot be opened: " + error.message +
                           (error.is_full()      ? "; free some space"
                            : error.is_damaged() ? "; see diaryx-syncd doctor"
                                                 : ""));
  }
  if (auto prepared = prepare_schema(*writer, empty); !prepared)
    return native::problem("the database " + path + " " + prepared.error().sentence);
  auto reader = Database::open_reader(path);
  if (!reader) return native::problem("the database " + path + " cannot be read: " + reader.error().message);
  for (Database* const database : {&*writer, &*reader}) {
    if (auto bounded = database->execute(kSmallCache); !bounded)
      return native::problem("the database " + path + " cannot be set up: " + bounded.error().message);
  }
  auto threads = std::make_unique<SqliteThreads>(std::move(*writer), std::move(*reader));
  return std::unique_ptr<SqliteStorage>(new SqliteStorage(std::move(threads)));
}

SqliteStorage::SqliteStorage(std::unique_ptr<SqliteThreads> threads) : threads_(std::move(threads)) {}
SqliteStorage::~SqliteStorage() = default;

void SqliteStorage::take_over(Reply<uint64_t> reply) {
  threads_->write(std::move(reply), [](Database& database) -> StorageResult<uint64_t> {
    DX_SQL(auto* take, database.cached("UPDATE writer SET epoch=epoch+1 RETURNING epoch"));
    DX_SQL(const bool taken, take->step());
    const uint64_t epoch = taken ? static_cast<uint64_t>(take->integer(0)) : 0;
    take->reset();
    return epoch;
  });
}

void SqliteStorage::load_document(std::string document, Reply<StoredDocument> reply) {
  threads_->read(std::move(reply),
                 [document = std::move(document)](Database& database) -> StorageResult<StoredDocument> {
                   // One read transaction: a snapshot stored between the two queries would otherwise not fit the records read after it.
                   DX_SQL_VOID(database.execute("BEGIN"));
                   auto stored = load(database, document);
                   DX_SQL_VOID(database.execute("ROLLBACK"));
                   return stored;
                 });
}

void SqliteStorage::append_update(NewUpdate update, Reply<relay::Sequence> reply) {
  threads_->write(std::move(reply),
                  [update = std::move(update)](Database& database) { return append(database, update); });
}

void SqliteStorage::store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through,
                                   uint64_t epoch, Reply<void> reply) {
  threads_->write_behind(
      std::move(reply),
      [document = std::move(document), state = std::move(state), through,
       epoch](Database& database) -> StorageResult<void> {
        if (auto turn = check_turn(database, epoch); !turn) return turn;
        // An older snapshot never replaces a newer one.
        DX_SQL(auto* update, database.cached("UPDATE documents SET snapshot=?1, snapshot_check=?2, snapshot_through=?3 "
                                             "WHERE name=?4 AND snapshot_through<=?3"));
        update->bind(1, ByteView(*state)).bind(2, record_check(*state)).bind(3, static_cast<int64_t>(through.value()));
        DX_SQL_VOID(update->bind(4, document).run());
        return {};
      });
}

void SqliteStorage::list_documents(std::string workspace, Reply<std::vector<std::string>> reply) {
  threads_->read(std::move(reply),
                 [workspace = std::move(workspace)](Database& database) -> StorageResult<std::vector<std::string>> {
                   std::vector<std::string> names;
                   DX_SQL(auto* select,
                          database.cached("SELECT name FROM documents WHERE workspace_id=? ORDER BY name"));
                   select->bind(1, workspace);
                   DX_SQL_VOID(select->for_each_row([&](const auto& row) { names.push_back(row.text(0)); }));
                   return names;
                 });
}

void SqliteStorage::list_changes(std::string workspace, std::optional<relay::Sequence> since,
                                 Reply<ChangedDocuments> reply) {
  threads_->read(std::move(reply),
                 [workspace = std::move(workspace), since](Database& database) -> StorageResult<ChangedDocuments> {
                   DX_SQL_VOID(database.execute("BEGIN"));
                   auto changed = changes_since(database, workspace, since);
                   DX_SQL_VOID(database.execute("ROLLBACK"));
                   return changed;
                 });
}

void SqliteStorage::prune_history(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) {
  threads_->write(std::move(reply), [now, keep, max_records](Database& database) {
    return prune(database, now + DurationMs{-keep.value()}, now, max_records);
  });
}

void SqliteStorage::lineage(Reply<std::string> reply) {
  threads_->read(std::move(reply), [](Database& database) -> StorageResult<std::string> {
    DX_SQL(auto* find, database.cached("SELECT value FROM facts WHERE name='lineage'"));
    DX_SQL(const bool found, find->step());
    if (!found) return std::unexpected(StorageError{StorageError::Kind::Damaged, "the lineage is missing"});
    std::string value = find->text(0);
    find->reset();
    return value;
  });
}

void SqliteStorage::barrier(Reply<void> reply) {
  threads_->write(std::move(reply), [](Database&) -> StorageResult<void> { return {}; });
}

}  // namespace diaryx::server
