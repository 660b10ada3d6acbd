// How access is given and how it ends: signing in, share sessions, and whether what let somebody in still does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "account_storage.h"
#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "storage_result.h"

namespace diaryx::server {

/// Somebody wants to sign in: a link and a code go out, their hashes stay here.
struct NewSignIn {
  std::string email;
  Sha256 link_hash;
  Bytes salt;  // random, for the code: six digits alone would be found by trying a million hashes of all rows at once
  Sha256 code_hash;  // `hash_code`
  TimestampMs now;
  TimestampMs expires;
  bool new_users = false;  // an unknown address makes an account when it is redeemed
  uint32_t max_per_hour = 0;  // for this address; 0: no limit
};

/// What came back: the link's token, or the code together with the address it was sent to.
struct SignInProof {
  std::optional<Sha256> link_hash;
  std::string email;
  std::string code;
};

inline constexpr uint32_t kMaxCodeAttempts = 5;

/// What a proof is exchanged for. `token.email` is taken from the sign-in.
struct Redemption {
  SignInProof proof;
  NewToken token;
  std::string replace_device;  // id of a device of the same user that makes room; may be empty
  uint32_t max_devices = 0;  // 0: no limit
};

/// A session, or the devices that can sign in already, of which one has to go first; the proof stays good then.
struct SignedIn {
  std::optional<Session> session;
  std::vector<Device> devices;
};

/// A share session: whoever knows the code may open one workspace. Only the code's hash is stored.
struct Share {
  Sha256 code_hash;
  std::string workspace;
  std::string owner_id;
  bool read_only = false;
};

/// What lets a connection in, to ask again whether it still does.
struct AccessKey {
  enum class Kind : uint8_t { Token, Share };
  Kind kind;
  Sha256 hash;
  auto operator<=>(const AccessKey&) const = default;
};

struct AccessState {
  bool valid = false;
  bool read_only = false;  // of a share
};

class AccessStorage {
 public:
  virtual ~AccessStorage() = default;

  // Signing in.
  /// NotFound: an unknown address, and new users are not wanted. TooMany: asked too often.
  virtual void create_sign_in(NewSignIn sign_in, Reply<void> reply) = 0;
  /// Used up by a success; a wrong code counts against every open sign-in of the address.
  /// NotFound: unknown, expired, used, or tried too often. Conflict: the device to replace is not this user's.
  virtual void redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) = 0;

  // Share sessions.
  /// NotFound: the workspace is not the owner's.
  virtual void create_share(Share share, TimestampMs now, Reply<void> reply) = 0;
  virtual void find_share(Sha256 code_hash, Reply<Share> reply) = 0;
  /// NotFound: there is none of this owner.
  virtual void change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) = 0;
  virtual void remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) = 0;

  // Access that ends while it is used.
  /// A number that grows whenever a token, device, user, share or workspace goes or a share changes, whoever did it.
  virtual void epoch(Reply<uint64_t> reply) = 0;
  /// In the order of the keys.
  virtual void check(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) = 0;
  /// Removes tokens and sign-ins that ended.
  virtual void expire(TimestampMs now, Reply<void> reply) = 0;
};

/// How a code is kept: salted, because it is short.
Sha256 hash_code(ByteView salt, std::string_view code);

}  // namespace diaryx::server
