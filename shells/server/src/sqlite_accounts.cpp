// Users, devices, tokens and workspaces.
#include "sqlite_accounts.h"
#include "diaryx/native/random.h"
#include "sqlite_storage.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;
using native::Savepoint;

StorageError not_found(std::string what) { return {StorageError::Kind::NotFound, std::move(what)}; }

StorageError conflict_or(const native::SqliteError& error) {
  if (error.is_constraint()) return {StorageError::Kind::Conflict, error.message};
  return storage_error(error);
}

StorageResult<std::string> user_of(Database& database, const NewToken& token) {
  DX_SQL(auto* find, database.cached("SELECT id FROM users WHERE email=?"));
  DX_SQL(const bool found, find->bind(1, token.email).step());
  if (found) {
    std::string id = find->text(0);
    find->reset();
    return id;
  }
  find->reset();
  std::string id = native::uuid_v4();
  DX_SQL(auto* insert, database.cached("INSERT INTO users(id, email, created_ms, owner) "
                                       "VALUES(?,?,?,NOT EXISTS(SELECT 1 FROM users))"));
  DX_SQL_VOID(insert->bind(1, id).bind(2, token.email).bind(3, token.now.value()).run());
  return id;
}

}  // namespace

StorageResult<Session> add_token(Database& database, const NewToken& token) {
  DX_SQL(auto part, Savepoint::begin(database));
  const auto user = user_of(database, token);
  if (!user) return std::unexpected(user.error());
  const std::string device = native::uuid_v4();
  DX_SQL(auto* add_device,
         database.cached("INSERT INTO devices(id, user_id, name, created_ms, last_seen_ms) VALUES(?,?,?,?,?)"));
  add_device->bind(1, device).bind(2, *user).bind(3, token.device_name);
  DX_SQL_VOID(add_device->bind(4, token.now.value()).bind(5, token.now.value()).run());
  DX_SQL(auto* add, database.cached("INSERT INTO tokens(hash, user_id, device_id, created_ms, expires_ms) "
                                    "VALUES(?,?,?,?,?)"));
  add->bind(1, ByteView(token.token_hash.bytes)).bind(2, *user).bind(3, device);
  if (auto added = add->bind(4, token.now.value()).bind(5, token.expires.value()).run(); !added) {
    return std::unexpected(conflict_or(added.error()));
  }
  DX_SQL(auto* owner, database.cached("SELECT owner FROM users WHERE id=?"));
  DX_SQL(const bool known, owner->bind(1, *user).step());
  const bool is_owner = known && owner->integer(0) != 0;
  owner->reset();
  DX_SQL_VOID(part.release());
  return Session{*user, token.email, device, is_owner, token.expires};
}

void SqliteStorage::find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) {
  threads_->read(std::move(reply), [token_hash, now](Database& database) -> StorageResult<Session> {
    DX_SQL(auto* find, database.cached("SELECT t.user_id, u.email, t.device_id, u.owner, t.expires_ms FROM tokens t "
                                       "JOIN users u ON u.id=t.user_id WHERE t.hash=? AND t.expires_ms>?"));
    DX_SQL(const bool found, find->bind(1, ByteView(token_hash.bytes)).bind(2, now.value()).step());
    if (!found) return std::unexpected(not_found("no such token"));
    Session session{find->text(0), find->text(1), find->text(2), find->integer(3) != 0, TimestampMs{find->integer(4)}};
    find->reset();
    return session;
  });
}

void SqliteStorage::create_token(NewToken token, Reply<Session> reply) {
  threads_->write(std::move(reply),
                  [token = std::move(token)](Database& database) { return add_token(database, token); });
}

void SqliteStorage::touch_device(std::string device_id, TimestampMs now, Reply<void> reply) {
  threads_->write(std::move(reply), [device_id = std::move(device_id), now](Database& database) -> StorageResult<void> {
    DX_SQL(auto* update, database.cached("UPDATE devices SET last_seen_ms=max(last_seen_ms,?) WHERE id=?"));
    DX_SQL_VOID(update->bind(1, now.value()).bind(2, device_id).run());
    return {};
  });
}

