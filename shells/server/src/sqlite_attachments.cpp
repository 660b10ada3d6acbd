// Records of uploads and blobs.
#include "sqlite_parts.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;
using native::Savepoint;

StorageResult<void> refer(Database& database, const Upload& upload, TimestampMs now) {
  DX_SQL(auto* insert, database.cached("INSERT INTO workspace_blobs(workspace_id, hash, size_bytes, mime_type, path, "
                                       "created_ms) VALUES(?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
                                       "mime_type=excluded.mime_type, path=excluded.path"));
  insert->bind(1, upload.workspace)
      .bind(2, ByteView(upload.hash.bytes))
      .bind(3, static_cast<int64_t>(upload.size_bytes));
  insert->bind(4, upload.mime_type).bind(5, upload.attachment_path).bind(6, now.value());
  if (auto inserted = insert->run(); !inserted) {
    if (inserted.error().is_constraint()) return std::unexpected(not_found("no workspace " + upload.workspace));
    return std::unexpected(storage_error(inserted.error()));
  }
  return {};
}

StorageResult<std::vector<uint32_t>> parts_of(Database& database, const std::string& upload_id) {
  std::vector<uint32_t> parts;
  DX_SQL(auto* select, database.cached("SELECT part FROM upload_parts WHERE upload_id=? ORDER BY part"));
  select->bind(1, upload_id);
  DX_SQL_VOID(select->for_each_row([&](const auto& row) { parts.push_back(static_cast<uint32_t>(row.integer(0))); }));
  return parts;
}

StorageResult<void> finish(Database& database, const Upload& upload, TimestampMs now) {
  DX_SQL(auto part, Savepoint::begin(database));
  DX_SQL(auto* add, database.cached("INSERT INTO blobs(user_id, hash, size_bytes, created_ms) VALUES(?,?,?,?) "
                                    "ON CONFLICT DO NOTHING"));
  add->bind(1, upload.user_id).bind(2, ByteView(upload.hash.bytes)).bind(3, static_cast<int64_t>(upload.size_bytes));
  DX_SQL_VOID(add->bind(4, now.value()).run());
  if (auto referred = refer(database, upload, now); !referred) return referred;
  DX_SQL(auto* complete, database.cached("UPDATE uploads SET completed=1 WHERE id=?"));
  DX_SQL_VOID(complete->bind(1, upload.id).run());
  DX_SQL_VOID(part.release());
  return {};
}

}  // namespace

void SqliteAttachments::create_upload(Upload upload, Reply<void> reply) {
  threads_.write(std::move(reply), [upload = std::move(upload)](Database& database) -> StorageResult<void> {
    DX_SQL(auto* insert, database.cached("INSERT INTO uploads(id, workspace_id, user_id, attachment_path, hash, "
                                         "size_bytes, mime_type, part_size, total_parts, expires_ms) "
                                         "VALUES(?,?,?,?,?,?,?,?,?,?)"));
    insert->bind(1, upload.id).bind(2, upload.workspace).bind(3, upload.user_id).bind(4, upload.attachment_path);
    insert->bind(5, ByteView(upload.hash.bytes)).bind(6, static_cast<int64_t>(upload.size_bytes));
    insert->bind(7, upload.mime_type).bind(8, static_cast<int64_t>(upload.part_size));
    insert->bind(9, static_cast<int64_t>(upload.total_parts)).bind(10, upload.expires.value());
    if (auto inserted = insert->run(); !inserted) {
      if (inserted.error().is_constraint()) return std::unexpected(not_found("no workspace " + upload.workspace));
      return std::unexpected(storage_error(inserted.error()));
    }
    return {};
  });
}

void SqliteAttachments::resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) {
  threads_.read(
      std::move(reply), [upload = std::move(upload), now](Database& database) mutable -> StorageResult<Upload> {
        DX_SQL(
            auto* find,
            database.cached("SELECT id, expires_ms FROM uploads WHERE expires_ms>? AND completed=0 AND workspace_id=? "
                            "AND user_id=? AND hash=? AND size_bytes=? AND part_size=? AND attachment_path=? "
                            "AND mime_type=? ORDER BY expires_ms DESC LIMIT 1"));
        find->bind(1, now.value()).bind(2, upload.workspace).bind(3, upload.user_id);
        find->bind(4, ByteView(upload.hash.bytes)).bind(5, static_cast<int64_t>(upload.size_bytes));
        find->bind(6, static_cast<int64_t>(upload.part_size)).bind(7, upload.attachment_path);
        DX_SQL(const bool found, find->bind(8, upload.mime_type).step());
        if (!found) return std::unexpected(not_found("no such upload"));
        upload.id = find->text(0);
        upload.expires = TimestampMs{find->integer(1)};
        find->reset();
        auto parts = parts_of(database, upload.id);
        if (!parts) return std::unexpected(parts.error());
        upload.parts = std::move(*parts);
        return upload;
      });
}

