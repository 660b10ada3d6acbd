// The relay's insides: connections, rooms, and what each event does to them. See relay.h for the promises.
//
// What has a state of its own is kept by small machines, each with its invariants and none that knows of another:
//   awake_documents.h   which documents are more than their bytes, and when they become bytes again
//   change_questions.h  what connections asked about changes, until they are answered
//   idle_documents.h    which documents nothing is asked of, and when they leave memory
//   awareness_store.h, outbox.h, room_doc.h  of one document: who is present, what is still to be sent, the text
//
// The methods are spread over files by subject: machine.cpp (dispatch, connections), opening.cpp (authorise, load, admit),
// handshake.cpp (manifest, FilesReady), messages.cpp (sync and awareness messages), commits.cpp (appends, outbox,
// receipts, flow control), following.cpp (what changed since a cursor, updates of documents that are not open), life.cpp (rest,
// snapshots, leaving memory, failure, revocation), edits.cpp (the server's own edits).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "awake_documents.h"
#include "change_questions.h"
#include "connection.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/relay.h"
#include "idle_documents.h"
#include "room.h"

namespace diaryx::sync::relay {

/// The `code` of an error message; `text_of` gives the word on the wire.
enum class Refusal : uint8_t { Unauthorized, Invalid, TooLarge, ReadOnly, Storage };

/// False for presence.
bool asks_of_document(const Message& message);

class Machine {
 public:
  explicit Machine(RelayOptions options);

  void handle(Event event, TimestampMs now, std::vector<Action>& out);
  void handle(std::vector<Event>& events, TimestampMs now, std::vector<Action>& out);
  Ticket edit(ServerEdit edit, TimestampMs now, std::vector<Action>& out);
  crdt::Doc* find(const DocId& document);
  std::optional<Bytes> state(const DocId& document);
  size_t members(const DocId& document);
  std::optional<TimestampMs> next_deadline() const;
  void drain(TimestampMs now, std::vector<Action>& out);
  bool quiet() const { return append_rooms_.empty() && snapshot_rooms_.empty(); }
  RelayStatistics statistics() const;
  uint64_t released_bytes() const { return released_bytes_; }

 private:
  // machine.cpp
  void on(ConnectionOpened& event);
  void on(BinaryFrame& event);
  void on(TextMessage& event);
  void on(ConnectionClosed& event);
  void take_payload(Connection& connection, std::string_view document, const ParsedDocId& parsed, ByteView payload);
  void refuse(Connection& connection, std::string_view document, Refusal refusal, std::string_view sentence);
  void count_bad_frame(Connection& connection);
  void close(Connection& connection, CloseCode code, std::string reason);
  Connection* connection(ConnectionId id);
  Room* room(std::string_view document);

  // opening.cpp
  void on(Authorized& event);
  void on(DocumentLoaded& event);
  void on(DocumentLoadFailed& event);
  void start_seat(Connection& connection, std::string_view document, const ParsedDocId& parsed, ByteView payload);
  void ask_access(const Connection& connection, std::string_view workspace);
  void drop_questions(ConnectionId id, std::string_view workspace);
  void approach(Connection& connection, const SharedDocId& document);
  Room& room_for(const SharedDocId& document);
  void start_loading(Room& room);
  bool restore(Room& room, DocumentLoaded& event);
  void admit_everybody(Room& room);
  void admit(Connection& connection, Room& room);
  void take_held(Connection& connection, Seat& seat, Room& room);
  void open_seat(Connection& connection, Room& room, Seat& seat);
  void leave(Connection& connection, std::string_view document);
  void give_up_loading(Room& room, StorageFailure why);
  void announce_peer(Room& room, const Connection& who, bool joined);

  // handshake.cpp
  void make_manifest(Room& room);
  bool needs_handshake(const Connection& connection, Room& room);
  void send_joined(Connection& connection, Room& room);
  void send_manifest(Connection& connection, Room& room);
  void files_ready(Connection& connection);
  void send_workspace_state(Connection& connection, Room& room);

  // messages.cpp
  void take_messages(Connection& connection, Seat& seat, Room& room, ByteView payload);
  void take(Connection& connection, Seat& seat, Room& room, const SyncStep1& message);
  void take_update(Connection& connection, Seat& seat, Room& room, ByteView update);
  void take(Connection& connection, Seat& seat, Room& room, const Awareness& message);
  bool fits(Room& room, ByteView update) const;
  void note_growth(Room& room, size_t size_bytes);
  void send_message(Room& room, std::vector<ConnectionId> to, const Message& message);
  void send_sync_step1(Connection& connection, Room& room);
  void send_awareness(Connection& connection, Room& room);

