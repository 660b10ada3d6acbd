// Control messages: the JSON text frames of the socket, both directions, as structs.
//
// Member names are mixed (`joinCode` beside `files_synced`) because they are so on the wire. `ServerHello`, `Saved`, `DocError`,
// `ClientHello`, `ChangesWanted` and `Changes` are additions of ours that old peers ignore.
// Source: docs/protocol.md, "Control messages".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

namespace diaryx::sync {

/// A text frame beyond this is refused unread (`crdt_state` carries a whole workspace in base64).
inline constexpr size_t kMaxControlBytes = 64u << 20;

// Server to client.

struct SessionJoined {
  std::string join_code;
  std::string workspace_id;
  bool read_only = false;
  bool operator==(const SessionJoined&) const = default;
};
struct ManifestFile {
  std::string doc_id;  // `body:<ws>/<path>`
  std::string filename;  // the full path, whatever the name says
  std::optional<std::string> title;
  std::optional<std::string> part_of;
  bool deleted = false;
  bool operator==(const ManifestFile&) const = default;
};
struct FileManifest {
  std::vector<ManifestFile> files;
  bool client_is_new = false;
  bool operator==(const FileManifest&) const = default;
};
/// A full update of the workspace doc, v1; base64 on the wire.
struct CrdtState {
  Bytes state;
  bool operator==(const CrdtState&) const = default;
};
struct SyncComplete {
  uint64_t files_synced = 0;
  bool operator==(const SyncComplete&) const = default;
};
struct PeerJoined {
  std::string guest_id;
  uint64_t peer_count = 0;
  bool operator==(const PeerJoined&) const = default;
};
struct PeerLeft {
  std::string guest_id;
  uint64_t peer_count = 0;
  bool operator==(const PeerLeft&) const = default;
};
struct SessionEnded {
  bool operator==(const SessionEnded&) const = default;
};
struct ReadOnlyChanged {
  bool read_only = false;
  bool operator==(const ReadOnlyChanged&) const = default;
};
struct SyncProgress {
  uint64_t completed = 0;
  uint64_t total = 0;
  bool operator==(const SyncProgress&) const = default;
};
struct FocusListChanged {
  std::vector<std::string> files;
  bool operator==(const FocusListChanged&) const = default;
};
/// Ours. First message of the server; `receipts` promises a `Saved` for what is committed.
struct ServerHello {
  std::string name;
  std::string version;
  bool receipts = false;
  std::string lineage = {};  // another one than before: the server was restored from a backup; empty: not told
  bool changes = false;  // answers `ChangesWanted`
  bool operator==(const ServerHello&) const = default;
};
/// Ours. The first `received` SyncStep2 and Update messages that this connection sent for `doc` are committed.
struct Saved {
  std::string doc;
  uint64_t received = 0;
  bool operator==(const Saved&) const = default;
};
/// Ours. The server refuses something about one document; the others go on (T8).
struct DocError {
  std::string doc;  // empty: the whole connection
  std::string code;  // `unauthorized`, `invalid`, `too_large`, `read_only`, `storage`, or one not known yet
  std::string message;  // a sentence for people
  bool operator==(const DocError&) const = default;
};

/// Ours. Answer to `ChangesWanted`: from now on this connection is sent the updates of every body of the workspace, and these
/// keys are those whose bodies changed since the cursor that was named.
struct Changes {
  std::string workspace;
  /// What to name next time, when all up to here is known; opaque, empty: nothing can be named.
  std::string cursor;
  /// False: no cursor was named, or it means nothing here (any more); `keys` is empty, and every body may have changed.
  bool known = false;
  std::vector<std::string> keys;
  bool operator==(const Changes&) const = default;
};

// Client to server.

/// Ours. First message of a client; `handshake` false: a workspace document is opened like any other.
struct ClientHello {
  bool handshake = true;
  bool operator==(const ClientHello&) const = default;
};
/// Ours. See `Changes`; sent when the workspace document is open.
struct ChangesWanted {
  std::string workspace;
  std::string cursor;  // of an earlier answer; empty: none
  bool operator==(const ChangesWanted&) const = default;
};
/// Ends the handshake. Read as `FilesReady` and `files_ready`, written as `FilesReady`.
struct FilesReady {
  bool operator==(const FilesReady&) const = default;
};
struct Focus {
  std::vector<std::string> files;
  bool operator==(const Focus&) const = default;
};
struct Unfocus {
  std::vector<std::string> files;
  bool operator==(const Unfocus&) const = default;
};
/// `{"action":"leave",...}`: close one document on this connection.
struct Leave {
  std::string doc;
  bool operator==(const Leave&) const = default;
};
/// `{"action":"save",...}`: persist a snapshot of one document now. Ours does where that makes loading shorter: all is stored anyway.
struct Save {
  std::string doc;
  bool operator==(const Save&) const = default;
};

/// Well-formed JSON that means nothing to us: an unknown type, no type, or not an object. Both sides ignore it.
struct Ignored {
  std::string type;
  bool operator==(const Ignored&) const = default;
};

using ControlMessage =
    std::variant<SessionJoined, FileManifest, CrdtState, SyncComplete, PeerJoined, PeerLeft, SessionEnded,
                 ReadOnlyChanged, SyncProgress, FocusListChanged, ServerHello, Saved, DocError, Changes, ClientHello,
                 ChangesWanted, FilesReady, Focus, Unfocus, Leave, Save, Ignored>;

/// Reads a text frame. Members that the wire contract lets a sender leave out get their default; extra members are
/// ignored; a manifest entry without `doc_id` and `filename` is dropped.
///
/// text     not trusted.
/// Errors   InvalidJson, InvalidUtf8, TooDeep, TooLarge; InvalidMessage when a required member is missing or of the
///          wrong type (`state`, `files_synced`, `completed`, `total`, `files` of a focus list, `doc`, `received`,
///          `read_only`, `joinCode`, `workspaceId`); InvalidBase64 for `state`.
Result<ControlMessage> parse_control(std::string_view text);

/// The text frame. An `Ignored` is written as `{"type":...}`.
std::string format_control(const ControlMessage& message);

}  // namespace diaryx::sync
