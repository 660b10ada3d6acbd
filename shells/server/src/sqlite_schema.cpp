#include "sqlite_schema.h"

namespace diaryx::server {
namespace {

constexpr int64_t kSchemaVersion = 2;

// Times are Unix milliseconds. `updates.sequence` is AUTOINCREMENT because a snapshot remembers the sequence it covers:
// a number that was used again after old records were removed would hide a new record behind an old snapshot.
constexpr const char* kCreate = R"sql(
CREATE TABLE users(
  id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL) STRICT;
CREATE TABLE devices(
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, name TEXT NOT NULL,
  created_ms INTEGER NOT NULL, last_seen_ms INTEGER NOT NULL) STRICT;
CREATE INDEX devices_of_user ON devices(user_id);
CREATE TABLE tokens(
  hash BLOB PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  device_id TEXT NOT NULL REFERENCES devices ON DELETE CASCADE,
  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE workspaces(
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, name TEXT NOT NULL,
  created_ms INTEGER NOT NULL, UNIQUE(user_id, name)) STRICT;
CREATE TABLE documents(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
  snapshot BLOB, snapshot_check INTEGER, snapshot_through INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX documents_of_workspace ON documents(workspace_id);
CREATE TABLE updates(
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  document_id INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
  data BLOB NOT NULL, data_check INTEGER NOT NULL,
  user_id TEXT NOT NULL, device_id TEXT NOT NULL, origin INTEGER NOT NULL, time_ms INTEGER NOT NULL) STRICT;
CREATE INDEX updates_of_document ON updates(document_id, sequence);
CREATE TABLE blobs(
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, hash BLOB NOT NULL, size_bytes INTEGER NOT NULL,
  created_ms INTEGER NOT NULL, PRIMARY KEY(user_id, hash)) STRICT, WITHOUT ROWID;
CREATE TABLE workspace_blobs(
  workspace_id TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE, hash BLOB NOT NULL,
  size_bytes INTEGER NOT NULL, mime_type TEXT NOT NULL, path TEXT NOT NULL, created_ms INTEGER NOT NULL,
  PRIMARY KEY(workspace_id, hash)) STRICT, WITHOUT ROWID;
CREATE TABLE uploads(
  id TEXT PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
  user_id TEXT NOT NULL, attachment_path TEXT NOT NULL, hash BLOB NOT NULL, size_bytes INTEGER NOT NULL,
  mime_type TEXT NOT NULL, part_size INTEGER NOT NULL, total_parts INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL, completed INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE INDEX uploads_by_expiry ON uploads(expires_ms);
CREATE TABLE upload_parts(
  upload_id TEXT NOT NULL REFERENCES uploads ON DELETE CASCADE, part INTEGER NOT NULL,
  PRIMARY KEY(upload_id, part)) STRICT, WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

// Version 2: the owner, signing in, share sessions, the lineage.
// The triggers count what ends access, whoever ends it: a second program on the same file, a cascade, a person with sqlite3.
constexpr const char* kSecond = R"sql(
ALTER TABLE users ADD COLUMN owner INTEGER NOT NULL DEFAULT 0;
UPDATE users SET owner=1 WHERE id=(SELECT id FROM users ORDER BY created_ms, id LIMIT 1);
CREATE TABLE sign_ins(
  link_hash BLOB PRIMARY KEY, email TEXT NOT NULL, salt BLOB NOT NULL, code_hash BLOB NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0,
  created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX sign_ins_of_address ON sign_ins(email, created_ms);
CREATE TABLE shares(
  code_hash BLOB PRIMARY KEY, workspace_id TEXT NOT NULL REFERENCES workspaces ON DELETE CASCADE,
  read_only INTEGER NOT NULL, created_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX shares_of_workspace ON shares(workspace_id);
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO facts VALUES('lineage', lower(hex(randomblob(16))));
CREATE TABLE access(epoch INTEGER NOT NULL) STRICT;
INSERT INTO access VALUES(1);
CREATE TABLE writer(epoch INTEGER NOT NULL) STRICT;
INSERT INTO writer VALUES(0);
CREATE TRIGGER token_ended AFTER DELETE ON tokens BEGIN UPDATE access SET epoch=epoch+1; END;
CREATE TRIGGER share_ended AFTER DELETE ON shares BEGIN UPDATE access SET epoch=epoch+1; END;
CREATE TRIGGER share_changed AFTER UPDATE ON shares BEGIN UPDATE access SET epoch=epoch+1; END;
CREATE TRIGGER workspace_ended AFTER DELETE ON workspaces BEGIN UPDATE access SET epoch=epoch+1; END;
PRAGMA user_version = 2;
)sql";

}  // namespace

native::SqliteResult<Schema> look_at_schema(native::Database& database) {
  auto version = database.prepare("PRAGMA user_version");
  if (!version) return std::unexpected(version.error());
  if (auto row = version->step(); !row) return std::unexpected(row.error());
  const int64_t found = version->integer(0);
  if (found > kSchemaVersion) return Schema{Schema::Kind::Newer, found};
  auto tables = database.prepare(
      "SELECT count(*), sum(name IN ('users','tokens','workspaces','documents','updates','blobs')) FROM sqlite_master");
  if (!tables) return std::unexpected(tables.error());
  if (auto row = tables->step(); !row) return std::unexpected(row.error());
  if (found == 0 && tables->integer(0) == 0) return Schema{Schema::Kind::Empty, found};
  const bool ours = found != 0 && tables->integer(1) == 6;
  return Schema{ours ? Schema::Kind::Ours : Schema::Kind::Foreign, found};
}

native::SqliteResult<std::string> find_damaged_page(native::Database& database) {
  auto check = database.prepare("PRAGMA quick_check(1)");
  if (!check) return std::unexpected(check.error());
  if (const auto row = check->step(); !row) return std::unexpected(row.error());
  const std::string found = check->text(0);
  if (found == "ok") return std::string();
  return found.substr(found.rfind('\n') + 1);  // "*** in database main ***" comes first
}

native::Outcome<void> prepare_schema(native::Database& database, EmptyDatabase empty) {
  const auto sentence = [](const native::SqliteError& error) {
    return native::problem("cannot be used: " + error.message);
  };
  // Taken before looking, so that two processes that start together do not both create.
  auto transaction = native::WriteTransaction::begin(database);
  if (!transaction) return sentence(transaction.error());
  const auto schema = look_at_schema(database);
  if (!schema) return sentence(schema.error());
  if (schema->kind == Schema::Kind::Newer) return native::problem(std::string(kMadeByNewer));
  if (schema->kind == Schema::Kind::Foreign)
    return native::problem(std::string(kNotOurs) + std::string(kRestoreOrBeginAnew));
  if (schema->kind == Schema::Kind::Empty && empty == EmptyDatabase::Refused)
    return native::problem("is empty, and this folder has held a server" + std::string(kRestoreOrBeginAnew));
  if (schema->version == 0) {
    if (auto created = database.execute(kCreate); !created) return sentence(created.error());
  }
  if (schema->version < 2) {
    if (auto upgraded = database.execute(kSecond); !upgraded) return sentence(upgraded.error());
  }
  if (auto committed = transaction->commit(); !committed) return sentence(committed.error());
  return {};
}

}  // namespace diaryx::server
