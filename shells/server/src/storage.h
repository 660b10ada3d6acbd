// What the server needs from a place that remembers: documents, accounts, workspaces, attachment records.
//
// Narrow and asynchronous, so that a database on another machine fits behind it: no SQL above this line, no method that
// returns a cursor, no assumption that all writers are in one process.
//
// Rules for implementations
//  1. A reply is called exactly once, on any thread, perhaps before the method returns. Callers bring it home (ask.h).
//  2. A write is answered with success only when it is durable (committed and fsynced). Updates of one document are
//     stored in the order in which they were asked for; a snapshot may come behind what was asked for after it, and one that
//     cannot be stored fails nothing else.
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
    TooMany,  // a limit that was given with the question
    Superseded,  // another server took over the documents
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

/// See relay::ChangesListed.
struct ChangedDocuments {
  bool known = false;
  std::vector<std::string> documents;
  relay::Sequence through;
};

/// One stored update as the past shows it.
struct StoredRecord {
  relay::Sequence sequence;
  TimestampMs time;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Remote;
  std::string device_id;  // empty: a guest's, or nobody's
  std::string device_name;  // empty also when the device is gone
  Bytes update;
  bool damaged = false;  // the stored bytes are not what was written; `update` is empty
  bool operator==(const StoredRecord&) const = default;
};

struct Pruned {
  uint64_t records = 0;  // that were forgotten
  bool more = false;  // there is more to look at: ask again
};

/// What is kept of a document's past. Records that a snapshot covers may be gone: then those that are left begin in the middle.
struct DocumentPast {
  Bytes snapshot;  // empty: none
  relay::Sequence through;  // that it covers
  std::vector<StoredRecord> records;  // oldest first
  bool begins_at_start = false;  // certainly: no record was ever forgotten
};

struct ChangedDocument {
  std::string name;
  relay::Sequence last;  // of its newest record
  bool operator==(const ChangedDocument&) const = default;
};

struct NewUpdate {
  std::string workspace;  // the document goes with it when the workspace is removed
  std::string document;
  relay::SharedBytes bytes;
  std::string user_id;
  std::string device_id;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Remote;
  TimestampMs time;
  uint64_t epoch = 0;  // of the server that asks, from `take_over`
};

/// Who a token stands for.
struct Session {
  std::string user_id;
  std::string email;
  std::string device_id;
  bool owner = false;  // of the server: the first user
  TimestampMs expires;
};

struct User {
  std::string id;
  std::string email;  // lower case
  bool owner = false;
  TimestampMs created;
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

/// A token as lists show it: enough to choose one, nothing to sign in with.
struct TokenEntry {
  Sha256 hash;
  std::string email;
  std::string device_id;
  std::string device_name;
  TimestampMs created;
  TimestampMs expires;
};

/// Somebody wants to sign in: a link and a code go out, their hashes stay here.
struct NewSignIn {
  std::string email;
  Sha256 link_hash;
  Bytes salt;  // random, for the code: six digits alone would be found by trying a million hashes of all rows at once
  Sha256 code_hash;  // `hash_code`
  TimestampMs now;
  TimestampMs expires;
  bool new_users = false;  // an unknown address makes an account when it is redeemed
  uint32_t max_per_hour = 0;  // for this address; 0: no limit
};

/// What came back: the link's token, or the code together with the address it was sent to.
struct SignInProof {
  std::optional<Sha256> link_hash;
  std::string email;
  std::string code;
};

inline constexpr uint32_t kMaxCodeAttempts = 5;

/// What a proof is exchanged for. `token.email` is taken from the sign-in.
struct Redemption {
  SignInProof proof;
  NewToken token;
  std::string replace_device;  // id of a device of the same user that makes room; may be empty
  uint32_t max_devices = 0;  // 0: no limit
};

/// A session, or the devices of which one has to go first; the proof stays good then.
struct SignedIn {
  std::optional<Session> session;
  std::vector<Device> devices;
};

/// A share session: whoever knows the code may open one workspace. Only the code's hash is stored.
struct Share {
  Sha256 code_hash;
  std::string workspace;
  std::string owner_id;
  bool read_only = false;
};

/// What lets a connection in, to ask again whether it still does.
struct AccessKey {
  enum class Kind : uint8_t { Token, Share };
  Kind kind;
  Sha256 hash;
  auto operator<=>(const AccessKey&) const = default;
};
struct AccessState {
  bool valid = false;
  bool read_only = false;  // of a share
};

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

/// Where a look at everything stored goes on.
struct ReviewPlace {
  enum class Part : uint8_t { Pages, Snapshots, Records };
  Part part = Part::Pages;
  int64_t after = 0;
};
struct StorageReview {
  std::vector<std::string> damages;  // sentences for the log
  std::optional<ReviewPlace> next;  // nothing: that was all
};

class Storage {
 public:
  virtual ~Storage() = default;

