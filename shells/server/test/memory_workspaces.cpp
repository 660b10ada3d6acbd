// Workspaces in memory.
#include <algorithm>

#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

void MemoryWorkspaces::list(std::string user_id, Reply<std::vector<Workspace>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<Workspace>> {
    std::vector<std::pair<TimestampMs, Workspace>> theirs;
    for (const auto& [id, stored] : tables_.workspaces) {
      if (stored.user_id == user_id) theirs.push_back({stored.created, {id, stored.name}});
    }
    std::stable_sort(theirs.begin(), theirs.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Workspace> workspaces;
    for (auto& [created, workspace] : theirs) workspaces.push_back(std::move(workspace));
    return workspaces;
  });
}

void MemoryWorkspaces::find(std::string user_id, std::string id, Reply<Workspace> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Workspace> {
    const auto found = tables_.workspaces.find(id);
    if (found == tables_.workspaces.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    return Workspace{id, found->second.name};
  });
}

void MemoryWorkspaces::create(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<Workspace> {
    for (const auto& [id, stored] : tables_.workspaces) {
      if (id == workspace.id || (stored.user_id == user_id && stored.name == workspace.name)) return no(Kind::Conflict);
    }
    tables_.workspaces[workspace.id] = {user_id, workspace.name, now};
    return workspace;
  });
}

void MemoryWorkspaces::rename(std::string user_id, Workspace workspace, Reply<Workspace> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<Workspace> {
    const auto found = tables_.workspaces.find(workspace.id);
    if (found == tables_.workspaces.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    for (const auto& [id, stored] : tables_.workspaces) {
      if (id != workspace.id && stored.user_id == user_id && stored.name == workspace.name) return no(Kind::Conflict);
    }
    found->second.name = workspace.name;
    return workspace;
  });
}

void MemoryWorkspaces::remove(std::string user_id, std::string id, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.workspaces.find(id);
    if (found == tables_.workspaces.end() || found->second.user_id != user_id) return no(Kind::NotFound);
    tables_.drop_workspace(id);
    return {};
  });
}

}  // namespace diaryx::server
