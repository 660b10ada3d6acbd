// The past of documents: every record that is kept, with its device and time.
#include "sqlite_history.h"

#include "record_check.h"
#include "sqlite_parts.h"
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
  const auto pruned = pruned_through(database);
  if (!pruned) return std::unexpected(pruned.error());
  past.begins_at_start = *pruned == 0;
  if (!sound) {
    // All records together are what it held; if some are gone, nobody knows what they held.
    if (!past.begins_at_start) return std::unexpected(snapshot_damaged(document));
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

StorageResult<Pruned> forget_records(Database& database, TimestampMs before, TimestampMs now, uint32_t max_records) {
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

}  // namespace

StorageResult<int64_t> pruned_through(Database& database) {
  DX_SQL(auto* find, database.cached("SELECT CAST(value AS INTEGER) FROM facts WHERE name='pruned_through'"));
  DX_SQL(const bool found, find->step());
  const int64_t through = found ? find->integer(0) : 0;
  find->reset();
  return through;
}

void SqliteHistory::load(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) {
  threads_.read(std::move(reply),
                [document = std::move(document), max_bytes](Database& database) -> StorageResult<DocumentPast> {
                  // One read transaction, as in SqliteDocuments::load.
                  DX_SQL_VOID(database.execute("BEGIN"));
                  auto past = load_past(database, document, max_bytes);
                  DX_SQL_VOID(database.execute("ROLLBACK"));
                  return past;
                });
}

void SqliteHistory::changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                      Reply<std::vector<ChangedDocument>> reply) {
  threads_.read(
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

void SqliteHistory::prune(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) {
  threads_.write(std::move(reply), [now, keep, max_records](Database& database) {
    return forget_records(database, now + DurationMs{-keep.value()}, now, max_records);
  });
}

}  // namespace diaryx::server
