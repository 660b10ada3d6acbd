// Users, devices and tokens in memory.
#include <algorithm>

#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

void MemoryAccounts::create_user(std::string email, TimestampMs now, Reply<User> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<User> {
    if (tables_.user_by_email(email) != nullptr) return no(Kind::Conflict);
    return tables_.make_user(email, now);
  });
}

void MemoryAccounts::find_user(std::string email, Reply<User> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<User> {
    const User* const user = tables_.user_by_email(email);
    if (user == nullptr) return no(Kind::NotFound);
    return *user;
  });
}

void MemoryAccounts::list_users(Reply<std::vector<User>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<User>> { return tables_.users; });
}

void MemoryAccounts::remove_user(std::string user_id, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    if (std::erase_if(tables_.users, [&](const User& user) { return user.id == user_id; }) == 0)
      return no(Kind::NotFound);
    std::vector<std::string> gone;
    for (const auto& [id, stored] : tables_.devices) {
      if (stored.user_id == user_id) gone.push_back(id);
    }
    for (const std::string& id : gone) tables_.drop_device(id);
    gone.clear();
    for (const auto& [id, stored] : tables_.workspaces) {
      if (stored.user_id == user_id) gone.push_back(id);
    }
    for (const std::string& id : gone) tables_.drop_workspace(id);
    std::erase_if(tables_.blobs, [&](const auto& entry) { return entry.first.user_id == user_id; });
    return {};
  });
}

void MemoryAccounts::set_owner(std::string user_id, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto is_meant = [&](const User& user) { return user.id == user_id; };
    if (std::none_of(tables_.users.begin(), tables_.users.end(), is_meant)) return no(Kind::NotFound);
    for (User& user : tables_.users) user.owner = is_meant(user);
    return {};
  });
}

void MemoryAccounts::find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Session> {
    const auto found = tables_.tokens.find(token_hash);
    if (found == tables_.tokens.end() || found->second.expires <= now) return no(Kind::NotFound);
    for (const User& user : tables_.users) {
      if (user.id == found->second.user_id)
        return Session{user.id, user.email, found->second.device_id, user.owner, found->second.expires};
    }
    return no(Kind::NotFound);
  });
}

void MemoryAccounts::create_token(NewToken token, Reply<Session> reply) {
  line_.write(std::move(reply), [&] { return tables_.add_token(token); });
}

void MemoryAccounts::list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<TokenEntry>> {
    std::vector<TokenEntry> entries;
    for (const auto& [hash, token] : tables_.tokens) {
      if (!user_id.empty() && token.user_id != user_id) continue;
      const auto user = std::find_if(tables_.users.begin(), tables_.users.end(),
                                     [&](const User& one) { return one.id == token.user_id; });
      const Device& device = tables_.devices.at(token.device_id).device;
      entries.push_back({hash, user->email, device.id, device.name, token.created, token.expires});
    }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const TokenEntry& a, const TokenEntry& b) { return a.created > b.created; });
    return entries;
  });
}

void MemoryAccounts::remove_token(Sha256 token_hash, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.tokens.find(token_hash);
    if (found == tables_.tokens.end()) return no(Kind::NotFound);
    const std::string device = found->second.device_id;
    tables_.tokens.erase(found);
    ++tables_.access_epoch;
    const bool more = std::any_of(tables_.tokens.begin(), tables_.tokens.end(),
                                  [&](const auto& entry) { return entry.second.device_id == device; });
    if (!more) tables_.devices.erase(device);
    return {};
  });
}

void MemoryAccounts::list_devices(std::string user_id, TimestampMs now, Reply<std::vector<Device>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<Device>> {
    std::vector<Device> devices;
    for (const auto& [hash, token] : tables_.tokens) {
      if (token.user_id == user_id && token.expires > now)
        devices.push_back(tables_.devices.at(token.device_id).device);
    }
    std::stable_sort(devices.begin(), devices.end(),
                     [](const Device& a, const Device& b) { return a.last_seen > b.last_seen; });
    return devices;
  });
}

void MemoryAccounts::touch_device(std::string device_id, TimestampMs now, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    if (const auto found = tables_.devices.find(device_id); found != tables_.devices.end())
      found->second.device.last_seen = std::max(found->second.device.last_seen, now);
    return {};
  });
}

void MemoryAccounts::rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.devices.find(device_id);
    if (found == tables_.devices.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    found->second.device.name = name;
    return {};
  });
}

void MemoryAccounts::remove_device(std::string user_id, std::string device_id, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.devices.find(device_id);
    if (found == tables_.devices.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    tables_.drop_device(device_id);
    return {};
  });
}

}  // namespace diaryx::server
