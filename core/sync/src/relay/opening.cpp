// From the first frame for a document to the open seat: authorise, load, admit.
#include <algorithm>
#include <utility>

#include "diaryx/sync/control.h"
#include "machine.h"

namespace diaryx::sync::relay {
namespace {

constexpr std::string_view kNotAllowed =
    "You may not open this document. Check the workspace id, and that the token belongs to its owner.";
constexpr std::string_view kTooMany = "This connection has too many documents open. Close some with a leave message.";

}  // namespace

std::string_view sentence_for(StorageFailure why) {
  switch (why) {
    case StorageFailure::Full: return "The server's disk is full. Nothing is lost here; tell the owner of the server.";
    case StorageFailure::Damaged:
      return "The server cannot read what it stored for this document. Tell the owner of the server; your copy is "
             "safe.";
    case StorageFailure::Unavailable: break;
  }
  return "The server cannot reach its storage now. Nothing is lost here; it is tried again when you reconnect.";
}

void Machine::start_seat(Connection& connection, std::string_view document, const ParsedDocId& parsed,
                         ByteView payload) {
  auto access = connection.workspaces.find(parsed.workspace);
  const bool known = access != connection.workspaces.end();
  if (known && access->second.access == Access::Denied)
    return refuse(connection, document, Refusal::Unauthorized, kNotAllowed);
  if (connection.seats.size() >= options_.limits.max_documents) {
    return refuse(connection, document, Refusal::TooLarge, kTooMany);
  }
  Room* const there = room(document);
  const SharedDocId id = there != nullptr ? there->id : std::make_shared<const DocId>(document);
  if (!known) {
    const auto name = parse_doc_id(id->view());
    access = connection.workspaces.emplace(name->workspace, WorkspaceAccess{id}).first;
  }
  connection.seats[id].hold(to_bytes(payload));
  hold(connection, held_size(payload));
  if (access->second.access) return approach(connection, id);
  access->second.waiting.push_back(id);
  if (!known) ask_access(connection, parsed.workspace);
}

void Machine::ask_access(const Connection& connection, std::string_view workspace) {
  const Ticket ticket = next_ticket();
  authorizations_.emplace(ticket, std::pair{connection.id, std::string(workspace)});
  out_->push_back(Authorize{ticket, connection.id, *connection.principal, std::string(workspace)});
}

/// A question that is still out must not be answered by what was true before. All of the connection if `workspace` is empty.
void Machine::drop_questions(ConnectionId id, std::string_view workspace) {
  std::erase_if(authorizations_, [&](const auto& asked) {
    return asked.second.first == id && (workspace.empty() || asked.second.second == workspace);
  });
}

void Machine::on(Authorized& event) {
  const auto asked = authorizations_.find(event.ticket);
  if (asked == authorizations_.end()) return;
  const auto [id, workspace] = std::move(asked->second);
  authorizations_.erase(asked);
  Connection* const found = connection(id);
  if (found == nullptr) return;
  const auto access = found->workspaces.find(workspace);
  if (access == found->workspaces.end()) return;
  const std::vector<SharedDocId> waiting = std::exchange(access->second.waiting, {});
  access->second.access = event.access;
  for (const SharedDocId& document : waiting) {
    const auto seat = found->seats.find(document);
    // Left meanwhile; or came back as well, and stands here twice.
    if (seat == found->seats.end() || seat->second.approached) continue;
    if (event.access != Access::Denied) {
      approach(*found, document);
      continue;
    }
    leave(*found, document->view());
    refuse(*found, document->view(), Refusal::Unauthorized, kNotAllowed);
  }
  // A refusal is asked about again with the next frame: the workspace may be made, or shared, a moment later.
  if (event.access == Access::Denied) found->workspaces.erase(access);
}

/// Goes on once access is granted.
void Machine::approach(Connection& connection, const SharedDocId& document) {
  connection.seats.at(document).approached = true;
  Room& entered = room_for(document);
  if (entered.life == Life::Open) return admit(connection, entered);
  entered.waiting.push_back(connection.id);
}

Room& Machine::room_for(const SharedDocId& document) {
  if (Room* const there = room(document->view())) {
    if (there->life == Life::Away) start_loading(*there);
    return *there;
  }
  const auto parsed = parse_doc_id(document->view());
  DX_ASSERT(parsed.has_value());  // checked when it came, or made by the server
  auto made = std::make_unique<Room>();
  made->id = document;
  made->kind = parsed->kind;
  made->workspace = parsed->workspace;
  Room& room = *rooms_.emplace(document->view(), std::move(made)).first->second;
  start_loading(room);
  return room;
}

void Machine::start_loading(Room& room) {
  room.life = Life::Loading;
  room.load = next_ticket();
  load_rooms_.emplace(room.load, room.id);
  out_->push_back(LoadDocument{room.load, *room.id});
}

ClientId Machine::next_client() {
  // splitmix64 of seed and count: different documents and different loads never share a client id.
  uint64_t x = options_.seed + 0x9e3779b97f4a7c15u * ++documents_loaded_;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return ClientId{(x ^ (x >> 31)) & 0xffff'ffffu};
}

/// False if a record cannot be read: a document is opened whole or not at all.
bool Machine::restore(Room& room, DocumentLoaded& event) {
  crdt::Doc doc({.client = next_client()});
  const size_t snapshot_bytes = event.snapshot.size();
  if (snapshot_bytes > 0 && !doc.take_update_v1(std::move(event.snapshot))) return false;
  for (const Bytes& update : event.updates) {
    if (!doc.apply_update_v1(update)) return false;
  }
  room.doc.open(std::move(doc));
  awake_.on_loaded(room.id);
  room.size_bytes = snapshot_bytes;
  for (const Bytes& update : event.updates) room.size_bytes += update.size();
  room.size_is_exact = false;
  room.stored = event.last;
  room.records_since_snapshot = static_cast<uint32_t>(event.updates.size());
  return true;
}

void Machine::on(DocumentLoaded& event) {
  const auto asked = load_rooms_.find(event.ticket);
  if (asked == load_rooms_.end()) return;
  Room* const loaded = room(asked->second->view());
  load_rooms_.erase(asked);
  if (loaded == nullptr || loaded->life != Life::Loading || loaded->load != event.ticket) return;
  if (!restore(*loaded, event)) return give_up_loading(*loaded, StorageFailure::Damaged);
  loaded->life = Life::Open;
  admit_everybody(*loaded);
  compact_if_due(*loaded);
  note_if_idle(*loaded);
}

void Machine::on(DocumentLoadFailed& event) {
  const auto asked = load_rooms_.find(event.ticket);
  if (asked == load_rooms_.end()) return;
  Room* const failed = room(asked->second->view());
  load_rooms_.erase(asked);
  if (failed == nullptr || failed->life != Life::Loading || failed->load != event.ticket) return;
  give_up_loading(*failed, event.why);
}

void Machine::admit_everybody(Room& room) {
  // The server's own edits came before or between; their order against frames does not matter to a CRDT.
  for (PendingEdit& pending : std::exchange(room.edits, {})) apply_edit(room, std::move(pending));
  for (const ConnectionId id : std::exchange(room.waiting, {})) {
    Connection* const next = connection(id);
    if (next != nullptr && next->seats.contains(room.id)) admit(*next, room);
  }
  for (const ConnectionId id : std::vector(room.members)) {
    Connection& member = *connection(id);
    take_held(member, member.seats.at(room.id), room);
  }
  for (const ConnectionId id : std::exchange(room.asking, {})) send_workspace_state(*connection(id), room);
}

void Machine::give_up_loading(Room& room, StorageFailure why) {
  if (!room.members.empty()) {
    fail_room(room, why);
    return erase(room);
  }
  for (const ConnectionId id : std::exchange(room.waiting, {})) {
    Connection* const waiting = connection(id);
    if (waiting == nullptr) continue;
    const auto seat = waiting->seats.find(room.id);
    if (seat == waiting->seats.end()) continue;
    for (const Bytes& payload : seat->second.take_held()) release(*waiting, held_size(payload));
    waiting->seats.erase(seat);
    refuse(*waiting, room.id->view(), Refusal::Storage, sentence_for(why));
  }
  for (const PendingEdit& pending : room.edits) out_->push_back(EditFinished{pending.ticket, false});
  erase(room);
}

/// The document is here: handshake first, or straight in.
void Machine::admit(Connection& connection, Room& room) {
  finish_append();  // it is not for who comes now, who is told the whole document
  Seat& seat = connection.seats.at(room.id);
  send_joined(connection, room);
  if (needs_handshake(connection, room)) {
    // The frames so far only asked for the document: dropped, as the handshake demands.
    for (const Bytes& payload : seat.take_held()) release(connection, held_size(payload));
    seat.state = Seat::State::Handshake;
    connection.handshakes.push_back(room.id);
    room.shaking.push_back(connection.id);
    end_idle(room);
    return send_manifest(connection, room);
  }
  open_seat(connection, room, seat);
  take_held(connection, seat, room);
}

void Machine::take_held(Connection& connection, Seat& seat, Room& room) {
  for (const Bytes& payload : seat.take_held()) {
    release(connection, held_size(payload));
    if (!connection.closing) take_messages(connection, seat, room, payload);  // too many bad frames end it
  }
}

void Machine::open_seat(Connection& connection, Room& room, Seat& seat) {
  seat.state = Seat::State::Open;
  seat.received = 0;
  end_idle(room);
  room.members.push_back(connection.id);
  announce_peer(room, connection, true);
  send_sync_step1(connection, room);
  send_awareness(connection, room);
  note_if_idle(room);
}

void Machine::leave(Connection& connection, std::string_view document) {
  const auto found = connection.seats.find(document);
  if (found == connection.seats.end()) return;
  const SharedDocId id = found->first;  // `document` may be a part of the seat
  const Seat::State state = found->second.state;
  for (const Bytes& payload : found->second.take_held()) release(connection, held_size(payload));
  connection.seats.erase(found);
  std::erase_if(connection.handshakes, [&](const SharedDocId& one) { return *one == *id; });
  Room* const left = room(id->view());
  if (left == nullptr) return;
  std::erase(left->waiting, connection.id);
  std::erase(left->shaking, connection.id);
  // Receipts count from the opening: one that is still out would confirm what is sent after the next.
  left->outbox.drop_receipts(connection.id);
  if (state == Seat::State::Open) {
    std::erase(left->members, connection.id);
    std::erase(left->asking, connection.id);
    stop_following(connection, *left);
    const Bytes gone = left->awareness.forget(connection.id);
    if (!gone.empty()) send_message(*left, left->members, Awareness{gone});
    announce_peer(*left, connection, false);
  }
  note_if_idle(*left);
}

void Machine::announce_peer(Room& room, const Connection& who, bool joined) {
  std::vector<ConnectionId> others;
  for (const ConnectionId id : room.members) {
    if (id == who.id) continue;
    const Connection* const member = connection(id);
    if (member == nullptr || member->closing || member->handshake == Handshake::Editor) continue;
    // Old clients are told about every document; ours only need to know who is in the workspace.
    if (member->handshake == Handshake::Full || room.kind == DocKind::Workspace) others.push_back(id);
  }
  if (others.empty()) return;
  const uint64_t count = room.members.size();
  const ControlMessage message = joined ? ControlMessage(PeerJoined{who.principal->user_id, count})
                                        : ControlMessage(PeerLeft{who.principal->user_id, count});
  send(room, SendText{std::move(others), std::make_shared<const std::string>(format_control(message))});
}

}  // namespace diaryx::sync::relay