void SqliteAttachments::find_upload(std::string workspace, std::string id, Reply<Upload> reply) {
  threads_.read(std::move(reply),
                [workspace = std::move(workspace), id = std::move(id)](Database& database) -> StorageResult<Upload> {
                  DX_SQL(auto* find, database.cached("SELECT user_id, attachment_path, hash, size_bytes, mime_type, "
                                                     "part_size, total_parts, expires_ms, completed FROM uploads "
                                                     "WHERE id=? AND workspace_id=?"));
                  DX_SQL(const bool found, find->bind(1, id).bind(2, workspace).step());
                  if (!found) return std::unexpected(not_found("no upload " + id));
                  Upload upload{.id = id,
                                .workspace = workspace,
                                .user_id = find->text(0),
                                .attachment_path = find->text(1),
                                .hash = hash_in(find->blob_view(2)),
                                .size_bytes = static_cast<uint64_t>(find->integer(3)),
                                .mime_type = find->text(4),
                                .part_size = static_cast<uint64_t>(find->integer(5)),
                                .total_parts = static_cast<uint32_t>(find->integer(6)),
                                .expires = TimestampMs{find->integer(7)},
                                .completed = find->integer(8) != 0,
                                .parts = {}};
                  find->reset();
                  auto parts = parts_of(database, id);
                  if (!parts) return std::unexpected(parts.error());
                  upload.parts = std::move(*parts);
                  return upload;
                });
}

void SqliteAttachments::add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) {
  threads_.write(std::move(reply), [upload_id = std::move(upload_id), part](Database& database) -> StorageResult<void> {
    DX_SQL(auto* insert,
           database.cached("INSERT INTO upload_parts(upload_id, part) VALUES(?,?) ON CONFLICT DO NOTHING"));
    if (auto inserted = insert->bind(1, upload_id).bind(2, static_cast<int64_t>(part)).run(); !inserted) {
      if (inserted.error().is_constraint()) return std::unexpected(not_found("no upload " + upload_id));
      return std::unexpected(storage_error(inserted.error()));
    }
    return {};
  });
}

void SqliteAttachments::finish_upload(Upload upload, TimestampMs now, Reply<void> reply) {
  threads_.write(std::move(reply),
                 [upload = std::move(upload), now](Database& database) { return finish(database, upload, now); });
}

void SqliteAttachments::adopt_blob(Upload upload, TimestampMs now, Reply<void> reply) {
  threads_.write(std::move(reply), [upload = std::move(upload), now](Database& database) -> StorageResult<void> {
    DX_SQL(auto* find, database.cached("SELECT size_bytes FROM blobs WHERE user_id=? AND hash=?"));
    DX_SQL(const bool found, find->bind(1, upload.user_id).bind(2, ByteView(upload.hash.bytes)).step());
    const bool same_size = found && static_cast<uint64_t>(find->integer(0)) == upload.size_bytes;
    find->reset();
    if (!same_size) return std::unexpected(not_found("no such blob"));
    return refer(database, upload, now);
  });
}

void SqliteAttachments::find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) {
  threads_.read(std::move(reply), [workspace = std::move(workspace), hash](Database& database) -> StorageResult<Blob> {
    DX_SQL(auto* find,
           database.cached("SELECT size_bytes, mime_type FROM workspace_blobs WHERE workspace_id=? AND hash=?"));
    DX_SQL(const bool found, find->bind(1, workspace).bind(2, ByteView(hash.bytes)).step());
    if (!found) return std::unexpected(not_found("no such blob"));
    Blob blob{hash, static_cast<uint64_t>(find->integer(0)), find->text(1)};
    find->reset();
    return blob;
  });
}

