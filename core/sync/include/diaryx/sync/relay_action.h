// What the relay asks of the shell. Actions are performed in the order given.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::sync::relay {

/// May this principal open documents of the workspace? Answer: `Authorized`. Asked once per connection and workspace.
struct Authorize {
  Ticket ticket;
  ConnectionId connection;
  Principal principal;
  std::string workspace;  // text from the wire: not checked to be an id, never part of a file name
};

/// Answer: `DocumentLoaded` or `DocumentLoadFailed`.
struct LoadDocument {
  Ticket ticket;
  DocId document;
};

/// Which body documents of the workspace were changed by records after `since` (nothing: only where the storage stands)?
/// Answer: `ChangesListed`.
struct ListChanges {
  Ticket ticket;
  std::string workspace;
  std::optional<Sequence> since;
};

/// Store one update, or several that one connection sent in a row, merged. Many may be committed together; answer each
/// with `UpdateStored` or `UpdateNotStored`, per document in the order asked.
struct AppendUpdate {
  Ticket ticket;
  DocId document;
  SharedBytes update;  // v1
  std::string user_id;
  std::string device_id;
  UpdateOrigin origin;
};

/// Store `state` as what the records up to `through` amount to. The records may be kept for history; loading reads the
/// snapshot and what comes after it. Answer: `SnapshotStored` or `SnapshotNotStored`.
struct StoreSnapshot {
  Ticket ticket;
  DocId document;
  SharedBytes state;
  Sequence through;
};

/// One encoded message for many sockets, each of which sends in order.
struct SendBinary {
  std::vector<ConnectionId> to;
  SharedBytes bytes;
};

struct SendText {
  std::vector<ConnectionId> to;
  SharedText text;
};

/// Flow control: a connection whose frames are held or uncommitted beyond `max_held_bytes` is not read until resumed.
struct PauseReading {
  ConnectionId connection;
};
struct ResumeReading {
  ConnectionId connection;
};

/// Close after what was sent before. `ConnectionClosed` is expected back.
struct CloseConnection {
  ConnectionId connection;
  CloseCode code;
  std::string reason;  // at most 120 bytes, for people
};

/// An edit asked for by `sync::Relay::edit` is stored and sent to everybody, or will never be.
struct EditFinished {
  Ticket ticket;
  bool stored;
};

using Action = std::variant<Authorize, LoadDocument, ListChanges, AppendUpdate, StoreSnapshot, SendBinary, SendText,
                            PauseReading, ResumeReading, CloseConnection, EditFinished>;

}  // namespace diaryx::sync::relay
