// What the replica asks its shell to do, and what it tells the world.
//
// The contract of a batch: first make every Persist action durable in ONE transaction, then perform the others in
// order. An update is thus on this device's disk before any other device hears of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/history_record.h"
#include "diaryx/sync/ticket.h"

namespace diaryx::sync {

// --- Persist ----------------------------------------------------------------------------------------------------

/// Appends an update to the log of a document. A shell may replace the log by `Replica::document_state(doc)` any time.
struct PersistUpdate {
  std::string doc;  // `workspace` or `body:<key>`
  Bytes update;     // v1
  /// For shells that keep history (`history_keep.h`).
  HistoryOrigin origin = HistoryOrigin::Local;
  std::string note = {};
};
/// Stores a small record; an empty value removes it.
struct PersistRecord {
  std::string key;
  std::string value;
};

// --- the socket -------------------------------------------------------------------------------------------------

struct SendBinary {
  Bytes frame;
};
struct SendText {
  std::string json;
};
/// The server does not answer: close the socket and open it anew.
struct Reconnect {
  std::string reason;
};

// --- the disk ---------------------------------------------------------------------------------------------------
//
// `expected` is what the file must be on disk at this moment: that content, or not there at all when absent. If it is
// not so, the shell does nothing, answers FileRefused and reports what it found. Checking and replacing are one step.

struct ReadFile {
  std::string path;  // answered with TextFileSeen, BlobFileSeen or FileGone, then FilesSettled
  Ticket ticket = {};
};
struct WriteText {
  std::string path;
  std::string bytes;
  std::optional<Sha256> expected;
  Ticket ticket = {};
};
/// The content comes from a file on this device that has it, else from the server; verified against `hash` either way.
struct FetchBlob {
  std::string path;
  Sha256 hash;
  uint64_t size_bytes = 0;
  std::optional<Sha256> expected;
  Ticket ticket = {};
};
struct RemoveFile {
  std::string path;
  Sha256 expected;
  Ticket ticket = {};
};
/// Renames `from`, if it is as expected and nothing is at `to`. Answered with FileMoved, or FileRefused for `to`. A shell that cannot
/// rename writes `to` and says so; it is asked to remove `from` then.
struct MoveFile {
  std::string from;
  std::string to;
  Sha256 expected;
  Ticket ticket = {};
};
/// Sends a file's content to the server, if it still has this hash; else the shell reports what is there.
struct UploadBlob {
  std::string path;
  Sha256 hash;
  uint64_t size_bytes = 0;
  std::string mime_type;
  Ticket ticket = {};
};

// --- telling ----------------------------------------------------------------------------------------------------

/// Refused: the server does not give the workspace to this device (any more); a Problem said why. It is asked again after half a minute,
/// on a new line, unless the shell ends. It is so until a line is open again.
enum class SyncState : uint8_t { Disconnected, Connecting, Connected, Syncing, Synced, Reconnecting, Refused };

struct StatusChanged {
  SyncState state;
};
struct Progress {
  uint64_t completed = 0;
  uint64_t total = 0;
};
/// Files that remote changes touched, with what happened to them.
enum class FileChange : uint8_t { Created, Changed, Removed, Moved, MetadataChanged };
struct FileChanged {
  std::string path;
  FileChange change;
  std::string from;  // for Moved
};
struct BodyChanged {
  std::string path;
  std::string body;
};
/// Something a user should know; sync goes on. `path` may be empty.
struct Problem {
  std::string path;
  std::string message;
};
struct PeersChanged {
  uint64_t peer_count = 0;
  bool joined = false;
};
/// Everything here is on the server's disk and everything there is on ours.
struct Settled {};
/// A change that waits for ReleaseHeld or UndoHeld.
struct HeldChange {
  enum class Direction : uint8_t { Outgoing, Incoming };  // found on this disk; made elsewhere
  enum class Kind : uint8_t { Deletion, Truncation };
  std::string path;
  Direction direction;
  Kind kind;
};
/// A wave of deletions or truncations is held, or (all zero) is not held any more.
struct MassChangeHeld {
  uint64_t deletions = 0;
  uint64_t truncations = 0;
  uint64_t files = 0;  // of so many on this device
  HeldChange::Direction direction = HeldChange::Direction::Outgoing;
};

using Notice =
    std::variant<StatusChanged, Progress, FileChanged, BodyChanged, Problem, PeersChanged, Settled, MassChangeHeld>;

struct Notify {
  Notice notice;
};

using Action = std::variant<PersistUpdate, PersistRecord, SendBinary, SendText, Reconnect, ReadFile, WriteText,
                            FetchBlob, RemoveFile, MoveFile, UploadBlob, Notify>;

}  // namespace diaryx::sync
