// Records of attachments; the bytes are in the BlobStore.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "storage_result.h"

namespace diaryx::server {

struct StorageUse {
  uint64_t used_bytes = 0;
  uint64_t blob_count = 0;
  uint64_t unfinished_bytes = 0;  // of parts whose uploads are not complete
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

/// One file of the blob store.
struct BlobKey {
  std::string user_id;
  Sha256 hash;
  auto operator<=>(const BlobKey&) const = default;
};

/// A part of the walk over all blobs.
struct BlobReview {
  std::vector<BlobKey> unused;
  std::optional<BlobKey> last;  // looked at; nothing: the walk is at its end
};

struct Blob {
  Sha256 hash;
  uint64_t size_bytes = 0;
  std::string mime_type;
};

class AttachmentStorage {
 public:
  virtual ~AttachmentStorage() = default;

  virtual void create_upload(Upload upload, Reply<void> reply) = 0;
  /// An upload that was announced in the same words, is not complete and does not end by `now`. NotFound: there is none.
  virtual void resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) = 0;
  virtual void find_upload(std::string workspace, std::string id, Reply<Upload> reply) = 0;
  virtual void add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) = 0;
  /// The blob is in place: remember it for the user and refer to it from the workspace.
  virtual void finish_upload(Upload upload, TimestampMs now, Reply<void> reply) = 0;
  /// The user has this blob from before: refer to it from the workspace too. NotFound: no.
  virtual void adopt_blob(Upload upload, TimestampMs now, Reply<void> reply) = 0;
  /// A blob that was uploaded to this workspace.
  virtual void find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) = 0;
  virtual void use(std::string user_id, Reply<StorageUse> reply) = 0;
  /// Looks at `limit` blobs behind `after` (nothing: from the start): those that came before `before` and that no workspace of
  /// their user refers to.
  virtual void review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before,
                            Reply<BlobReview> reply) = 0;
  /// Forgets a blob unless a workspace refers to it by now; true: it is forgotten, and its bytes may go.
  virtual void forget_blob(BlobKey blob, Reply<bool> reply) = 0;
  /// Uploads that ended without being completed; their records are removed by this call.
  virtual void expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) = 0;
  /// Those that no record names, in the order of the question.
  virtual void unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) = 0;
  virtual void unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) = 0;
};

}  // namespace diaryx::server
