// Looking at everything stored, a piece at a time.
#include "record_check.h"
#include "sqlite_schema.h"
#include "sqlite_storage.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

constexpr uint32_t kMaxRows = 1000;
/// A database up to here is looked at page by page too: that cannot be done in pieces, and others wait for it.
constexpr int64_t kSmallDatabaseBytes = 64 << 20;

StorageResult<bool> is_small(Database& database) {
  DX_SQL(auto* find, database.cached("SELECT page_count*page_size FROM pragma_page_count, pragma_page_size"));
  DX_SQL_VOID(find->step());
  const bool small = find->integer(0) <= kSmallDatabaseBytes;
  find->reset();
  return small;
}

StorageResult<void> review_pages(Database& database, StorageReview& review) {
  const auto small = is_small(database);
  if (!small) return std::unexpected(small.error());
  if (!*small) return {};
  DX_SQL(const std::string found, find_damaged_page(database));
  if (!found.empty()) review.damages.push_back("the database is damaged: " + found);
  return {};
}

StorageResult<std::string> document_name(Database& database, int64_t id) {
  DX_SQL(auto* find, database.cached("SELECT name FROM documents WHERE id=?"));
  DX_SQL(const bool found, find->bind(1, id).step());
  std::string name = found ? find->text(0) : std::string("a document that is gone");
  find->reset();
  return name;
}

/// Rows of (place, bytes, check, document); the reply says whether more of them follow.
StorageResult<bool> review_rows(Database& database, std::string_view sql, uint64_t max_bytes, ReviewPlace& place,
                                StorageReview& review) {
  DX_SQL(auto* select, database.cached(sql));
  select->bind(1, place.after).bind(2, static_cast<int64_t>(kMaxRows));
  uint64_t size_bytes = 0;
  for (uint32_t rows = 0; rows < kMaxRows && size_bytes < max_bytes; ++rows) {
    DX_SQL(const bool row, select->step());
    if (!row) return false;
    place.after = select->integer(0);
    const ByteView bytes = select->blob_view(1);
    size_bytes += bytes.size();
    if (select->is_null(1) || record_check(bytes) == select->integer(2)) continue;
    const auto name = document_name(database, select->integer(3));
    if (!name) return std::unexpected(name.error());
    const bool is_record = place.part == ReviewPlace::Part::Records;
    review.damages.push_back((is_record ? "record " + std::to_string(place.after) : std::string("the snapshot")) +
                             " of " + *name + " is not what was written");
  }
  return true;
}

StorageResult<StorageReview> review(Database& database, ReviewPlace place, uint64_t max_bytes) {
  StorageReview review;
  StorageResult<bool> more = false;
  switch (place.part) {
    case ReviewPlace::Part::Pages:
      if (auto done = review_pages(database, review); !done) more = std::unexpected(done.error());
      break;
    case ReviewPlace::Part::Snapshots:
      more =
          review_rows(database, "SELECT id, snapshot, snapshot_check, id FROM documents WHERE id>? ORDER BY id LIMIT ?",
                      max_bytes, place, review);
      break;
    case ReviewPlace::Part::Records:
      more = review_rows(database,
                         "SELECT sequence, data, data_check, document_id FROM updates WHERE sequence>? "
                         "ORDER BY sequence LIMIT ?",
                         max_bytes, place, review);
      break;
  }
  if (!more && more.error().kind != StorageError::Kind::Damaged) return std::unexpected(more.error());
  // What lies behind a damaged page is not reached; the next part is.
  if (!more) review.damages.push_back("the database is damaged: " + more.error().detail);
  if (more && *more) {
    review.next = place;
  } else if (place.part != ReviewPlace::Part::Records) {
    review.next = ReviewPlace{.part = static_cast<ReviewPlace::Part>(static_cast<uint8_t>(place.part) + 1)};
  }
  return review;
}

}  // namespace

void SqliteStorage::review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) {
  threads_->read(std::move(reply),
                 [place, max_bytes](Database& database) { return server::review(database, place, max_bytes); });
}

}  // namespace diaryx::server
