// Storage in one SQLite file: WAL, synchronous=FULL, one thread that writes and one that reads.
//
// Group commit: the writer takes everything that is waiting, runs it in one transaction and answers after the commit.
// While one commit waits for the disk the next group gathers, so the batch grows with the load by itself. When the disk
// refuses (full, I/O error) the whole group fails together and nothing of it is stored.
#pragma once

#include <memory>
#include <string>

#include "diaryx/native/problem.h"
#include "sqlite_schema.h"
#include "storage.h"

namespace diaryx::server {

class SqliteThreads;

class SqliteStorage final : public Storage {
 public:
  /// Opens or creates `path`; see data_folder.h for whether one may be created.
  static native::Outcome<std::unique_ptr<SqliteStorage>> open(const std::string& path,
                                                              EmptyDatabase empty = EmptyDatabase::Filled);
  /// Answers everything that was asked, then stops the threads.
  ~SqliteStorage() override;

  void take_over(Reply<uint64_t> reply) override;
  void load_document(std::string document, Reply<StoredDocument> reply) override;
  void append_update(NewUpdate update, Reply<relay::Sequence> reply) override;
  void store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through, uint64_t epoch,
                      Reply<void> reply) override;
  void list_documents(std::string workspace, Reply<std::vector<std::string>> reply) override;
  void list_changes(std::string workspace, std::optional<relay::Sequence> since,
                    Reply<ChangedDocuments> reply) override;
  void barrier(Reply<void> reply) override;
  void prune_history(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) override;
  void load_past(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) override;
  void changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                         Reply<std::vector<ChangedDocument>> reply) override;
  void review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) override;
  void lineage(Reply<std::string> reply) override;

  void find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) override;
  void create_token(NewToken token, Reply<Session> reply) override;
  void touch_device(std::string device_id, TimestampMs now, Reply<void> reply) override;
  void list_devices(std::string user_id, Reply<std::vector<Device>> reply) override;
  void create_user(std::string email, TimestampMs now, Reply<User> reply) override;
  void find_user(std::string email, Reply<User> reply) override;
  void list_users(Reply<std::vector<User>> reply) override;
  void remove_user(std::string user_id, Reply<void> reply) override;
  void set_owner(std::string user_id, Reply<void> reply) override;
  void rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) override;
  void remove_device(std::string user_id, std::string device_id, Reply<void> reply) override;
  void list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) override;
  void remove_token(Sha256 token_hash, Reply<void> reply) override;

  void create_sign_in(NewSignIn sign_in, Reply<void> reply) override;
  void redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) override;

  void create_share(Share share, TimestampMs now, Reply<void> reply) override;
  void find_share(Sha256 code_hash, Reply<Share> reply) override;
  void change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) override;
  void remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) override;

  void access_epoch(Reply<uint64_t> reply) override;
  void check_access(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) override;
  void expire_access(TimestampMs now, Reply<void> reply) override;

  void list_workspaces(std::string user_id, Reply<std::vector<Workspace>> reply) override;
  void find_workspace(std::string user_id, std::string id, Reply<Workspace> reply) override;
  void create_workspace(std::string user_id, Workspace workspace, TimestampMs now, Reply<Workspace> reply) override;
  void rename_workspace(std::string user_id, Workspace workspace, Reply<Workspace> reply) override;
  void remove_workspace(std::string user_id, std::string id, Reply<void> reply) override;

  void create_upload(Upload upload, Reply<void> reply) override;
  void resume_upload(Upload upload, TimestampMs now, Reply<Upload> reply) override;
  void find_upload(std::string workspace, std::string id, Reply<Upload> reply) override;
  void add_upload_part(std::string upload_id, uint32_t part, Reply<void> reply) override;
  void finish_upload(Upload upload, TimestampMs now, Reply<void> reply) override;
  void adopt_blob(Upload upload, TimestampMs now, Reply<void> reply) override;
  void find_blob(std::string workspace, Sha256 hash, Reply<Blob> reply) override;
  void storage_use(std::string user_id, Reply<StorageUse> reply) override;
  void review_blobs(std::optional<BlobKey> after, uint32_t limit, TimestampMs before, Reply<BlobReview> reply) override;
  void forget_blob(BlobKey blob, Reply<bool> reply) override;
  void expire_uploads(TimestampMs now, Reply<std::vector<Upload>> reply) override;
  void unnamed_blobs(std::vector<BlobKey> blobs, Reply<std::vector<BlobKey>> reply) override;
  void unnamed_uploads(std::vector<std::string> ids, Reply<std::vector<std::string>> reply) override;

 private:
  explicit SqliteStorage(std::unique_ptr<SqliteThreads> threads);
  std::unique_ptr<SqliteThreads> threads_;
};

}  // namespace diaryx::server
