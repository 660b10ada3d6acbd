// Users, their devices and tokens, as people manage them.
#include <algorithm>

#include "diaryx/native/random.h"
#include "sqlite_storage.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

StorageError not_found(std::string what) { return {StorageError::Kind::NotFound, std::move(what)}; }

User user_in(const native::Statement& row) {
  return {row.text(0), row.text(1), row.integer(2) != 0, TimestampMs{row.integer(3)}};
}

/// `NotFound` unless the statement that just ran changed a row.
StorageResult<void> changed(const Database& database, const std::string& what) {
  if (database.changes() == 0) return std::unexpected(not_found(what));
  return {};
}

Sha256 hash_in(ByteView bytes) {
  Sha256 hash;
  if (bytes.size() == hash.bytes.size()) std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
  return hash;
}

}  // namespace

void SqliteStorage::create_user(std::string email, TimestampMs now, Reply<User> reply) {
  threads_->write(std::move(reply), [email = std::move(email), now](Database& database) -> StorageResult<User> {
    const std::string id = native::uuid_v4();
    DX_SQL(auto* insert, database.cached("INSERT INTO users(id, email, created_ms, owner) "
                                         "VALUES(?,?,?,NOT EXISTS(SELECT 1 FROM users)) RETURNING owner"));
    const auto row = insert->bind(1, id).bind(2, email).bind(3, now.value()).step();
    if (!row) {
      if (row.error().is_constraint()) {
        return std::unexpected(StorageError{StorageError::Kind::Conflict, "the address is taken"});
      }
      return std::unexpected(storage_error(row.error()));
    }
    const bool owner = insert->integer(0) != 0;
    insert->reset();
    return User{id, email, owner, now};
  });
}

void SqliteStorage::find_user(std::string email, Reply<User> reply) {
  threads_->read(std::move(reply), [email = std::move(email)](Database& database) -> StorageResult<User> {
    DX_SQL(auto* find, database.cached("SELECT id, email, owner, created_ms FROM users WHERE email=?"));
    DX_SQL(const bool found, find->bind(1, email).step());
    if (!found) return std::unexpected(not_found("no such user"));
    User user = user_in(*find);
    find->reset();
    return user;
  });
}

void SqliteStorage::list_users(Reply<std::vector<User>> reply) {
  threads_->read(std::move(reply), [](Database& database) -> StorageResult<std::vector<User>> {
    std::vector<User> users;
    DX_SQL(auto* select, database.cached("SELECT id, email, owner, created_ms FROM users ORDER BY created_ms, id"));
    DX_SQL_VOID(select->for_each_row([&](const auto& row) { users.push_back(user_in(row)); }));
    return users;
  });
}

void SqliteStorage::remove_user(std::string user_id, Reply<void> reply) {
  threads_->write(std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<void> {
    DX_SQL(auto* remove, database.cached("DELETE FROM users WHERE id=?"));
    DX_SQL_VOID(remove->bind(1, user_id).run());
    return changed(database, "no such user");
  });
}

void SqliteStorage::set_owner(std::string user_id, Reply<void> reply) {
  threads_->write(std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<void> {
    DX_SQL(auto* update,
           database.cached("UPDATE users SET owner=(id=?1) WHERE EXISTS(SELECT 1 FROM users WHERE id=?1)"));
    DX_SQL_VOID(update->bind(1, user_id).run());
    return changed(database, "no such user");
  });
}

void SqliteStorage::rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) {
  threads_->write(std::move(reply),
                  [user_id = std::move(user_id), device_id = std::move(device_id),
                   name = std::move(name)](Database& database) -> StorageResult<void> {
                    DX_SQL(auto* update, database.cached("UPDATE devices SET name=? WHERE id=? AND user_id=?"));
                    DX_SQL_VOID(update->bind(1, name).bind(2, device_id).bind(3, user_id).run());
                    return changed(database, "no such device");
                  });
}

void SqliteStorage::remove_device(std::string user_id, std::string device_id, Reply<void> reply) {
  threads_->write(
      std::move(reply),
      [user_id = std::move(user_id), device_id = std::move(device_id)](Database& database) -> StorageResult<void> {
        DX_SQL(auto* remove, database.cached("DELETE FROM devices WHERE id=? AND user_id=?"));
        DX_SQL_VOID(remove->bind(1, device_id).bind(2, user_id).run());
        return changed(database, "no such device");
      });
}

void SqliteStorage::list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) {
  threads_->read(
      std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<std::vector<TokenEntry>> {
        std::vector<TokenEntry> tokens;
        DX_SQL(auto* select,
               database.cached("SELECT t.hash, u.email, d.id, d.name, t.created_ms, t.expires_ms FROM tokens t JOIN "
                               "users u ON u.id=t.user_id JOIN devices d ON d.id=t.device_id WHERE ?1='' OR "
                               "t.user_id=?1 ORDER BY t.created_ms DESC, t.hash"));
        select->bind(1, user_id);
        DX_SQL_VOID(select->for_each_row([&](const auto& row) {
          tokens.push_back({hash_in(row.blob_view(0)), row.text(1), row.text(2), row.text(3),
                            TimestampMs{row.integer(4)}, TimestampMs{row.integer(5)}});
        }));
        return tokens;
      });
}

void SqliteStorage::remove_token(Sha256 token_hash, Reply<void> reply) {
  threads_->write(std::move(reply), [token_hash](Database& database) -> StorageResult<void> {
    DX_SQL(auto* remove, database.cached("DELETE FROM tokens WHERE hash=? RETURNING device_id"));
    DX_SQL(const bool found, remove->bind(1, ByteView(token_hash.bytes)).step());
    if (!found) return std::unexpected(not_found("no such token"));
    const std::string device = remove->text(0);
    remove->reset();
    DX_SQL(auto* forget, database.cached("DELETE FROM devices WHERE id=?1 AND NOT EXISTS(SELECT 1 FROM tokens WHERE "
                                         "device_id=?1)"));
    DX_SQL_VOID(forget->bind(1, device).run());
    return {};
  });
}

}  // namespace diaryx::server
