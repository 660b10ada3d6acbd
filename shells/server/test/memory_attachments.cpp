// Records of attachments in memory.
#include <algorithm>
#include <tuple>

#include "blob_store.h"
#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

StorageResult<void> MemoryAttachments::refer(const Upload& upload) {
  if (!tables_.workspaces.contains(upload.workspace)) return no(Kind::NotFound);
  tables_.workspace_blobs[{upload.workspace, upload.hash}] = {upload.hash, upload.size_bytes, upload.mime_type};
  return {};
}

bool MemoryAttachments::is_referred_to(const BlobKey& blob) const {
  return std::any_of(tables_.workspaces.begin(), tables_.workspaces.end(), [&](const auto& workspace) {
    return workspace.second.user_id == blob.user_id && tables_.workspace_blobs.contains({workspace.first, blob.hash});
  });
}

void MemoryAttachments::create_upload(Upload upload, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    if (!tables_.workspaces.contains(upload.workspace)) return no(Kind::NotFound);
    tables_.uploads[upload.id] = upload;
    return {};
  });
}

void MemoryAttachments::resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Upload> {
    const auto words = [](const Upload& one) {
      return std::tie(one.workspace, one.user_id, one.hash, one.size_bytes, one.part_size, one.attachment_path,
                      one.mime_type);
    };
    for (const auto& [id, one] : tables_.uploads) {
      if (!one.completed && one.expires > now && words(one) == words(upload)) return one;
    }
    return no(Kind::NotFound);
  });
}

void MemoryAttachments::find_upload(std::string workspace, std::string id, Reply<Upload> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Upload> {
    const auto found = tables_.uploads.find(id);
    if (found == tables_.uploads.end() || found->second.workspace != workspace) return no(Kind::NotFound);
    return found->second;
  });
}

void MemoryAttachments::add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.uploads.find(upload_id);
    if (found == tables_.uploads.end()) return no(Kind::NotFound);
    auto& parts = found->second.parts;
    const auto at = std::lower_bound(parts.begin(), parts.end(), part);
    if (at == parts.end() || *at != part) parts.insert(at, part);
    return {};
  });
}

void MemoryAttachments::finish_upload(Upload upload, TimestampMs now, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    if (auto referred = refer(upload); !referred) return referred;
    tables_.blobs.emplace(BlobKey{upload.user_id, upload.hash}, MemoryTables::StoredBlob{upload.size_bytes, now});
    if (const auto found = tables_.uploads.find(upload.id); found != tables_.uploads.end())
      found->second.completed = true;
    return {};
  });
}

void MemoryAttachments::adopt_blob(Upload upload, TimestampMs, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    const auto found = tables_.blobs.find({upload.user_id, upload.hash});
    if (found == tables_.blobs.end() || found->second.size_bytes != upload.size_bytes) return no(Kind::NotFound);
    return refer(upload);
  });
}

void MemoryAttachments::find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<Blob> {
    const auto found = tables_.workspace_blobs.find({workspace, hash});
    if (found == tables_.workspace_blobs.end()) return no(Kind::NotFound);
    return found->second;
  });
}

void MemoryAttachments::use(std::string user_id, Reply<StorageUse> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<StorageUse> {
    StorageUse use;
    for (const auto& [key, blob] : tables_.blobs) {
      if (key.user_id != user_id) continue;
      use.used_bytes += blob.size_bytes;
      ++use.blob_count;
    }
    for (const auto& [id, upload] : tables_.uploads) {
      if (upload.user_id != user_id || upload.completed) continue;
      for (const uint32_t part : upload.parts) use.unfinished_bytes += part_size_of(upload, part);
    }
    return use;
  });
}

void MemoryAttachments::review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before,
                                     Reply<BlobReview> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<BlobReview> {
    BlobReview review;
    auto next = after ? tables_.blobs.upper_bound(*after) : tables_.blobs.begin();
    for (uint32_t i = 0; i < limit && next != tables_.blobs.end(); ++i, ++next) {
      review.last = next->first;
      if (next->second.created < before && !is_referred_to(next->first)) review.unused.push_back(next->first);
    }
    return review;
  });
}

void MemoryAttachments::forget_blob(BlobKey blob, Reply<bool> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<bool> {
    if (!tables_.blobs.contains(blob) || is_referred_to(blob)) return false;
    tables_.blobs.erase(blob);
    return true;
  });
}

void MemoryAttachments::expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<std::vector<Upload>> {
    std::vector<Upload> expired;
    std::erase_if(tables_.uploads, [&](const auto& entry) {
      if (entry.second.expires > now) return false;
      expired.push_back(entry.second);
      return true;
    });
    return expired;
  });
}

void MemoryAttachments::unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<BlobKey>> {
    std::erase_if(blobs, [&](const BlobKey& blob) { return tables_.blobs.contains(blob); });
    return blobs;
  });
}

void MemoryAttachments::unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<std::string>> {
    std::erase_if(ids, [&](const std::string& id) { return tables_.uploads.contains(id); });
    return ids;
  });
}

}  // namespace diaryx::server
