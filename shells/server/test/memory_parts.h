// The parts of MemoryStorage: what each does to the tables they share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "memory_line.h"
#include "memory_tables.h"
#include "storage.h"

namespace diaryx::server {

class MemoryDocuments final : public DocumentStorage {
 public:
  MemoryDocuments(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void load(std::string document, Reply<StoredDocument> reply) override;
  void append(NewUpdate update, Reply<relay::Sequence> reply) override;
  void store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through, uint64_t epoch,
                      Reply<void> reply) override;
  void list(std::string workspace, Reply<std::vector<std::string>> reply) override;
  void list_changes(std::string workspace, std::optional<relay::Sequence> since,
                    Reply<ChangedDocuments> reply) override;

 private:
  MemoryTables& tables_;
  MemoryLine& line_;
};

class MemoryHistory final : public HistoryStorage {
 public:
  MemoryHistory(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void load(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) override;
  void changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                         Reply<std::vector<ChangedDocument>> reply) override;
  void prune(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) override;

 private:
  MemoryTables& tables_;
  MemoryLine& line_;
};

class MemoryAccounts final : public AccountStorage {
 public:
  MemoryAccounts(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void create_user(std::string email, TimestampMs now, Reply<User> reply) override;
  void find_user(std::string email, Reply<User> reply) override;
  void list_users(Reply<std::vector<User>> reply) override;
  void remove_user(std::string user_id, Reply<void> reply) override;
  void set_owner(std::string user_id, Reply<void> reply) override;
  void find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) override;
  void create_token(NewToken token, Reply<Session> reply) override;
  void list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) override;
  void remove_token(Sha256 token_hash, Reply<void> reply) override;
  void list_devices(std::string user_id, TimestampMs now, Reply<std::vector<Device>> reply) override;
  void touch_device(std::string device_id, TimestampMs now, Reply<void> reply) override;
  void rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) override;
  void remove_device(std::string user_id, std::string device_id, Reply<void> reply) override;

 private:
  MemoryTables& tables_;
  MemoryLine& line_;
};

class MemoryAccess final : public AccessStorage {
 public:
  MemoryAccess(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void create_sign_in(NewSignIn sign_in, Reply<void> reply) override;
  void redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) override;
  void create_share(Share share, TimestampMs now, Reply<void> reply) override;
  void find_share(Sha256 code_hash, Reply<Share> reply) override;
  void change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) override;
  void remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) override;
  void epoch(Reply<uint64_t> reply) override;
  void check(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) override;
  void expire(TimestampMs now, Reply<void> reply) override;

 private:
  StorageResult<SignedIn> redeem(const Redemption& redemption);
  StorageResult<Share> share_of(const std::string& owner_id, const Sha256& code_hash) const;
  MemoryTables& tables_;
  MemoryLine& line_;
};

class MemoryWorkspaces final : public WorkspaceStorage {
 public:
  MemoryWorkspaces(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void list(std::string user_id, Reply<std::vector<Workspace>> reply) override;
  void find(std::string user_id, std::string id, Reply<Workspace> reply) override;
  void create(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) override;
  void rename(std::string user_id, Workspace workspace, Reply<Workspace> reply) override;
  void remove(std::string user_id, std::string id, Reply<void> reply) override;

 private:
  MemoryTables& tables_;
  MemoryLine& line_;
};

class MemoryAttachments final : public AttachmentStorage {
 public:
  MemoryAttachments(MemoryTables& tables, MemoryLine& line) : tables_(tables), line_(line) {}
  void create_upload(Upload upload, Reply<void> reply) override;
  void resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) override;
  void find_upload(std::string workspace, std::string id, Reply<Upload> reply) override;
  void add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) override;
  void finish_upload(Upload upload, TimestampMs now, Reply<void> reply) override;
  void adopt_blob(Upload upload, TimestampMs now, Reply<void> reply) override;
  void find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) override;
  void use(std::string user_id, Reply<StorageUse> reply) override;
  void review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before, Reply<BlobReview> reply) override;
  void forget_blob(BlobKey blob, Reply<bool> reply) override;
  void expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) override;
  void unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) override;
  void unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) override;

 private:
  StorageResult<void> refer(const Upload& upload);
  bool is_referred_to(const BlobKey& blob) const;
  MemoryTables& tables_;
  MemoryLine& line_;
};

}  // namespace diaryx::server