void SqliteAttachments::use(std::string user_id, Reply<StorageUse> reply) {
  threads_.read(std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<StorageUse> {
    DX_SQL(auto* sum, database.cached("SELECT coalesce(sum(size_bytes),0), count(*) FROM blobs WHERE user_id=?"));
    DX_SQL(const bool row, sum->bind(1, user_id).step());
    StorageUse use;
    if (row) use = {static_cast<uint64_t>(sum->integer(0)), static_cast<uint64_t>(sum->integer(1)), 0};
    sum->reset();
    DX_SQL(auto* parts, database.cached("SELECT coalesce(sum(CASE WHEN p.part<u.total_parts THEN u.part_size "
                                        "ELSE u.size_bytes-u.part_size*(u.total_parts-1) END),0) "
                                        "FROM uploads u JOIN upload_parts p ON p.upload_id=u.id "
                                        "WHERE u.user_id=? AND u.completed=0"));
    DX_SQL(const bool any, parts->bind(1, user_id).step());
    if (any) use.unfinished_bytes = static_cast<uint64_t>(parts->integer(0));
    parts->reset();
    return use;
  });
}

void SqliteAttachments::review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before,
                                     Reply<BlobReview> reply) {
  threads_.read(
      std::move(reply), [after = std::move(after), limit, before](Database& database) -> StorageResult<BlobReview> {
        DX_SQL(auto* select,
               database.cached("SELECT b.user_id, b.hash, b.created_ms<?4 AND NOT EXISTS(SELECT 1 FROM workspaces s "
                               "JOIN workspace_blobs w ON w.workspace_id=s.id AND w.hash=b.hash "
                               "WHERE s.user_id=b.user_id) FROM blobs b WHERE (b.user_id, b.hash)>(?1, ?2) "
                               "ORDER BY b.user_id, b.hash LIMIT ?3"));
        select->bind(1, after ? after->user_id : std::string());
        select->bind(2, after ? ByteView(after->hash.bytes) : ByteView());
        select->bind(3, static_cast<int64_t>(limit)).bind(4, before.value());
        BlobReview review;
        DX_SQL_VOID(select->for_each_row([&](const auto& row) {
          review.last = BlobKey{row.text(0), hash_in(row.blob_view(1))};
          if (row.integer(2) != 0) review.unused.push_back(*review.last);
        }));
        return review;
      });
}

void SqliteAttachments::forget_blob(BlobKey blob, Reply<bool> reply) {
  threads_.write(std::move(reply), [blob = std::move(blob)](Database& database) -> StorageResult<bool> {
    DX_SQL(auto* remove,
           database.cached("DELETE FROM blobs WHERE user_id=?1 AND hash=?2 AND NOT EXISTS(SELECT 1 FROM workspaces s "
                           "JOIN workspace_blobs w ON w.workspace_id=s.id AND w.hash=?2 WHERE s.user_id=?1)"));
    DX_SQL_VOID(remove->bind(1, blob.user_id).bind(2, ByteView(blob.hash.bytes)).run());
    return database.changes() != 0;
  });
}

void SqliteAttachments::expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) {
  threads_.write(std::move(reply), [now](Database& database) -> StorageResult<std::vector<Upload>> {
    std::vector<Upload> expired;
    DX_SQL(auto* remove,
           database.cached("DELETE FROM uploads WHERE expires_ms<=? RETURNING id, workspace_id, user_id, completed"));
    remove->bind(1, now.value());
    DX_SQL_VOID(remove->for_each_row([&](const auto& row) {
      Upload upload;
      upload.id = row.text(0);
      upload.workspace = row.text(1);
      upload.user_id = row.text(2);
      upload.completed = row.integer(3) != 0;
      expired.push_back(std::move(upload));
    }));
    return expired;
  });
}

void SqliteAttachments::unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) {
  threads_.read(std::move(reply),
                [blobs = std::move(blobs)](Database& database) -> StorageResult<std::vector<BlobKey>> {
                  std::vector<BlobKey> unnamed;
                  DX_SQL(auto* find, database.cached("SELECT 1 FROM blobs WHERE user_id=? AND hash=?"));
                  for (const BlobKey& blob : blobs) {
                    DX_SQL(const bool found, find->bind(1, blob.user_id).bind(2, ByteView(blob.hash.bytes)).step());
                    if (!found) unnamed.push_back(blob);
                    find->reset();
                  }
                  return unnamed;
                });
}

void SqliteAttachments::unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) {
  threads_.read(std::move(reply),
                [ids = std::move(ids)](Database& database) -> StorageResult<std::vector<std::string>> {
                  std::vector<std::string> unnamed;
                  DX_SQL(auto* find, database.cached("SELECT 1 FROM uploads WHERE id=?"));
                  for (const std::string& id : ids) {
                    DX_SQL(const bool found, find->bind(1, id).step());
                    if (!found) unnamed.push_back(id);
                    find->reset();
                  }
                  return unnamed;
                });
}

}  // namespace diaryx::server
