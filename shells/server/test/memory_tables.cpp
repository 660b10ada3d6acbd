#include "memory_tables.h"

#include <algorithm>

#include "memory_line.h"

namespace diaryx::server {

User* MemoryTables::user_by_email(const std::string& email) {
  const auto found = std::find_if(users.begin(), users.end(), [&](const User& user) { return user.email == email; });
  return found == users.end() ? nullptr : &*found;
}

User MemoryTables::make_user(const std::string& email, TimestampMs now) {
  users.push_back({"user-" + std::to_string(++last_id), email, users.empty(), now});
  return users.back();
}

StorageResult<Session> MemoryTables::add_token(const NewToken& token) {
  if (tokens.contains(token.token_hash)) return no(StorageError::Kind::Conflict);
  const User* const known = user_by_email(token.email);
  const User user = known != nullptr ? *known : make_user(token.email, token.now);
  const std::string device = "device-" + std::to_string(++last_id);
  devices[device] = {user.id, {device, token.device_name, token.now}};
  tokens[token.token_hash] = {user.id, device, token.now, token.expires};
  return Session{user.id, user.email, device, user.owner, token.expires};
}

void MemoryTables::drop_device(const std::string& id) {
  devices.erase(id);
  std::erase_if(tokens, [&](const auto& entry) {
    const bool theirs = entry.second.device_id == id;
    access_epoch += theirs ? 1 : 0;
    return theirs;
  });
}

void MemoryTables::drop_workspace(const std::string& id) {
  workspaces.erase(id);
  ++access_epoch;
  std::erase_if(documents, [&](const auto& entry) { return entry.second.workspace == id; });
  std::erase_if(shares, [&](const auto& entry) { return entry.second.workspace == id; });
  std::erase_if(uploads, [&](const auto& entry) { return entry.second.workspace == id; });
  std::erase_if(workspace_blobs, [&](const auto& entry) { return entry.first.first == id; });
}

}  // namespace diaryx::server
