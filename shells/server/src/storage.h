// What the server needs from a place that remembers: documents, accounts, workspaces, attachment records.
//
// Narrow and asynchronous, so that a database on another machine fits behind it: no SQL above this line, no method that
// returns a cursor, no assumption that all writers are in one process.
//
// Rules for implementations
//  1. A reply is called exactly once, on any thread, perhaps before the method returns. Callers bring it home (ask.h).
//  2. A write is answered with success only when it is durable (committed and fsynced). Writes of one document are
//     stored in the order in which they were asked for.
//  3. A read asked for after the reply to a write sees that write.
//  4. Errors are values; `detail` is for the log, never for clients, and holds no token.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::server {

namespace relay = sync::relay;

struct StorageError {
  enum class Kind : uint8_t {
    NotFound,  // no such row, or not this user's
    Conflict,  // a name that is taken
    Unavailable,  // disk or database failed; later may be better
    Full,  // no space left
    Damaged,  // stored bytes are not what was written
  };
  Kind kind;
  std::string detail;
};

template <typename T>
using StorageResult = std::expected<T, StorageError>;
template <typename T>
using Reply = std::move_only_function<void(StorageResult<T>)>;

struct StoredDocument {
  Bytes snapshot;  // empty: none
  std::vector<Bytes> updates;  // after the snapshot, oldest first
  relay::Sequence last;  // of the newest stored update; 0: none
};

struct NewUpdate {
  std::string workspace;  // the document goes with it when the workspace is removed
  std::string document;
  relay::SharedBytes bytes;
  std::string user_id;
  std::string device_id;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Remote;
  TimestampMs time;
};

/// Who a token stands for.
struct Session {
  std::string user_id;
  std::string email;
  std::string device_id;
};

struct Device {
  std::string id;
  std::string name;  // may be empty
  TimestampMs last_seen;
};

struct Workspace {
  std::string id;  // UUID v4
  std::string name;
};

/// A new token: only its hash is stored.
struct NewToken {
  std::string email;  // lower case; an unknown one makes a new user
  Sha256 token_hash;
  std::string device_name;
  TimestampMs now;
  TimestampMs expires;
};

struct StorageUse {
  uint64_t used_bytes = 0;
  uint64_t blob_count = 0;
};

/// An attachment on its way in. Identity of the content is its SHA-256.
struct Upload {
  std::string id;  // UUID v4
  std::string workspace;
  std::string user_id;
  std::string attachment_path;
  Sha256 hash;
  uint64_t size_bytes = 0;
  std::string mime_type;
  uint64_t part_size = 0;
  uint32_t total_parts = 0;
  TimestampMs expires;
  bool completed = false;
  std::vector<uint32_t> parts;  // that have arrived, ascending
};

struct Blob {
  Sha256 hash;
  uint64_t size_bytes = 0;
  std::string mime_type;
};

class Storage {
 public:
  virtual ~Storage() = default;

  // Documents.
  /// A document that was never stored is empty, not an error.
  virtual void load_document(std::string document, Reply<StoredDocument> reply) = 0;
  /// NotFound: the workspace does not exist (any more).
  virtual void append_update(NewUpdate update, Reply<relay::Sequence> reply) = 0;
  /// Loading starts from `state` afterwards; records up to `through` are kept as history.
  virtual void store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through,
                              Reply<void> reply) = 0;
  /// Names of all documents of a workspace that were ever stored, ascending.
  virtual void list_documents(std::string workspace, Reply<std::vector<std::string>> reply) = 0;
  /// Answered when every write asked for before is durable or was refused.
  virtual void barrier(Reply<void> reply) = 0;

  // Accounts.
  /// NotFound: unknown or expired.
  virtual void find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) = 0;
  virtual void create_token(NewToken token, Reply<Session> reply) = 0;
  virtual void touch_device(std::string device_id, TimestampMs now, Reply<void> reply) = 0;
  /// Newest first.
  virtual void list_devices(std::string user_id, Reply<std::vector<Device>> reply) = 0;

  // Workspaces. One of another user is NotFound.
  virtual void list_workspaces(std::string user_id, Reply<std::vector<Workspace>> reply) = 0;
  virtual void find_workspace(std::string user_id, std::string id, Reply<Workspace> reply) = 0;
  /// Conflict: the user has one of that name.
  virtual void create_workspace(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) = 0;
  virtual void rename_workspace(std::string user_id, Workspace workspace, Reply<Workspace> reply) = 0;
  /// With its documents, uploads and attachment references; blobs stay until they are collected.
  virtual void remove_workspace(std::string user_id, std::string id, Reply<void> reply) = 0;

  // Attachments: the records; the bytes are in the BlobStore.
  virtual void create_upload(Upload upload, Reply<void> reply) = 0;
  virtual void find_upload(std::string workspace, std::string id, Reply<Upload> reply) = 0;
  virtual void add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) = 0;
  /// The blob is in place: remember it for the user and refer to it from the workspace.
  virtual void finish_upload(Upload upload, TimestampMs now, Reply<void> reply) = 0;
  /// The user has this blob from before: refer to it from the workspace too. NotFound: no.
  virtual void adopt_blob(Upload upload, TimestampMs now, Reply<void> reply) = 0;
  /// A blob that was uploaded to this workspace.
  virtual void find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) = 0;
  virtual void storage_use(std::string user_id, Reply<StorageUse> reply) = 0;
  /// Uploads that ended without being completed; their records are removed by this call.
  virtual void expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) = 0;
};

}  // namespace diaryx::server
