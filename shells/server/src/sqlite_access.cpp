// Signing in, share sessions, and whether access still holds.
#include "sqlite_accounts.h"
#include "sqlite_parts.h"
#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;
using native::Savepoint;
using Kind = StorageError::Kind;

constexpr int64_t kHourMs = 3'600'000;

StorageError refusal(Kind kind, std::string why) { return {kind, std::move(why)}; }

/// Empty if there is none.
StorageResult<std::string> user_id_of(Database& database, const std::string& email) {
  DX_SQL(auto* find, database.cached("SELECT id FROM users WHERE email=?"));
  DX_SQL(const bool found, find->bind(1, email).step());
  std::string id = found ? find->text(0) : std::string();
  find->reset();
  return id;
}

StorageResult<void> add_sign_in(Database& database, const NewSignIn& sign_in) {
  if (sign_in.max_per_hour != 0) {
    DX_SQL(auto* count, database.cached("SELECT count(*) FROM sign_ins WHERE email=? AND created_ms>?"));
    DX_SQL(const bool row, count->bind(1, sign_in.email).bind(2, sign_in.now.value() - kHourMs).step());
    const int64_t asked = row ? count->integer(0) : 0;
    count->reset();
    if (asked >= sign_in.max_per_hour) return std::unexpected(refusal(Kind::TooMany, "too many sign-ins"));
  }
  const auto user = user_id_of(database, sign_in.email);
  if (!user) return std::unexpected(user.error());
  if (user->empty() && !sign_in.new_users) return std::unexpected(refusal(Kind::NotFound, "no such user"));
  DX_SQL(auto* insert,
         database.cached("INSERT INTO sign_ins(link_hash, email, salt, code_hash, created_ms, expires_ms) "
                         "VALUES(?,?,?,?,?,?)"));
  insert->bind(1, ByteView(sign_in.link_hash.bytes)).bind(2, sign_in.email).bind(3, ByteView(sign_in.salt));
  insert->bind(4, ByteView(sign_in.code_hash.bytes)).bind(5, sign_in.now.value()).bind(6, sign_in.expires.value());
  DX_SQL_VOID(insert->run());
  return {};
}

/// Both have the length of a digest; every byte is looked at.
bool equal_in_constant_time(ByteView a, ByteView b) {
  if (a.size() != b.size()) return false;
  uint8_t difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference = static_cast<uint8_t>(difference | (a[i] ^ b[i]));
  return difference == 0;
}

struct OpenSignIn {
  Bytes link_hash;
  std::string email;
};

StorageResult<OpenSignIn> find_by_link(Database& database, const Sha256& link_hash, TimestampMs now) {
  DX_SQL(auto* find,
         database.cached("SELECT link_hash, email FROM sign_ins WHERE link_hash=? AND used=0 AND expires_ms>?"));
  DX_SQL(const bool found, find->bind(1, ByteView(link_hash.bytes)).bind(2, now.value()).step());
  if (!found) return std::unexpected(refusal(Kind::NotFound, "no such link"));
  OpenSignIn open{find->blob(0), find->text(1)};
  find->reset();
  return open;
}

/// Every try counts, right or wrong, before it is looked at.
StorageResult<OpenSignIn> find_by_code(Database& database, const SignInProof& proof, TimestampMs now) {
  DX_SQL(auto* count,
         database.cached("UPDATE sign_ins SET attempts=attempts+1 WHERE email=? AND used=0 AND expires_ms>?"));
  DX_SQL_VOID(count->bind(1, proof.email).bind(2, now.value()).run());
  DX_SQL(auto* select, database.cached("SELECT link_hash, salt, code_hash FROM sign_ins WHERE email=? AND used=0 AND "
                                       "expires_ms>? AND attempts<=?"));
  select->bind(1, proof.email).bind(2, now.value()).bind(3, static_cast<int64_t>(kMaxCodeAttempts));
  Bytes matching;
  DX_SQL_VOID(select->for_each_row([&](const auto& row) {
    const Sha256 given = hash_code(row.blob_view(1), proof.code);
    if (equal_in_constant_time(ByteView(given.bytes), row.blob_view(2))) matching = row.blob(0);
  }));
  if (matching.empty()) return std::unexpected(refusal(Kind::NotFound, "wrong code"));
  return OpenSignIn{std::move(matching), proof.email};
}

