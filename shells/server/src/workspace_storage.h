// Workspaces and whose they are. One of another user is NotFound.
#pragma once

#include <string>
#include <vector>

#include "diaryx/base/units.h"
#include "storage_result.h"

namespace diaryx::server {

struct Workspace {
  std::string id;  // UUID v4
  std::string name;
};

class WorkspaceStorage {
 public:
  virtual ~WorkspaceStorage() = default;

  virtual void list(std::string user_id, Reply<std::vector<Workspace>> reply) = 0;
  virtual void find(std::string user_id, std::string id, Reply<Workspace> reply) = 0;
  /// Conflict: the user has one of that name.
  virtual void create(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) = 0;
  virtual void rename(std::string user_id, Workspace workspace, Reply<Workspace> reply) = 0;
  /// With its documents, uploads and attachment references; blobs stay until they are collected.
  virtual void remove(std::string user_id, std::string id, Reply<void> reply) = 0;
};

}  // namespace diaryx::server
