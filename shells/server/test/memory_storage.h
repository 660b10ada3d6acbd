// Storage in memory that fails when told to: the second implementation of the contract, for tests of what stands above.
//
// Answers come before the method returns, or, while `held()`, when `release()` is called, in order. A write that is made
// to fail changes nothing. Not for several threads.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "storage.h"

namespace diaryx::server {

class MemoryStorage final : public Storage {
 public:
  // --- faults -------------------------------------------------------------------------------------------------------
  /// The next `count` writes answer `kind` and store nothing.
  void fail_writes(uint32_t count, StorageError::Kind kind) {
    failing_writes_ = count;
    write_failure_ = kind;
  }
  void fail_reads(uint32_t count, StorageError::Kind kind) {
    failing_reads_ = count;
    read_failure_ = kind;
  }
  /// A slow disk: answers wait for `release`.
  void hold() { holding_ = true; }
  void release(size_t count = SIZE_MAX);
  size_t waiting() const { return waiting_.size(); }
  /// Who asked is gone: what was done stays done, and nobody hears of it.
  void drop_answers() {
    waiting_.clear();
    holding_ = false;
  }

  // --- the contract -------------------------------------------------------------------------------------------------
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

  template <typename T>
  void answer(Reply<T> reply, StorageResult<T> result);
  template <typename T, typename Work>
  void write(Reply<T> reply, Work work);
  template <typename T, typename Work>
  void read(Reply<T> reply, Work work);

  StorageResult<Session> add_token(const NewToken& token);
  User* user_by_email(const std::string& email);
  User make_user(const std::string& email, TimestampMs now);
  void drop_device(const std::string& id);
  void drop_workspace(const std::string& id);
  StorageResult<SignedIn> redeem(const Redemption& redemption);
  StorageResult<Share> share_of(const std::string& owner_id, const Sha256& code_hash) const;
  StorageResult<void> refer(const Upload& upload);

  uint32_t failing_writes_ = 0;
  uint32_t failing_reads_ = 0;
  StorageError::Kind write_failure_ = StorageError::Kind::Unavailable;
  StorageError::Kind read_failure_ = StorageError::Kind::Unavailable;
  bool holding_ = false;
  std::deque<std::move_only_function<void()>> waiting_;

  uint64_t last_sequence_ = 0;
  uint64_t pruned_through_ = 0;
  uint64_t epoch_ = 1;
  uint64_t writer_ = 0;
  uint64_t last_id_ = 0;
  std::map<std::string, Document> documents_;
  std::vector<User> users_;
  std::map<std::string, StoredDevice> devices_;
  std::map<Sha256, StoredToken> tokens_;
  std::map<Sha256, StoredSignIn> sign_ins_;
  std::map<Sha256, Share> shares_;
  std::map<std::string, StoredWorkspace> workspaces_;
  std::map<std::string, Upload> uploads_;
  struct StoredBlob {
    uint64_t size_bytes;
    TimestampMs created;
  };
  bool is_referred_to(const BlobKey& blob) const;
  std::map<BlobKey, StoredBlob> blobs_;
  std::map<std::pair<std::string, Sha256>, Blob> workspace_blobs_;
};

}  // namespace diaryx::server