StorageResult<void> remove_device_of(Database& database, const std::string& user_id, const std::string& device) {
  DX_SQL(auto* remove, database.cached("DELETE FROM devices WHERE id=? AND user_id=?"));
  DX_SQL_VOID(remove->bind(1, device).bind(2, user_id).run());
  if (database.changes() == 0) return std::unexpected(refusal(Kind::Conflict, "no such device to replace"));
  return {};
}

StorageResult<SignedIn> exchange(Database& database, const Redemption& redemption, const OpenSignIn& open) {
  DX_SQL(auto part, Savepoint::begin(database));
  const auto user = user_id_of(database, open.email);
  if (!user) return std::unexpected(user.error());
  if (!redemption.replace_device.empty()) {
    if (auto removed = remove_device_of(database, *user, redemption.replace_device); !removed)
      return std::unexpected(removed.error());
  }
  auto devices = live_devices(database, *user, redemption.token.now);
  if (!devices) return std::unexpected(devices.error());
  if (redemption.max_devices != 0 && devices->size() >= redemption.max_devices) {
    return SignedIn{std::nullopt, std::move(*devices)};
  }
  NewToken token = redemption.token;
  token.email = open.email;
  auto session = add_token(database, token);
  if (!session) return std::unexpected(session.error());
  DX_SQL(auto* use, database.cached("UPDATE sign_ins SET used=1 WHERE link_hash=?"));
  DX_SQL_VOID(use->bind(1, ByteView(open.link_hash)).run());
  DX_SQL_VOID(part.release());
  return SignedIn{std::move(*session), {}};
}

StorageResult<Share> read_share(Database& database, const Sha256& code_hash) {
  DX_SQL(auto* find, database.cached("SELECT s.workspace_id, w.user_id, s.read_only FROM shares s JOIN workspaces w ON "
                                     "w.id=s.workspace_id WHERE s.code_hash=?"));
  DX_SQL(const bool found, find->bind(1, ByteView(code_hash.bytes)).step());
  if (!found) return std::unexpected(refusal(Kind::NotFound, "no such share"));
  Share share{code_hash, find->text(0), find->text(1), find->integer(2) != 0};
  find->reset();
  return share;
}

StorageResult<Share> read_share_of(Database& database, const std::string& owner_id, const Sha256& code_hash) {
  auto share = read_share(database, code_hash);
  if (share && share->owner_id != owner_id) return std::unexpected(refusal(Kind::NotFound, "not this owner's share"));
  return share;
}

StorageResult<AccessState> state_of(Database& database, const AccessKey& key, TimestampMs now) {
  if (key.kind == AccessKey::Kind::Share) {
    const auto share = read_share(database, key.hash);
    if (share) return AccessState{true, share->read_only};
    if (share.error().kind == Kind::NotFound) return AccessState{};
    return std::unexpected(share.error());
  }
  DX_SQL(auto* find, database.cached("SELECT 1 FROM tokens WHERE hash=? AND expires_ms>?"));
  DX_SQL(const bool found, find->bind(1, ByteView(key.hash.bytes)).bind(2, now.value()).step());
  find->reset();
  return AccessState{found, false};
}

}  // namespace

void SqliteAccess::create_sign_in(NewSignIn sign_in, Reply<void> reply) {
  threads_.write(std::move(reply),
                 [sign_in = std::move(sign_in)](Database& database) { return add_sign_in(database, sign_in); });
}

