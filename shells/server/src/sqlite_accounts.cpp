// Users, their devices and tokens.
#include "sqlite_accounts.h"

#include "diaryx/native/random.h"
#include "sqlite_parts.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;
using native::Savepoint;

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

User user_in(const native::Statement& row) {
  return {row.text(0), row.text(1), row.integer(2) != 0, TimestampMs{row.integer(3)}};
}

/// `NotFound` unless the statement that just ran changed a row.
StorageResult<void> changed(const Database& database, const std::string& what) {
  if (database.changes() == 0) return std::unexpected(not_found(what));
  return {};
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

StorageResult<std::vector<Device>> live_devices(Database& database, const std::string& user_id, TimestampMs now) {
  std::vector<Device> devices;
  DX_SQL(auto* select, database.cached("SELECT id, name, last_seen_ms FROM devices WHERE user_id=?1 AND id IN (SELECT "
                                       "device_id FROM tokens WHERE expires_ms>?2) ORDER BY last_seen_ms DESC, id"));
  select->bind(1, user_id).bind(2, now.value());
  DX_SQL_VOID(select->for_each_row(
      [&](const auto& row) { devices.push_back({row.text(0), row.text(1), TimestampMs{row.integer(2)}}); }));
  return devices;
}

void SqliteAccounts::create_user(std::string email, TimestampMs now, Reply<User> reply) {
  threads_.write(std::move(reply), [email = std::move(email), now](Database& database) -> StorageResult<User> {
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

void SqliteAccounts::find_user(std::string email, Reply<User> reply) {
  threads_.read(std::move(reply), [email = std::move(email)](Database& database) -> StorageResult<User> {
    DX_SQL(auto* find, database.cached("SELECT id, email, owner, created_ms FROM users WHERE email=?"));
    DX_SQL(const bool found, find->bind(1, email).step());
    if (!found) return std::unexpected(not_found("no such user"));
    User user = user_in(*find);
    find->reset();
    return user;
  });
}

void SqliteAccounts::list_users(Reply<std::vector<User>> reply) {
  threads_.read(std::move(reply), [](Database& database) -> StorageResult<std::vector<User>> {
    std::vector<User> users;
    DX_SQL(auto* select, database.cached("SELECT id, email, owner, created_ms FROM users ORDER BY created_ms, id"));
    DX_SQL_VOID(select->for_each_row([&](const auto& row) { users.push_back(user_in(row)); }));
    return users;
  });
}

void SqliteAccounts::remove_user(std::string user_id, Reply<void> reply) {
  threads_.write(std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<void> {
    DX_SQL(auto* remove, database.cached("DELETE FROM users WHERE id=?"));
    DX_SQL_VOID(remove->bind(1, user_id).run());
    return changed(database, "no such user");
  });
}

void SqliteAccounts::set_owner(std::string user_id, Reply<void> reply) {
  threads_.write(std::move(reply), [user_id = std::move(user_id)](Database& database) -> StorageResult<void> {
    DX_SQL(auto* update,
           database.cached("UPDATE users SET owner=(id=?1) WHERE EXISTS(SELECT 1 FROM users WHERE id=?1)"));
    DX_SQL_VOID(update->bind(1, user_id).run());
    return changed(database, "no such user");
  });
}

void SqliteAccounts::find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) {
  threads_.read(std::move(reply), [token_hash, now](Database& database) -> StorageResult<Session> {
    DX_SQL(auto* find, database.cached("SELECT t.user_id, u.email, t.device_id, u.owner, t.expires_ms FROM tokens t "
                                       "JOIN users u ON u.id=t.user_id WHERE t.hash=? AND t.expires_ms>?"));
    DX_SQL(const bool found, find->bind(1, ByteView(token_hash.bytes)).bind(2, now.value()).step());
    if (!found) return std::unexpected(not_found("no such token"));
    Session session{find->text(0), find->text(1), find->text(2), find->integer(3) != 0, TimestampMs{find->integer(4)}};
    find->reset();
    return session;
  });
}

void SqliteAccounts::create_token(NewToken token, Reply<Session> reply) {
  threads_.write(std::move(reply),
                 [token = std::move(token)](Database& database) { return add_token(database, token); });
}

void SqliteAccounts::list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) {
  threads_.read(
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

void SqliteAccounts::remove_token(Sha256 token_hash, Reply<void> reply) {
  threads_.write(std::move(reply), [token_hash](Database& database) -> StorageResult<void> {
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

void SqliteAccounts::list_devices(std::string user_id, TimestampMs now, Reply<std::vector<Device>> reply) {
  threads_.read(std::move(reply),
                [user_id = std::move(user_id), now](Database& database) -> StorageResult<std::vector<Device>> {
                  return live_devices(database, user_id, now);
                });
}

void SqliteAccounts::touch_device(std::string device_id, TimestampMs now, Reply<void> reply) {
  threads_.write(std::move(reply), [device_id = std::move(device_id), now](Database& database) -> StorageResult<void> {
    DX_SQL(auto* update, database.cached("UPDATE devices SET last_seen_ms=max(last_seen_ms,?) WHERE id=?"));
    DX_SQL_VOID(update->bind(1, now.value()).bind(2, device_id).run());
    return {};
  });
}

void SqliteAccounts::rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) {
  threads_.write(std::move(reply),
                 [user_id = std::move(user_id), device_id = std::move(device_id),
                  name = std::move(name)](Database& database) -> StorageResult<void> {
                   DX_SQL(auto* update, database.cached("UPDATE devices SET name=? WHERE id=? AND user_id=?"));
                   DX_SQL_VOID(update->bind(1, name).bind(2, device_id).bind(3, user_id).run());
                   return changed(database, "no such device");
                 });
}

void SqliteAccounts::remove_device(std::string user_id, std::string device_id, Reply<void> reply) {
  threads_.write(
      std::move(reply),
      [user_id = std::move(user_id), device_id = std::move(device_id)](Database& database) -> StorageResult<void> {
        DX_SQL(auto* remove, database.cached("DELETE FROM devices WHERE id=? AND user_id=?"));
        DX_SQL_VOID(remove->bind(1, device_id).bind(2, user_id).run());
        return changed(database, "no such device");
      });
}

}  // namespace diaryx::server
