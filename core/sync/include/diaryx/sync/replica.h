// A device's copy of a workspace: documents, files and one connection, kept in step.
//
// Sans-IO and deterministic: events and the time go in, actions come out. The native client and the wasm guest run this
// same class, and the simulator runs it on a fake disk and network.
//
//     Replica replica{options};
//     for (stored documents and records) replica.restore_update(...), replica.restore_record(...);
//     replica.handle(event, now, actions);
//     for (Action& action : actions) perform(std::move(action));
//
// Invariants
// 1. A body is seeded from disk only after the server answered for it with nothing (T1), and seeds are deterministic.
// 2. A file on disk is replaced or removed only if it still has the content that was last read or written here.
// 3. A document is never told to the server before its updates were handed out as Persist actions.
// 4. `settled()` means: every document was answered and everything sent was acknowledged as stored. What is held does not
//    count: it waits for a person.
// 5. A server that offers `changes` is asked only for bodies that changed there since the cursor it gave, or whose changes here it
//    has not acknowledged; all others are the same on both sides.
// 6. A wave of deletions or truncations beyond `BreakerOptions` is neither sent nor carried out before ReleaseHeld.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/action.h"
#include "diaryx/sync/disk_names.h"
#include "diaryx/sync/event.h"
#include "diaryx/sync/metadata.h"

namespace diaryx::sync {

/// When a wave of deletions or truncations is held until somebody says what to do with it.
struct BreakerOptions {
  /// Both must be reached: this many files ...
  size_t min_files = 50;
  /// ... and this share of all.
  size_t share_percent = 50;
  /// Changes this close together are one wave.
  DurationMs window{60'000};
};

/// Keys of the records that say which files are on this device's disk. They are true of one folder: a shell that finds the
/// workspace in another one leaves out what `is_about_disk`, and missing files are fetched instead of taken for deleted.
inline constexpr std::string_view kFileRecordPrefix = "file:";
bool is_about_disk(std::string_view record_key);

/// The record of how far the server's list of changes was followed. Left out where the documents are taken to another workspace.
inline constexpr std::string_view kCursorRecord = "cursor";

struct ReplicaOptions {
  std::string workspace_id;
  /// Names this run, and with each key a client of its own: 32 random bits, new at each start, so that a copied folder never reuses an id.
  ClientId client;
  /// Body documents asked for at one time (T28).
  uint32_t max_in_flight = 32;
  /// No answer for a document after this long: it is asked for again, the others go on (T8).
  DurationMs answer_timeout{10'000};
  /// Where a server can tell which documents changed, its cursor is asked for anew after so many updates of bodies: so many of
  /// them are asked for at most after a break of the line, though they are here.
  uint32_t updates_per_cursor = 64;
  /// After so long every document is asked for again, whatever the server says: what goes wrong in silence is found.
  DurationMs full_check_after{int64_t{7} * 24 * 60 * 60 * 1000};
  /// Who this device is to the others: said in the workspace document with its first edit, for their history. Empty: not said.
  HistoryDevice device = {};
  /// False for a guest of a shared session: documents only, no file is written.
  bool write_files = true;
  /// What the disk makes of names. Events and actions name files as this disk does; everything else is said in keys.
  DiskTraits disk{};
  BreakerOptions breaker{};
};

/// One line of `status`.
struct ReplicaStatus {
  SyncState state = SyncState::Disconnected;
  uint64_t files = 0;  // live entries, text and binary
  uint64_t waiting_documents = 0;  // not answered on this connection
  uint64_t unsaved_documents = 0;  // with changes the server has not acknowledged
  uint64_t uploads = 0;  // blobs to send
  uint64_t downloads = 0;  // blobs to fetch
  uint64_t pending_writes = 0;  // files to bring up to date on disk
  uint64_t held_outgoing = 0;  // deletions and truncations found here that wait for ReleaseHeld or UndoHeld
  uint64_t held_incoming = 0;  // the same from elsewhere
};

class Replica {
 public:
  explicit Replica(ReplicaOptions options);
  Replica(Replica&&) noexcept;
  Replica& operator=(Replica&&) noexcept;
  ~Replica();

  // --- start: everything that Persist actions stored, in any order per kind, before the first event ---------------

  /// doc      `workspace` or `body:<key>`; other names are ignored.
  /// update   one record of its log, or a whole state; not trusted.
  /// Errors   as `Doc::apply_update_v1`: keep the record aside and report it; the server repairs the document.
  Result<void> restore_update(std::string_view doc, ByteView update);
  /// Errors: InvalidMessage; the file is then treated as never synced.
  Result<void> restore_record(std::string_view key, std::string_view value);

  // --- running ----------------------------------------------------------------------------------------------------

  /// Takes one event and appends actions. Never fails: bad input is a Problem notice.
  void handle(const Event& event, TimestampMs now, std::vector<Action>& out);

  /// When DeadlineReached is wanted; nothing if there is nothing to wait for. Later than the last DeadlineReached.
  std::optional<TimestampMs> next_deadline() const;

  // --- getters ----------------------------------------------------------------------------------------------------

  ReplicaStatus status() const;
  /// All is in step with the server and on both disks. False while not connected.
  bool settled() const;
  /// The name of a key on this disk, and the key of a name.
  std::string disk_path(std::string_view key) const;
  std::string key_of(std::string_view disk_path) const;
  /// Paths that were last known to be on this disk, as it names them. Order: by key.
  std::vector<std::string> known_files() const;
  /// Those of them that had this content. Cost: a logarithm of the number of all.
  std::vector<std::string> files_with(const Sha256& hash) const;
  /// The digest that a file known by this name on disk had, for shells that tell only what differs. Zeros, which no file has, while
  /// it was told to be missing or other and that is not believed yet: that it is as it was is news then.
  std::optional<Sha256> known_hash(const std::string& path) const;
  /// sha256(text). Of a text that was worked with last it is known already.
  Sha256 hash_of(std::string_view text) const;
  /// What a wave of changes that is held would do. Order: by direction and path.
  std::vector<HeldChange> held() const;
  /// Live text files by path, and live binary files.
  std::vector<std::string> text_files() const;
  std::vector<BinaryRef> binary_files() const;
  /// What a file should hold on disk; nothing for an unknown or binary file, or one whose text is not here yet.
  std::optional<std::string> file_text(const std::string& path) const;
  std::optional<std::string> body_text(const std::string& path) const;
  std::optional<FileMetadata> metadata(const std::string& path) const;
  /// Whole state of a document as an update v1, for storing; `00 00` for an unknown one.
  Bytes document_state(std::string_view doc) const;
  /// The client with which edits of this device may be made on a copy of `document_state`, to be told by `UpdateMade`.
  ClientId client_of(std::string_view doc) const;
  /// Names of all documents that hold something: `workspace` and `body:<key>`.
  std::vector<std::string> documents() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace diaryx::sync
