// The relay: what the server does between sockets and storage, without touching either.
//
// Invariants
//  1. Nothing that depends on an update leaves the relay before the storage said the update is stored: not the relayed
//     frame, not an answer computed from the document, not a receipt. Each document has one queue of outgoing messages,
//     and a message waits there for the append that was newest when it was made.
//  2. Per document, messages leave in the order in which their causes arrived.
//  3. A document is stored only from a memory state that was loaded completely; a failed load or append drops the
//     memory and never leads to a store.
//  4. A read-only connection's updates are dropped before anything is applied.
//  5. Same events, same times, same seed: same actions, byte for byte.
//
// Wire: the framed protocol of existing Diaryx clients (docs/protocol.md), byte for byte where they look, and mended
// where the hosted server loses data: every message of a combined payload is handled, only news is stored and relayed
// (as one Update frame, encoded once; several of one connection that come in one call, as one), changes that only delete
// are relayed, a refused document is answered.
//
// Additions that older clients ignore (text messages):
//   {"type":"server_hello","name":…,"version":…,"receipts":true,"lineage":…,"changes":true}   first message on every connection
//   {"type":"saved","doc":D,"received":N}    the first N update-bearing messages (SyncStep2, Update) that this connection
//                                            sent for D since it opened D are settled: stored, or refused by an `error`
//                                            message sent before this one
//   {"type":"error","doc":D,"code":C,"message":M}    C = unauthorized | invalid | too_large | read_only | storage
//   and the answer to `changes_wanted` (docs/protocol.md, "What changed")
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/relay_action.h"
#include "diaryx/sync/relay_event.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::crdt {
class Doc;
}

namespace diaryx::sync {

namespace relay {
class Machine;
}

struct RelayOptions {
  std::string server_name = "diaryx-syncd";
  std::string server_version = "0";
  std::string lineage;  // of the storage; told in `server_hello`, empty: not told
  uint64_t seed = 0;  // makes the client ids of the server's own edits; random per process
  relay::Limits limits{};
};

/// An edit made by the server itself (snapshot import, restore): an ordinary forward edit on the live document.
struct SetText {
  std::string root;  // Y.Text
  std::string value;  // UTF-8; reached by a minimal diff against what is there
};
struct SetEntry {
  std::string root;  // Y.Map
  std::string key;
  std::string value;  // stored as a string value; an equal value is not written again
};
struct ServerEdit {
  DocId document;
  Bytes seed;  // update v1; applied instead of `texts` if the document holds nothing; empty: none
  Bytes update =
      {};  // v1, made on what the document was; applied instead of `texts`, so that edits made since then stay
  std::vector<SetText> texts;
  std::vector<SetEntry> entries;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Import;
  std::string user_id;
  std::string device_id;
};

struct RelayStatistics {
  size_t connections = 0;
  size_t documents = 0;  // in memory
  size_t away = 0;  // others that connections have open, and that nobody asked anything of for a while
  size_t awake = 0;  // of them, those that are more than their bytes: edited just now, or large
  size_t uncommitted = 0;  // appends asked for and not answered
};

class Relay {
 public:
  explicit Relay(RelayOptions options);
  ~Relay();
  Relay(Relay&&) noexcept;
  Relay& operator=(Relay&&) noexcept;

  /// Takes one event and appends the actions it leads to. `now` never goes backwards, nor stands still: deadlines are made of it,
  /// and nothing that is stored.
  void handle(relay::Event event, TimestampMs now, std::vector<relay::Action>& out);
  /// The same for several that came at once, in order; each connection gets at most one receipt per document for all of them.
  void handle(std::vector<relay::Event> events, TimestampMs now, std::vector<relay::Action>& out);

  /// Makes an edit on the live document, loading it first if needed. Answered by `EditFinished` with the same ticket,
  /// which is returned here. An edit that changes nothing is finished once everything before it is stored.
  relay::Ticket edit(ServerEdit edit, TimestampMs now, std::vector<relay::Action>& out);

  /// The document if it is in memory and completely loaded, else null; for reading, valid until the next call. It may be
  /// ahead of the storage: who shows it to anybody waits for a barrier of the storage first.
  crdt::Doc* find(const DocId& document) const;
  /// The same as an update v1 with everything in it; costs less for a document that nobody edits.
  std::optional<Bytes> state(const DocId& document) const;

  /// How many connections have the document open.
  size_t members(const DocId& document) const;

  /// When `DeadlineReached` is due; nothing = no deadline.
  std::optional<TimestampMs> next_deadline() const;

  /// Close every connection with `GoingAway`; appends in flight are still answered. Then wait until `quiet()`.
  void drain(TimestampMs now, std::vector<relay::Action>& out);
  bool quiet() const;

  RelayStatistics statistics() const;

  /// Grows by the size of each document that is made smaller or leaves: how much the shell could give back to the system by now.
  uint64_t released_bytes() const;

 private:
  std::unique_ptr<relay::Machine> machine_;
};

}  // namespace diaryx::sync
