// The tables of MemoryStorage, and what goes through several of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "storage.h"

namespace diaryx::server {

struct MemoryTables {
  struct Record {
    uint64_t sequence;
    Bytes bytes;
    TimestampMs time;
    relay::UpdateOrigin origin;
    std::string device_id;
  };
  struct Document {
    std::string workspace;
    Bytes snapshot;
    uint64_t through = 0;
    std::vector<Record> records;
  };
  struct StoredWorkspace {
    std::string user_id;
    std::string name;
    TimestampMs created;
  };
  struct StoredDevice {
    std::string user_id;
    Device device;
  };
  struct StoredToken {
    std::string user_id;
    std::string device_id;
    TimestampMs created;
    TimestampMs expires;
  };
  struct StoredSignIn {
    NewSignIn asked;
    uint32_t attempts = 0;
    bool used = false;
  };
  struct StoredBlob {
    uint64_t size_bytes;
    TimestampMs created;
  };

  User* user_by_email(const std::string& email);
  User make_user(const std::string& email, TimestampMs now);
  StorageResult<Session> add_token(const NewToken& token);
  void drop_device(const std::string& id);
  void drop_workspace(const std::string& id);

  uint64_t last_sequence = 0;
  uint64_t pruned_through = 0;
  uint64_t access_epoch = 1;
  uint64_t writer = 0;
  uint64_t last_id = 0;
  std::map<std::string, Document> documents;
  std::vector<User> users;
  std::map<std::string, StoredDevice> devices;
  std::map<Sha256, StoredToken> tokens;
  std::map<Sha256, StoredSignIn> sign_ins;
  std::map<Sha256, Share> shares;
  std::map<std::string, StoredWorkspace> workspaces;
  std::map<std::string, Upload> uploads;
  std::map<BlobKey, StoredBlob> blobs;
  std::map<std::pair<std::string, Sha256>, Blob> workspace_blobs;
};

}  // namespace diaryx::server
