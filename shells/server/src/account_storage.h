// Users, their devices, and the tokens that these sign in with.
#pragma once

#include <string>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "storage_result.h"

namespace diaryx::server {

/// Who a token stands for.
struct Session {
  std::string user_id;
  std::string email;
  std::string device_id;
  bool owner = false;  // of the server: the first user
  TimestampMs expires;
};

struct User {
  std::string id;
  std::string email;  // lower case
  bool owner = false;
  TimestampMs created;
};

struct Device {
  std::string id;
  std::string name;  // may be empty
  TimestampMs last_seen;
};

/// A new token: only its hash is stored.
struct NewToken {
  std::string email;  // lower case; an unknown one makes a new user
  Sha256 token_hash;
  std::string device_name;
  TimestampMs now;
  TimestampMs expires;
};

/// A token as lists show it: enough to choose one, nothing to sign in with.
struct TokenEntry {
  Sha256 hash;
  std::string email;
  std::string device_id;
  std::string device_name;
  TimestampMs created;
  TimestampMs expires;
};

class AccountStorage {
 public:
  virtual ~AccountStorage() = default;

  // Users.
  /// Conflict: the address is taken. The first user is the owner of the server.
  virtual void create_user(std::string email, TimestampMs now, Reply<User> reply) = 0;
  virtual void find_user(std::string email, Reply<User> reply) = 0;
  /// Oldest first.
  virtual void list_users(Reply<std::vector<User>> reply) = 0;
  /// With devices, tokens, workspaces and all they hold. The bytes of attachments are the caller's to remove.
  virtual void remove_user(std::string user_id, Reply<void> reply) = 0;
  /// The server has one owner; this user becomes it. NotFound.
  virtual void set_owner(std::string user_id, Reply<void> reply) = 0;

  // Tokens.
  /// NotFound: unknown or expired.
  virtual void find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) = 0;
  virtual void create_token(NewToken token, Reply<Session> reply) = 0;
  /// Of one user, or of all when `user_id` is empty. Newest first.
  virtual void list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) = 0;
  /// Its device goes too when this was its last token.
  virtual void remove_token(Sha256 token_hash, Reply<void> reply) = 0;

  // Devices.
  /// Those that can still sign in, the one seen last first. The history knows the others' names.
  virtual void list_devices(std::string user_id, TimestampMs now, Reply<std::vector<Device>> reply) = 0;
  virtual void touch_device(std::string device_id, TimestampMs now, Reply<void> reply) = 0;
  virtual void rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) = 0;
  /// Its tokens end with it.
  virtual void remove_device(std::string user_id, std::string device_id, Reply<void> reply) = 0;
};

}  // namespace diaryx::server