void SqliteStorage::list_devices(std::string user_id, Reply<std::vector<Device>> reply) {
  threads_->read(
      std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<std::vector<Device>> {
        std::vector<Device> devices;
        DX_SQL(auto* select, database.cached("SELECT id, name, last_seen_ms FROM devices WHERE user_id=? "
                                             "ORDER BY last_seen_ms DESC, id"));
        select->bind(1, user_id);
        DX_SQL_VOID(select->for_each_row(
            [&](const auto& row) { devices.push_back({row.text(0), row.text(1), TimestampMs{row.integer(2)}}); }));
        return devices;
      });
}

void SqliteStorage::list_workspaces(std::string user_id, Reply<std::vector<Workspace>> reply) {
  threads_->read(
      std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<std::vector<Workspace>> {
        std::vector<Workspace> workspaces;
        DX_SQL(auto* select, database.cached("SELECT id, name FROM workspaces WHERE user_id=? "
                                             "ORDER BY created_ms, id"));
        select->bind(1, user_id);
        DX_SQL_VOID(select->for_each_row([&](const auto& row) { workspaces.push_back({row.text(0), row.text(1)}); }));
        return workspaces;
      });
}

void SqliteStorage::find_workspace(std::string user_id, std::string id, Reply<Workspace> reply) {
  threads_->read(std::move(reply),
                 [user_id = std::move(user_id), id = std::move(id)](Database& database) -> StorageResult<Workspace> {
                   DX_SQL(auto* find, database.cached("SELECT name FROM workspaces WHERE id=? AND user_id=?"));
                   DX_SQL(const bool found, find->bind(1, id).bind(2, user_id).step());
                   if (!found) return std::unexpected(not_found("no workspace " + id));
                   Workspace workspace{id, find->text(0)};
                   find->reset();
                   return workspace;
                 });
}

void SqliteStorage::create_workspace(std::string user_id, Workspace workspace, TimestampMs now,
                                     Reply<Workspace> reply) {
  threads_->write(std::move(reply),
                  [user_id = std::move(user_id), workspace = std::move(workspace),
                   now](Database& database) -> StorageResult<Workspace> {
                    DX_SQL(auto* insert,
                           database.cached("INSERT INTO workspaces(id, user_id, name, created_ms) VALUES(?,?,?,?)"));
                    insert->bind(1, workspace.id).bind(2, user_id).bind(3, workspace.name).bind(4, now.value());
                    if (auto inserted = insert->run(); !inserted) return std::unexpected(conflict_or(inserted.error()));
                    return workspace;
                  });
}

void SqliteStorage::rename_workspace(std::string user_id, Workspace workspace, Reply<Workspace> reply) {
  threads_->write(
      std::move(reply),
      [user_id = std::move(user_id), workspace = std::move(workspace)](Database& database) -> StorageResult<Workspace> {
        DX_SQL(auto* update, database.cached("UPDATE workspaces SET name=? WHERE id=? AND user_id=?"));
        update->bind(1, workspace.name).bind(2, workspace.id).bind(3, user_id);
        if (auto updated = update->run(); !updated) return std::unexpected(conflict_or(updated.error()));
        if (database.changes() == 0) return std::unexpected(not_found("no workspace " + workspace.id));
        return workspace;
      });
}

void SqliteStorage::remove_workspace(std::string user_id, std::string id, Reply<void> reply) {
  threads_->write(std::move(reply),
                  [user_id = std::move(user_id), id = std::move(id)](Database& database) -> StorageResult<void> {
                    DX_SQL(auto* remove, database.cached("DELETE FROM workspaces WHERE id=? AND user_id=?"));
                    DX_SQL_VOID(remove->bind(1, id).bind(2, user_id).run());
                    if (database.changes() == 0) return std::unexpected(not_found("no workspace " + id));
                    return {};
                  });
}

}  // namespace diaryx::server
