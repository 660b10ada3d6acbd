// Signing in, share sessions and access in memory.
#include <algorithm>

#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

StorageResult<SignedIn> MemoryAccess::redeem(const Redemption& redemption) {
  const TimestampMs now = redemption.token.now;
  MemoryTables::StoredSignIn* open = nullptr;
  for (auto& [hash, one] : tables_.sign_ins) {
    if (one.used || one.asked.expires <= now) continue;
    if (redemption.proof.link_hash) {
      if (*redemption.proof.link_hash == hash) open = &one;
    } else if (one.asked.email == redemption.proof.email && ++one.attempts <= kMaxCodeAttempts &&
               hash_code(one.asked.salt, redemption.proof.code) == one.asked.code_hash) {
      open = &one;
    }
  }
  if (open == nullptr) return no(Kind::NotFound);
  const User* const user = tables_.user_by_email(open->asked.email);
  if (!redemption.replace_device.empty()) {
    const auto old = tables_.devices.find(redemption.replace_device);
    if (old == tables_.devices.end() || user == nullptr || old->second.user_id != user->id) return no(Kind::Conflict);
  }
  std::vector<Device> devices;
  for (const auto& [hash, token] : tables_.tokens) {
    if (user == nullptr || token.user_id != user->id || token.expires <= now) continue;
    if (token.device_id != redemption.replace_device) devices.push_back(tables_.devices.at(token.device_id).device);
  }
  if (redemption.max_devices != 0 && devices.size() >= redemption.max_devices) return SignedIn{std::nullopt, devices};
  if (!redemption.replace_device.empty()) tables_.drop_device(redemption.replace_device);
  NewToken token = redemption.token;
  token.email = open->asked.email;
  auto session = tables_.add_token(token);
  if (!session) return std::unexpected(session.error());
  open->used = true;
  return SignedIn{std::move(*session), {}};
}

StorageResult<Share> MemoryAccess::share_of(const std::string& owner_id, const Sha256& code_hash) const {
  const auto found = tables_.shares.find(code_hash);
  if (found == tables_.shares.end() || found->second.owner_id != owner_id) return no(Kind::NotFound);
  return found->second;
}

void MemoryAccess::create_sign_in(NewSignIn sign_in, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto lately = std::count_if(tables_.sign_ins.begin(), tables_.sign_ins.end(), [&](const auto& entry) {
      return entry.second.asked.email == sign_in.email && entry.second.asked.now > sign_in.now + DurationMs{-3600000};
    });
    if (sign_in.max_per_hour != 0 && lately >= sign_in.max_per_hour) return no(Kind::TooMany);
    if (!sign_in.new_users && tables_.user_by_email(sign_in.email) == nullptr) return no(Kind::NotFound);
    tables_.sign_ins.emplace(sign_in.link_hash, MemoryTables::StoredSignIn{sign_in});
    return {};
  });
}

void MemoryAccess::redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) {
  line_.write(std::move(reply), [&] { return redeem(redemption); });
}

void MemoryAccess::create_share(Share share, TimestampMs, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.workspaces.find(share.workspace);
    if (found == tables_.workspaces.end() || found->second.user_id != share.owner_id) return no(Kind::NotFound);
    tables_.shares.emplace(share.code_hash, share);
    return {};
  });
}

void MemoryAccess::find_share(Sha256 code_hash, Reply<Share> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Share> {
    const auto found = tables_.shares.find(code_hash);
    if (found == tables_.shares.end()) return no(Kind::NotFound);
    return found->second;
  });
}

void MemoryAccess::change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<Share> {
    auto share = share_of(owner_id, code_hash);
    if (!share) return share;
    ++tables_.access_epoch;
    tables_.shares[code_hash].read_only = read_only;
    return tables_.shares[code_hash];
  });
}

void MemoryAccess::remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<Share> {
    auto share = share_of(owner_id, code_hash);
    if (!share) return share;
    ++tables_.access_epoch;
    tables_.shares.erase(code_hash);
    return share;
  });
}

void MemoryAccess::epoch(Reply<uint64_t> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<uint64_t> { return tables_.access_epoch; });
}

void MemoryAccess::check(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<AccessState>> {
    std::vector<AccessState> states;
    for (const AccessKey& key : keys) {
      if (key.kind == AccessKey::Kind::Share) {
        const auto found = tables_.shares.find(key.hash);
        states.push_back({found != tables_.shares.end(), found != tables_.shares.end() && found->second.read_only});
      } else {
        const auto found = tables_.tokens.find(key.hash);
        states.push_back({found != tables_.tokens.end() && found->second.expires > now, false});
      }
    }
    return states;
  });
}

void MemoryAccess::expire(TimestampMs now, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    std::erase_if(tables_.tokens, [&](const auto& entry) {
      const bool over = entry.second.expires <= now;
      tables_.access_epoch += over ? 1 : 0;
      return over;
    });
    std::erase_if(tables_.sign_ins, [&](const auto& entry) {
      return entry.second.asked.expires <= now && entry.second.asked.now <= now + DurationMs{-3600000};
    });
    return {};
  });
}

}  // namespace diaryx::server
