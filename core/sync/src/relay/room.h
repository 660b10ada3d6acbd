// One document in the relay's memory, and everybody who has it open.
//
// Life:  Loading ──loaded──► Open ──nothing asked of it for a while──► (last snapshot asked for) ──answered──► nobody here: gone
//        ▲ │ failed          │  ▲                                              │ somebody asks                  else: Away
//        │ ▼                 │  └──────────────────────────────────────────────┘                                 │
//        │ gone              │ an append failed                                                                  │
//        │                   ▼                                                                                   │
//        │                Failed ──appends in flight answered──► gone, or Loading again if somebody waits        │
//        └─────────────────────────────────── somebody asks of it ───────────────────────────────────────────────┘
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "awake_documents.h"
#include "awareness_store.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/relay.h"
#include "document_name.h"
#include "fifo.h"
#include "outbox.h"
#include "room_doc.h"

namespace diaryx::sync::relay {

enum class Life : uint8_t {
  Loading,  // payloads are held; members are here if it was Away before
  Open,
  Away,  // members keep their seats and hear of each other; the text is in the storage alone
  Failed,
};

struct PendingAppend {
  Ticket ticket;
  ConnectionId from;  // 0: an edit of the server
  size_t held_bytes;  // what it takes of its sender's allowance
};

struct PendingEdit {
  Ticket ticket;
  ServerEdit edit;
};

struct Room {
  SharedDocId id;
  std::string_view workspace;  // in `id`
  DocKind kind;

  Life life = Life::Loading;
  Ticket load;  // the question whose answer is waited for while Loading
  RoomDoc doc;  // open exactly while Open; woken by Machine::work_on
  WorkTimes times;

  std::vector<ConnectionId> waiting;  // for the document to be loaded, in order of asking
  std::vector<ConnectionId> shaking;  // have been sent the manifest and are to answer FilesReady
  std::vector<ConnectionId> members;  // have it open, in order of opening
  std::vector<ConnectionId> followers;  // of a workspace document: members that are sent the updates of all its bodies
  std::vector<ConnectionId> asking;  // members that are owed the state of a workspace document once it is loaded
  std::vector<PendingEdit> edits;  // for the document to be loaded

  Fifo<PendingAppend> appends;  // asked for and not answered, oldest first
  Ticket last_append;  // the newest ever asked for; 0: none
  Outbox outbox;
  std::vector<RelayedUpdate> leaving;  // taken out of the outbox, to be sent together; only inside a call

  Sequence stored;  // of the newest record known to be stored
  uint32_t records_since_snapshot = 0;
  std::optional<Ticket> snapshot;  // being stored
  SharedBytes coming;  // a snapshot to be stored once `coming_after` is, which is the newest append in it; null: none
  Ticket coming_after;
  bool is_leaving = false;  // nobody asked for so long that only the last snapshot is waited for

  // What the last SyncStep1 was answered with if it was large, as long as somebody is still being sent it: many who open a document at once
  // ask the same, and are told in one piece of memory.
  Bytes answered;  // the state vector of the question
  std::weak_ptr<const Bytes> answer;  // the frame; forgotten when the document changes

  // What the document takes as an update, at least: what was loaded and every update since. Made exact before anything is refused.
  uint64_t size_bytes = 0;
  bool size_is_exact = false;

  AwarenessStore awareness;
  SharedText manifest;  // `file_manifest` of a workspace document; null: to be made anew
  uint64_t live_files = 0;  // belongs to `manifest`

  bool in_use() const { return !members.empty() || !shaking.empty() || !waiting.empty() || !edits.empty(); }
  /// Everything in it is stored and nobody waits for it.
  bool could_leave() const { return life == Life::Open && shaking.empty() && appends.empty() && !snapshot; }
};

}  // namespace diaryx::sync::relay
