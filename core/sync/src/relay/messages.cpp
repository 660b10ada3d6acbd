// Messages on an open document.
#include <algorithm>

#include "diaryx/crdt/update.h"
#include "machine.h"

namespace diaryx::sync::relay {

extern const std::string_view kTooLargeToSend;  // also used by commits.cpp
const std::string_view kTooLargeToSend =
    "This document has grown too large for one message. Split the file and remove the large one.";

namespace {

constexpr size_t kWorthSharing = 4u << 10;  // bytes of an answer that is remembered for others who ask the same
constexpr std::string_view kDocumentFull =
    "This document is as large as this server lets one be. What was added is on this device only; delete something, or "
    "split the file.";

}  // namespace

bool asks_of_document(const Message& message) {
  return std::holds_alternative<SyncStep1>(message) || std::holds_alternative<SyncStep2>(message) ||
         std::holds_alternative<Update>(message);
}

/// Ids come from frames that were decoded, so they fit; what fails is a document beyond the size of a frame.
void Machine::send_message(Room& room, std::vector<ConnectionId> to, const Message& message) {
  if (to.empty()) return;
  auto frame = encode_frame(room.id->view(), {message});
  if (frame) return send(room, SendBinary{std::move(to), std::make_shared<const Bytes>(std::move(*frame))});
  for (const ConnectionId id : to) send_error(room, id, Refusal::TooLarge, kTooLargeToSend);
}

void Machine::take_messages(Connection& connection, Seat& seat, Room& room, ByteView payload) {
  const auto messages = parse_messages(payload);
  if (!messages) {
    send_error(room, connection.id, Refusal::Invalid,
               "A message could not be read: " + describe(messages.error()) + ".");
    return count_bad_frame(connection);
  }
  for (const Message& message : *messages) {
    if (asks_of_document(message)) end_idle(room);
    if (const auto* step1 = std::get_if<SyncStep1>(&message)) take(connection, seat, room, *step1);
    if (const auto* step2 = std::get_if<SyncStep2>(&message)) take_update(connection, seat, room, step2->update);
    if (const auto* update = std::get_if<Update>(&message)) take_update(connection, seat, room, update->update);
    if (const auto* awareness = std::get_if<Awareness>(&message)) take(connection, seat, room, *awareness);
    if (std::holds_alternative<AwarenessQuery>(message)) send_awareness(connection, room);
    // PermissionDenied means nothing from a client.
    if (connection.closing) break;
  }
  note_if_idle(room);
}

void Machine::take(Connection& connection, Seat&, Room& room, const SyncStep1& message) {
  const auto known = crdt::StateVector::decode(message.state_vector);
  if (!known) {
    send_error(room, connection.id, Refusal::Invalid,
               "A state vector could not be read: " + describe(known.error()) + ".");
    return count_bad_frame(connection);
  }
  if (SharedBytes same = room.answer.lock();
      same != nullptr && std::equal(room.answered.begin(), room.answered.end(), message.state_vector.begin(),
                                    message.state_vector.end())) {
    return send(room, SendBinary{{connection.id}, std::move(same)});
  }
  const Bytes lacking = room.doc.encode(*known);
  auto frame = encode_frame(room.id->view(), {SyncStep2{lacking}});
  if (!frame) return send_error(room, connection.id, Refusal::TooLarge, kTooLargeToSend);
  auto shared = std::make_shared<const Bytes>(std::move(*frame));
  if (shared->size() >= kWorthSharing) {
    room.answered = to_bytes(message.state_vector);
    room.answer = shared;
  }
  if (known->empty()) rest_in(room, shared, shared->size() - lacking.size());
  send(room, SendBinary{{connection.id}, std::move(shared)});
}

void Machine::take_update(Connection& connection, Seat& seat, Room& room, ByteView update) {
  const Receipt receipt{connection.id, ++seat.received};
  if (is_empty_update(update)) return send(room, receipt);
  const auto access = connection.workspaces.find(room.workspace);
  if (access == connection.workspaces.end() || access->second.access != Access::ReadWrite) {
    if (!std::exchange(seat.told_read_only, true)) {
      send_error(room, connection.id, Refusal::ReadOnly, "You may read this workspace but not change it.");
    }
    return send(room, receipt);
  }

  if (!fits(room, update)) {
    if (!std::exchange(seat.told_full, true)) send_error(room, connection.id, Refusal::TooLarge, kDocumentFull);
    return send(room, receipt);
  }
  seat.told_full = false;

  crdt::Doc& doc = work_on(room);
  const bool pending_before = doc.has_pending();
  const Bytes waiting_before = pending_before ? doc.encode_update_v1(doc.state_vector()) : Bytes();
  const auto commit = doc.apply_update_v1(update);
  if (!commit) {
    send_error(room, connection.id, Refusal::Invalid, "An update could not be read: " + describe(commit.error()) + ".");
    count_bad_frame(connection);
    return send(room, receipt);
  }
  // What waits for its base is not in the commit, yet the sender will believe it is stored: keep the update as it came.
  const bool pending_after = doc.has_pending();
  const bool as_it_came = pending_before || pending_after;
  const bool news = commit->changed() ||
                    (pending_after && (!pending_before || doc.encode_update_v1(doc.state_vector()) != waiting_before));
  if (news) {
    auto stored = std::make_shared<const Bytes>(as_it_came ? to_bytes(update) : commit->update_v1());
    // The list of those it is for waits with it.
    const size_t held = held_size(*stored) + room.members.size() * sizeof(ConnectionId);
    hold(connection, held);
    note_growth(room, stored->size());
    if (as_it_came) finish_append();
    append(room, std::move(stored), connection.id, connection.principal->user_id, connection.principal->device_id,
           UpdateOrigin::Remote, held);
    if (as_it_came) finish_append();
    room.manifest.reset();
    room.answer.reset();
  }
  send(room, receipt);
}

/// False if the update would make the document larger than it may be. Who only deletes, or says what is known, may always.
bool Machine::fits(Room& room, ByteView update) const {
  const auto has_room = [&] { return room.size_bytes + update.size() <= options_.limits.max_document_bytes; };
  if (has_room()) return true;
  // Deletions and text typed side by side make it smaller than its updates. Looked at once until it changes.
  if (!std::exchange(room.size_is_exact, true)) room.size_bytes = room.doc.encode().size();
  if (has_room()) return true;
  const auto summary = crdt::summarize_update_v1(update);
  return !summary || room.doc.state_vector().covers(summary->ends);  // what cannot be read is refused as such
}

void Machine::note_growth(Room& room, size_t size_bytes) {
  room.size_bytes += size_bytes;
  room.size_is_exact = false;
}

void Machine::relay_update(Room& room, SharedBytes update, ConnectionId except) {
  std::vector<ConnectionId> others;
  others.reserve(room.members.size());
  std::copy_if(room.members.begin(), room.members.end(), std::back_inserter(others),
               [except](ConnectionId id) { return id != except; });
  add_followers(room, except, others);
  if (!others.empty()) send(room, RelayedUpdate{except, std::move(others), std::move(update)});
}

void Machine::take(Connection& connection, Seat&, Room& room, const Awareness& message) {
  if (const auto taken = room.awareness.apply(connection.id, message.update, options_.limits.max_awareness_bytes);
      !taken) {
    const bool large = taken.error().code == ErrorCode::TooLarge;
    send_error(room, connection.id, large ? Refusal::TooLarge : Refusal::Invalid,
               "A presence message was refused: " + describe(taken.error()) + ".");
    return count_bad_frame(connection);
  }
  std::vector<ConnectionId> to = room.members;
  if (connection.handshake != Handshake::Editor) std::erase(to, connection.id);
  send_message(room, std::move(to), message);
}

void Machine::send_sync_step1(Connection& connection, Room& room) {
  const Bytes state_vector = room.doc.state_vector().encode();
  send_message(room, {connection.id}, SyncStep1{state_vector});
}

void Machine::send_awareness(Connection& connection, Room& room) {
  const Bytes awareness = room.awareness.encode();
  send_message(room, {connection.id}, Awareness{awareness});
}

}  // namespace diaryx::sync::relay