void SqliteAccess::redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) {
  threads_.write(std::move(reply), [redemption = std::move(redemption)](Database& database) -> StorageResult<SignedIn> {
    const auto& proof = redemption.proof;
    const auto open = proof.link_hash ? find_by_link(database, *proof.link_hash, redemption.token.now)
                                      : find_by_code(database, proof, redemption.token.now);
    if (!open) return std::unexpected(open.error());
    return exchange(database, redemption, *open);
  });
}

void SqliteAccess::create_share(Share share, TimestampMs now, Reply<void> reply) {
  threads_.write(std::move(reply), [share = std::move(share), now](Database& database) -> StorageResult<void> {
    DX_SQL(auto* insert, database.cached("INSERT INTO shares(code_hash, workspace_id, read_only, created_ms) "
                                         "SELECT ?1, id, ?3, ?4 FROM workspaces WHERE id=?2 AND user_id=?5"));
    insert->bind(1, ByteView(share.code_hash.bytes)).bind(2, share.workspace).bind(3, int64_t{share.read_only});
    DX_SQL_VOID(insert->bind(4, now.value()).bind(5, share.owner_id).run());
    if (database.changes() == 0) return std::unexpected(refusal(Kind::NotFound, "not this owner's workspace"));
    return {};
  });
}

void SqliteAccess::find_share(Sha256 code_hash, Reply<Share> reply) {
  threads_.read(std::move(reply), [code_hash](Database& database) { return read_share(database, code_hash); });
}

void SqliteAccess::change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) {
  threads_.write(std::move(reply),
                 [owner_id = std::move(owner_id), code_hash, read_only](Database& database) -> StorageResult<Share> {
                   auto share = read_share_of(database, owner_id, code_hash);
                   if (!share) return share;
                   DX_SQL(auto* update, database.cached("UPDATE shares SET read_only=? WHERE code_hash=?"));
                   DX_SQL_VOID(update->bind(1, int64_t{read_only}).bind(2, ByteView(code_hash.bytes)).run());
                   share->read_only = read_only;
                   return share;
                 });
}

void SqliteAccess::remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) {
  threads_.write(std::move(reply),
                 [owner_id = std::move(owner_id), code_hash](Database& database) -> StorageResult<Share> {
                   auto share = read_share_of(database, owner_id, code_hash);
                   if (!share) return share;
                   DX_SQL(auto* remove, database.cached("DELETE FROM shares WHERE code_hash=?"));
                   DX_SQL_VOID(remove->bind(1, ByteView(code_hash.bytes)).run());
                   return share;
                 });
}

void SqliteAccess::epoch(Reply<uint64_t> reply) {
  threads_.read(std::move(reply), [](Database& database) -> StorageResult<uint64_t> {
    DX_SQL(auto* find, database.cached("SELECT epoch FROM access"));
    DX_SQL(const bool found, find->step());
    const uint64_t epoch = found ? static_cast<uint64_t>(find->integer(0)) : 0;
    find->reset();
    return epoch;
  });
}

void SqliteAccess::check(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) {
  threads_.read(std::move(reply),
                [keys = std::move(keys), now](Database& database) -> StorageResult<std::vector<AccessState>> {
                  std::vector<AccessState> states;
                  states.reserve(keys.size());
                  for (const AccessKey& key : keys) {
                    auto state = state_of(database, key, now);
                    if (!state) return std::unexpected(state.error());
                    states.push_back(*state);
                  }
                  return states;
                });
}

void SqliteAccess::expire(TimestampMs now, Reply<void> reply) {
  threads_.write(std::move(reply), [now](Database& database) -> StorageResult<void> {
    DX_SQL(auto* tokens, database.cached("DELETE FROM tokens WHERE expires_ms<=?"));
    DX_SQL_VOID(tokens->bind(1, now.value()).run());
    // Kept for an hour, because they are counted.
    DX_SQL(auto* sign_ins, database.cached("DELETE FROM sign_ins WHERE expires_ms<=?1 AND created_ms<=?1-3600000"));
    DX_SQL_VOID(sign_ins->bind(1, now.value()).run());
    return {};
  });
}

}  // namespace diaryx::server