  // commits.cpp
  void on(UpdateStored& event);
  void take_stored(const UpdateStored& event);
  void on(UpdateNotStored& event);
  void append(Room& room, SharedBytes update, ConnectionId from, const std::string& user, const std::string& device,
              UpdateOrigin origin, size_t held_bytes = 0);
  void finish_append();
  void send(Room& room, Outgoing message);
  void send_error(Room& room, ConnectionId to, Refusal refusal, std::string_view sentence);
  void relay_update(Room& room, SharedBytes update, ConnectionId except);
  void flush(Room& room);
  void send_leaving(Room& room);
  void send_settled();
  size_t held_size(ByteView payload) const { return payload.size() + options_.limits.held_overhead_bytes; }
  void hold(Connection& connection, size_t size_bytes);
  void release(Connection& connection, size_t size_bytes);

  // following.cpp
  void on(ChangesListed& event);
  void follow(Connection& connection, const ChangesWanted& wanted);
  void add_followers(const Room& room, ConnectionId except, std::vector<ConnectionId>& to);
  void release_changes(Ticket append);
  void stop_following(const Connection& connection, Room& workspace);

  // life.cpp
  void on(SnapshotStored& event);
  void on(SnapshotNotStored& event);
  void on(AccessRevoked& event);
  void on(AccessChanged& event);
  void on(AccessEnded& event);
  void on(DeadlineReached& event);
  void finish_snapshot(Ticket ticket, bool stored);
  static bool is_worth_a_snapshot(const Room& room);
  void store_snapshot(Room& room);
  void store_coming_snapshot(Room& room);
  void compact_if_due(Room& room);
  void note_if_idle(Room& room);
  void end_idle(Room& room);
  void unload(Room& room);
  void put_away(Room& room);
  void unload_beyond_limit();
  crdt::Doc& work_on(Room& room);
  void settle_awoken();
  void rest_quiet_rooms();
  void rest(Room& room, SharedBytes perhaps);
  void rest_in(Room& room, SharedBytes message, size_t offset);
  static void shrink_if_resting(Room& room);
  void fail_room(Room& room, StorageFailure why);
  void drop_room(Room& room, Refusal refusal, std::string_view sentence);
  void end_failed_room(Room& room);
  void erase(Room& room);

  // edits.cpp
  void apply_edit(Room& room, PendingEdit pending);

  struct ByReceiver {
    bool operator()(const auto& a, const auto& b) const {
      return a.first != b.first ? a.first < b.first : ById()(a.second, b.second);
    }
  };

  /// Updates that one connection sent for one document in a row become one record, and one message to the others.
  struct OpenAppend {
    Room* room = nullptr;  // null: there is none
    AppendUpdate action;  // without its update
    ConnectionId from;
    std::vector<SharedBytes> updates;
    size_t size_bytes = 0;
  };

  Ticket next_ticket() { return Ticket{++last_ticket_}; }
  ClientId next_client();

  RelayOptions options_;
  std::map<ConnectionId, Connection> connections_;
  std::unordered_map<std::string_view, std::unique_ptr<Room>> rooms_;  // by id; never iterated where order would show
  std::unordered_map<Ticket, std::pair<ConnectionId, std::string>> authorizations_;
  std::unordered_map<Ticket, SharedDocId> load_rooms_;
  ChangeQuestions change_questions_;
  std::unordered_map<Ticket, Room*> append_rooms_;  // a room outlives its appends
  std::unordered_map<Ticket, SharedDocId> snapshot_rooms_;
  IdleDocuments idle_;  // rooms that could leave, and none that is gone
  AwakeDocuments awake_;
  std::map<std::pair<ConnectionId, SharedDocId>, uint64_t, ByReceiver> receipts_;  // due, only inside a call
  std::vector<Room*> leaving_rooms_;  // with something in `leaving`, only inside a call
  OpenAppend open_append_;  // only inside a call
  uint64_t released_bytes_ = 0;
  bool draining_ = false;
  bool gathers_ = false;  // receipts, and updates that leave, of several events
  uint64_t last_ticket_ = 0;
  uint64_t documents_loaded_ = 0;

  TimestampMs now_;  // of the call being handled
  std::vector<Action>* out_ = nullptr;  // of the call being handled
};

}  // namespace diaryx::sync::relay
