// Documents: snapshots and the log of updates.
#include "record_check.h"
#include "sqlite_history.h"
#include "sqlite_parts.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

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

StorageResult<relay::Sequence> add_record(Database& database, const NewUpdate& update) {
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

StorageResult<StoredDocument> read_document(Database& database, const std::string& document) {
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

void SqliteDocuments::load(std::string document, Reply<StoredDocument> reply) {
  threads_.read(std::move(reply),
                [document = std::move(document)](Database& database) -> StorageResult<StoredDocument> {
                  // One read transaction: a snapshot stored between the two queries would otherwise not fit the records read after it.
                  DX_SQL_VOID(database.execute("BEGIN"));
                  auto stored = read_document(database, document);
                  DX_SQL_VOID(database.execute("ROLLBACK"));
                  return stored;
                });
}

void SqliteDocuments::append(NewUpdate update, Reply<relay::Sequence> reply) {
  threads_.write(std::move(reply),
                 [update = std::move(update)](Database& database) { return add_record(database, update); });
}

void SqliteDocuments::store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through,
                                     uint64_t epoch, Reply<void> reply) {
  threads_.write_behind(
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

void SqliteDocuments::list(std::string workspace, Reply<std::vector<std::string>> reply) {
  threads_.read(std::move(reply),
                [workspace = std::move(workspace)](Database& database) -> StorageResult<std::vector<std::string>> {
                  std::vector<std::string> names;
                  DX_SQL(auto* select,
                         database.cached("SELECT name FROM documents WHERE workspace_id=? ORDER BY name"));
                  select->bind(1, workspace);
                  DX_SQL_VOID(select->for_each_row([&](const auto& row) { names.push_back(row.text(0)); }));
                  return names;
                });
}

void SqliteDocuments::list_changes(std::string workspace, std::optional<relay::Sequence> since,
                                   Reply<ChangedDocuments> reply) {
  threads_.read(std::move(reply),
                [workspace = std::move(workspace), since](Database& database) -> StorageResult<ChangedDocuments> {
                  DX_SQL_VOID(database.execute("BEGIN"));
                  auto changed = changes_since(database, workspace, since);
                  DX_SQL_VOID(database.execute("ROLLBACK"));
                  return changed;
                });
}

}  // namespace diaryx::server
