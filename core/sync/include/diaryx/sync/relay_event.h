// What the shell tells the relay.
//
// Order matters: events of one connection are handed over as they arrived, and answers to appends of one document in
// the order in which the appends were asked for.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::sync::relay {

/// How much of the old handshake a connection wants.
enum class Handshake : uint8_t {
  Full,  // as the hosted server: manifest, FilesReady, crdt_state; peers announced on every document
  Lean,  // `handshake=0` in the URL (our own clients): a workspace document opens like a body document, its first frame
  // is answered, and peers are announced on workspace documents only
  Editor,  // a Yjs editor behind an adapter: as Lean, never told about peers, and hears its own presence again, by which
  // y-websocket and Hocuspocus clients know that the connection lives
};

struct ConnectionOpened {
  ConnectionId connection;
  SharedPrincipal principal;  // never null
  Handshake handshake = Handshake::Full;
};

/// Not trusted, whole message. Held until authorisation and loading are done, then handled in order.
struct BinaryFrame {
  ConnectionId connection;
  Bytes bytes;
};

/// Not trusted, whole message.
struct TextMessage {
  ConnectionId connection;
  std::string text;
};

/// Also after a `Close` action. Everything the connection sent before is still stored and relayed.
struct ConnectionClosed {
  ConnectionId connection;
};

/// Answer to `Authorize`.
struct Authorized {
  Ticket ticket;
  Access access;
};

/// Answer to `LoadDocument`: a stored snapshot (may be empty) and the updates after it, oldest first.
/// A document that was never stored has neither. Trusted to be what was stored, still decoded with care: a record
/// that cannot be read refuses the document (error `storage`) instead of opening a part of it.
struct DocumentLoaded {
  Ticket ticket;
  Bytes snapshot;
  std::vector<Bytes> updates;
  Sequence last;  // of the newest record, in the snapshot or after it
};

struct DocumentLoadFailed {
  Ticket ticket;
  StorageFailure why;
};

/// Answer to `ListChanges`, as the storage was at one moment after the question.
struct ChangesListed {
  Ticket ticket;
  /// False: records after `since` were removed, or the storage never came that far, or it failed.
  bool known = false;
  std::vector<std::string>
      documents;  // of the workspace with records after `since`; the workspace document may be among them
  Sequence through;  // of the newest record of any document, stored for good; 0: nothing, or the storage failed
};

/// Answer to `AppendUpdate`: the update is on disk for good.
struct UpdateStored {
  Ticket ticket;
  Sequence sequence;
};

/// The update is not stored, or nobody can tell. The document's memory is thrown away (it is ahead of the storage), its
/// connections get error `storage` and are closed with `TryAgainLater`, as are those that follow its workspace: they come
/// back, and the difference is sent again.
struct UpdateNotStored {
  Ticket ticket;
  StorageFailure why;
};

/// Answers to `StoreSnapshot`.
struct SnapshotStored {
  Ticket ticket;
};
struct SnapshotNotStored {
  Ticket ticket;
  StorageFailure why;
};

/// The workspace is gone or a user's access to it changed: open documents are closed, nothing more is stored.
/// `user_id` empty = everybody.
struct AccessRevoked {
  std::string workspace;
  std::string user_id;
};

/// A connection may now do more or less in a workspace than it was told; takes effect with the next message.
struct AccessChanged {
  ConnectionId connection;
  std::string workspace;
  Access access;  // not Denied: that is `AccessEnded`
};

/// What let this connection in is gone: it leaves every document at once and is closed with `PolicyViolation`.
struct AccessEnded {
  ConnectionId connection;
  std::string sentence;  // for the person at the other end
};

/// `sync::Relay::next_deadline()` has come.
struct DeadlineReached {};

using Event = std::variant<ConnectionOpened, BinaryFrame, TextMessage, ConnectionClosed, Authorized, DocumentLoaded,
                           DocumentLoadFailed, ChangesListed, UpdateStored, UpdateNotStored, SnapshotStored,
                           SnapshotNotStored, AccessRevoked, AccessChanged, AccessEnded, DeadlineReached>;

}  // namespace diaryx::sync::relay
