// The past of documents: every record that is kept, with its device and time.
#include "record_check.h"
#include "sqlite_storage.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

StorageError snapshot_damaged(const std::string& document) {
  return {StorageError::Kind::Damaged, "the snapshot of " + document + " is not what was written"};
}

StorageResult<DocumentPast> load_past(Database& database, const std::string& document, uint64_t max_bytes) {
  DocumentPast past;
  DX_SQL(auto* find,
         database.cached("SELECT d.id, d.snapshot, d.snapshot_check, d.snapshot_through, "
                         "coalesce(length(d.snapshot),0)+(SELECT coalesce(sum(length(data)),0) FROM updates "
                         "WHERE document_id=d.id) FROM documents d WHERE d.name=?"));
  DX_SQL(const bool found, find->bind(1, document).step());
  if (!found) return past;
  const int64_t id = find->integer(0);
  const bool too_much = static_cast<uint64_t>(find->integer(4)) > max_bytes;
  past.through = relay::Sequence{static_cast<uint64_t>(find->integer(3))};
  bool sound = true;
  if (!too_much && !find->is_null(1)) {
    past.snapshot = find->blob(1);
    sound = record_check(past.snapshot) == find->integer(2);
  }
  find->reset();
  if (too_much) return std::unexpected(StorageError{StorageError::Kind::TooMany, document + " has too long a past"});
  DX_SQL(auto* pruned, database.cached("SELECT 1 FROM facts WHERE name='pruned_through' AND value<>'0'"));
  DX_SQL(const bool may_lack_records, pruned->step());
  pruned->reset();
  past.begins_at_start = !may_lack_records;
  if (!sound) {
    // All records together are what it held; if some are gone, nobody knows what they held.
    if (may_lack_records) return std::unexpected(snapshot_damaged(document));
    past.snapshot.clear();
    past.through = relay::Sequence{};
  }
  DX_SQL(auto* select,
         database.cached(
             "SELECT u.sequence, u.time_ms, u.origin, u.device_id, coalesce(v.name,''), u.data, u.data_check "
             "FROM updates u LEFT JOIN devices v ON v.id=u.device_id WHERE u.document_id=? ORDER BY u.sequence"));
  select->bind(1, id);
  DX_SQL_VOID(select->for_each_row([&](const auto& row) {
    const bool damaged = record_check(row.blob_view(5)) != row.integer(6);
    past.records.push_back({.sequence = relay::Sequence{static_cast<uint64_t>(row.integer(0))},
                            .time = TimestampMs{row.integer(1)},
                            .origin = static_cast<relay::UpdateOrigin>(row.integer(2)),
                            .device_id = row.text(3),
                            .device_name = row.text(4),
                            .update = damaged ? Bytes() : row.blob(5),
                            .damaged = damaged});
  }));
  return past;
}

}  // namespace

void SqliteStorage::load_past(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) {
  threads_->read(std::move(reply),
                 [document = std::move(document), max_bytes](Database& database) -> StorageResult<DocumentPast> {
                   // One read transaction, as for load_document.
                   DX_SQL_VOID(database.execute("BEGIN"));
                   auto past = server::load_past(database, document, max_bytes);
                   DX_SQL_VOID(database.execute("ROLLBACK"));
                   return past;
                 });
}

void SqliteStorage::changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                      Reply<std::vector<ChangedDocument>> reply) {
  threads_->read(
      std::move(reply),
      [workspace = std::move(workspace), after,
       limit](Database& database) -> StorageResult<std::vector<ChangedDocument>> {
        DX_SQL(auto* select,
               database.cached("SELECT name, last FROM (SELECT d.name AS name, (SELECT max(u.sequence) FROM updates u "
                               "WHERE u.document_id=d.id) AS last FROM documents d WHERE d.workspace_id=?1) "
                               "WHERE last>?2 ORDER BY last DESC LIMIT ?3"));
        select->bind(1, workspace).bind(2, static_cast<int64_t>(after.value())).bind(3, static_cast<int64_t>(limit));
        std::vector<ChangedDocument> changed;
        DX_SQL_VOID(select->for_each_row([&](const auto& row) {
          changed.push_back({row.text(0), relay::Sequence{static_cast<uint64_t>(row.integer(1))}});
        }));
        return changed;
      });
}

}  // namespace diaryx::server