  // Documents.
  /// Makes the asker the one server that stores documents, until another takes over: a server keeps documents in memory, so two
  /// on one database would overtake each other. Answers an epoch, larger than all before.
  virtual void take_over(Reply<uint64_t> reply) = 0;
  /// A document that was never stored is empty, not an error.
  virtual void load_document(std::string document, Reply<StoredDocument> reply) = 0;
  /// NotFound: the workspace does not exist (any more). Superseded: `epoch` is not the newest.
  virtual void append_update(NewUpdate update, Reply<relay::Sequence> reply) = 0;
  /// Loading starts from `state` afterwards; records up to `through` are kept as history. Superseded: as above.
  virtual void store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through, uint64_t epoch,
                              Reply<void> reply) = 0;
  /// Names of all documents of a workspace that were ever stored, ascending.
  virtual void list_documents(std::string workspace, Reply<std::vector<std::string>> reply) = 0;
  /// Documents of a workspace with records after `since`, and the newest sequence that was ever given; both of one moment.
  /// Not known when `since` is not given, or lies ahead, or records after it were pruned.
  virtual void list_changes(std::string workspace, std::optional<relay::Sequence> since,
                            Reply<ChangedDocuments> reply) = 0;
  /// Answered when every write asked for before is durable or was refused.
  virtual void barrier(Reply<void> reply) = 0;
  /// Forgets records that a snapshot covers and that were stored more than `keep` ago. Looks at and forgets at most `max_records`, so
  /// that writes that wait behind it wait little.
  ///
  /// The clock may have been wrong when a record was stored; the order of records never is. One that came after a younger record is
  /// kept, whatever time it bears, and one with a time that has not come yet says nothing of the others.
  virtual void prune_history(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) = 0;
  /// TooMany: it is more than `max_bytes`. Damaged: nothing of it can be read; a damaged record is marked, and hides no other.
  virtual void load_past(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) = 0;
  /// Documents of a workspace with records after `after`, the newest first, at most `limit`.
  virtual void changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                 Reply<std::vector<ChangedDocument>> reply) = 0;
  /// Compares what is stored with its check values, a piece of some `max_bytes` at a time. What is damaged is a part of the reply.
  virtual void review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) = 0;
  /// The name of this history: made once, and anew when a backup is restored, so that nobody takes what an older copy
  /// knows for what this one confirmed.
  virtual void lineage(Reply<std::string> reply) = 0;

  // Accounts.
  /// NotFound: unknown or expired.
  virtual void find_session(Sha256 token_hash, TimestampMs now, Reply<Session> reply) = 0;
  virtual void create_token(NewToken token, Reply<Session> reply) = 0;
  virtual void touch_device(std::string device_id, TimestampMs now, Reply<void> reply) = 0;
  /// Newest first.
  virtual void list_devices(std::string user_id, Reply<std::vector<Device>> reply) = 0;

  /// Conflict: the address is taken. The first user is the owner of the server.
  virtual void create_user(std::string email, TimestampMs now, Reply<User> reply) = 0;
  virtual void find_user(std::string email, Reply<User> reply) = 0;
  /// Oldest first.
  virtual void list_users(Reply<std::vector<User>> reply) = 0;
  /// With devices, tokens, workspaces and all they hold. The bytes of attachments are the caller's to remove.
  virtual void remove_user(std::string user_id, Reply<void> reply) = 0;
  /// The server has one owner; this user becomes it. NotFound.
  virtual void set_owner(std::string user_id, Reply<void> reply) = 0;
  virtual void rename_device(std::string user_id, std::string device_id, std::string name, Reply<void> reply) = 0;
  /// Its tokens end with it.
  virtual void remove_device(std::string user_id, std::string device_id, Reply<void> reply) = 0;
  /// Of one user, or of all when `user_id` is empty. Newest first.
  virtual void list_tokens(std::string user_id, Reply<std::vector<TokenEntry>> reply) = 0;
  /// Its device goes too when this was its last token.
  virtual void remove_token(Sha256 token_hash, Reply<void> reply) = 0;

  // Signing in.
  /// NotFound: an unknown address, and new users are not wanted. TooMany: asked too often.
  virtual void create_sign_in(NewSignIn sign_in, Reply<void> reply) = 0;
  /// Used up by a success; a wrong code counts against every open sign-in of the address.
  /// NotFound: unknown, expired, used, or tried too often. Conflict: the device to replace is not this user's.
  virtual void redeem_sign_in(Redemption redemption, Reply<SignedIn> reply) = 0;

  // Share sessions.
  /// NotFound: the workspace is not the owner's.
  virtual void create_share(Share share, TimestampMs now, Reply<void> reply) = 0;
  virtual void find_share(Sha256 code_hash, Reply<Share> reply) = 0;
  /// NotFound: there is none of this owner.
  virtual void change_share(std::string owner_id, Sha256 code_hash, bool read_only, Reply<Share> reply) = 0;
  virtual void remove_share(std::string owner_id, Sha256 code_hash, Reply<Share> reply) = 0;

  // Access that ends while it is used.
  /// A number that grows whenever a token, device, user, share or workspace goes or a share changes, whoever did it.
  virtual void access_epoch(Reply<uint64_t> reply) = 0;
  /// In the order of the keys.
  virtual void check_access(std::vector<AccessKey> keys, TimestampMs now, Reply<std::vector<AccessState>> reply) = 0;
  /// Removes tokens and sign-ins that ended.
  virtual void expire_access(TimestampMs now, Reply<void> reply) = 0;

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
  virtual void storage_use(std::string user_id, Reply<StorageUse> reply) = 0;
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

/// How a code is kept: salted, because it is short.
Sha256 hash_code(ByteView salt, std::string_view code);

}  // namespace diaryx::server
