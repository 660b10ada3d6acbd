// Documents at rest and in no memory, snapshots, failures and revocation.
#include <algorithm>

#include "diaryx/sync/control.h"
#include "machine.h"

namespace diaryx::sync::relay {
namespace {

/// Loading reads fewer records than this.
constexpr uint32_t kRecordsWorthASnapshot = 32;
/// A snapshot is the whole document: a large one waits for more records, so that each pays for so much of it at most.
constexpr uint64_t kSnapshotBytesPerRecord = 512;

}  // namespace

std::string_view sentence_for(StorageFailure why);  // opening.cpp

/// True if loading is so much shorter with one that it should be stored when somebody asks, or before the document leaves memory.
bool Machine::is_worth_a_snapshot(const Room& room) {
  return room.records_since_snapshot >=
         std::max<uint64_t>(kRecordsWorthASnapshot, room.size_bytes / kSnapshotBytesPerRecord);
}

/// While appends are in flight the memory is ahead of the storage, and where many write it always is: the state of now is
/// stored as soon as the newest append in it is. A document is not idle until its snapshot is stored, whoever wanted that.
void Machine::store_snapshot(Room& room) {
  if (room.life != Life::Open || room.snapshot || room.coming != nullptr || room.records_since_snapshot == 0) return;
  finish_append();
  end_idle(room);
  room.coming = std::make_shared<const Bytes>(room.doc.encode());
  room.size_bytes = room.coming->size();
  room.size_is_exact = true;
  room.coming_after = room.last_append;
  if (room.appends.empty()) store_coming_snapshot(room);
}

void Machine::store_coming_snapshot(Room& room) {
  const Ticket ticket = next_ticket();
  room.snapshot = ticket;
  snapshot_rooms_.emplace(ticket, room.id);
  out_->push_back(StoreSnapshot{ticket, *room.id, std::exchange(room.coming, nullptr), room.stored});
}

void Machine::compact_if_due(Room& room) {
  const uint64_t due =
      std::max<uint64_t>(options_.limits.compact_after_records, room.size_bytes / kSnapshotBytesPerRecord);
  if (room.records_since_snapshot >= due) store_snapshot(room);
}

void Machine::finish_snapshot(Ticket ticket, bool stored) {
  const auto found = snapshot_rooms_.find(ticket);
  if (found == snapshot_rooms_.end()) return;
  Room* const owner = room(found->second->view());
  snapshot_rooms_.erase(found);
  if (owner == nullptr || owner->snapshot != ticket) return;
  owner->snapshot.reset();
  // Records that came in between are few; counting them as covered only delays the next snapshot a little. One that was not
  // stored is tried again after some more, or when the document leaves.
  owner->records_since_snapshot = stored ? 0 : std::min(owner->records_since_snapshot, kRecordsWorthASnapshot);
  // Stored or not: the log has everything, so that nobody needs this memory.
  if (owner->is_leaving) return put_away(*owner);
  note_if_idle(*owner);
}

void Machine::on(SnapshotStored& event) { finish_snapshot(event.ticket, true); }
/// The log is complete without it: nothing is lost, the next attempt comes with the next reason.
void Machine::on(SnapshotNotStored& event) { finish_snapshot(event.ticket, false); }

/// A document that the storage still works on is in use: whoever edited it may look at it when that is stored.
void Machine::note_if_idle(Room& room) {
  if (room.life == Life::Away && !room.in_use()) return erase(room);
  if (!room.could_leave()) return;
  idle_.note(room.id, room.size_bytes, now_);
}

void Machine::end_idle(Room& room) {
  room.is_leaving = false;
  idle_.end(room.id);
}

std::optional<TimestampMs> Machine::next_deadline() const {
  const std::optional<TimestampMs> idle = idle_.next_moment();
  const std::optional<TimestampMs> awake = awake_.next_moment();
  if (!idle || !awake) return idle ? idle : awake;
  return std::min(*idle, *awake);
}

void Machine::on(DeadlineReached&) {
  while (const SharedDocId due = idle_.take_due(now_)) unload(*room(due->view()));
  rest_quiet_rooms();
}

/// Of a document that was idle. Whoever asks before its last snapshot is stored finds it as it was.
void Machine::unload(Room& room) {
  DX_ASSERT(room.could_leave());
  if (!is_worth_a_snapshot(room)) return put_away(room);
  store_snapshot(room);
  room.is_leaving = true;
}

/// Everything in it is stored. Who has it open keeps the seat, and is not told.
void Machine::put_away(Room& room) {
  if (!room.in_use()) return erase(room);
  DX_ASSERT(room.outbox.empty());
  end_idle(room);
  released_bytes_ += room.size_bytes;
  room.doc.close();
  room.life = Life::Away;
  room.manifest.reset();
  room.answered = Bytes();
  room.outbox.shrink();
  room.appends.shrink();
}

void Machine::unload_beyond_limit() {
  while (const SharedDocId idle = idle_.take_beyond_limit(now_)) unload(*room(idle->view()));
}

void Machine::erase(Room& room) {
  DX_ASSERT(room.appends.empty());
  idle_.forget(room.id);
  if (room.doc.is_open()) released_bytes_ += room.size_bytes;
  const auto gone = rooms_.extract(room.id->view());  // whose key lies in the room itself
  DX_ASSERT(gone);
}

/// The document as the engine has it, for edits and for who has to look into it.
crdt::Doc& Machine::work_on(Room& room) {
  if (room.doc.rests()) awake_.on_waking(room.id, room.times, room.size_bytes, now_);
  awake_.on_work(room.times, now_);
  return room.doc.awake();
}

void Machine::settle_awoken() {
  for (AwakeDocuments::Unsettled& one : awake_.take_unsettled()) {
    Room* const awoken = room(one.document->view());
    if (awoken == nullptr || awoken->life != Life::Open) continue;
    if (awake_.settle(one, awoken->times, awoken->size_bytes, now_)) rest(*awoken, std::move(one.appended));
  }
}

void Machine::rest_quiet_rooms() {
  while (const SharedDocId due = awake_.take_due(now_)) {
    Room* const quiet = room(due->view());
    if (quiet == nullptr || quiet->life != Life::Open || quiet->doc.rests()) continue;
    if (awake_.check(quiet->id, quiet->times, quiet->size_bytes, now_)) rest(*quiet, nullptr);
  }
}

void Machine::rest(Room& room, SharedBytes perhaps) {
  const bool rested = room.doc.rests();
  room.doc.rest(std::move(perhaps));
  if (!rested && room.doc.rests()) released_bytes_ += room.size_bytes;
  shrink_if_resting(room);
  if (!room.doc.rests()) awake_.check_later(room.id, room.times, room.size_bytes, now_);
}

/// A large document that was told whole to somebody is kept as what was told, which the next who ask for it are sent as well.
void Machine::rest_in(Room& room, SharedBytes message, size_t offset) {
  if (room.doc.rests() || !awake_.rests_as_told(room.times, room.size_bytes, now_)) return;
  room.doc.rest_in(std::move(message), offset);
  if (!room.doc.rests()) return;
  released_bytes_ += room.size_bytes;
  shrink_if_resting(room);
}

void Machine::shrink_if_resting(Room& room) {
  if (!room.doc.rests()) return;
  room.outbox.shrink();
  room.appends.shrink();
}

/// The storage refused an update that the memory already holds: the memory is thrown away. Followers come back as well: an
/// update that was appended behind the refused one may be stored all the same, and nobody is here to send it to them.
void Machine::fail_room(Room& room, StorageFailure why) {
  std::vector<ConnectionId> affected = room.members;
  affected.insert(affected.end(), room.shaking.begin(), room.shaking.end());
  add_followers(room, ConnectionId{}, affected);
  drop_room(room, Refusal::Storage, sentence_for(why));
  for (const ConnectionId id : affected) {
    if (Connection* const member = connection(id))
      close(*member, CloseCode::TryAgainLater, "storage failed, come back");
  }
}

/// Takes everybody out of the room and forgets its memory; nothing more is stored from it.
void Machine::drop_room(Room& room, Refusal refusal, std::string_view sentence) {
  for (auto& [after, message] : room.outbox.take()) {
    if (const auto* edit = std::get_if<EditFinished>(&message)) out_->push_back(EditFinished{edit->ticket, false});
  }
  for (const PendingEdit& pending : std::exchange(room.edits, {})) out_->push_back(EditFinished{pending.ticket, false});
  // Who waits for permission has not come in: when it is given, the document is here again.
  for (const auto* there : {&room.members, &room.shaking, &room.waiting}) {
    for (const ConnectionId id : *there) {
      Connection* const found = connection(id);
      if (found == nullptr) continue;
      const auto seat = found->seats.find(room.id);
      if (seat == found->seats.end()) continue;
      for (const Bytes& payload : seat->second.take_held()) release(*found, held_size(payload));
      found->seats.erase(seat);
      std::erase_if(found->handshakes, [&](const SharedDocId& one) { return *one == *room.id; });
      refuse(*found, room.id->view(), refusal, sentence);
    }
  }
  room.members.clear();
  room.followers.clear();
  room.asking.clear();
  room.shaking.clear();
  room.waiting.clear();
  room.doc.close();
  room.answer.reset();
  room.manifest.reset();
  room.snapshot.reset();
  room.coming.reset();
  room.awareness = AwarenessStore();
  end_idle(room);
  room.life = Life::Failed;
}

/// All appends of a failed room are answered: who came meanwhile gets a freshly loaded document.
void Machine::end_failed_room(Room& room) {
  if (!room.in_use()) return erase(room);
  room.last_append = Ticket{};
  start_loading(room);
}

void Machine::on(AccessRevoked& event) {
  constexpr std::string_view kGone = "You no longer have access to this workspace, or it was removed.";
  const auto of_event = [&](const Connection& connection) {
    return event.user_id.empty() || connection.principal->user_id == event.user_id;
  };
  // A question that is still out must not be answered by what was true before.
  std::erase_if(authorizations_, [&](const auto& asked) {
    const Connection* const asker = connection(asked.second.first);
    return asked.second.second == event.workspace && asker != nullptr && of_event(*asker);
  });
  for (auto& [id, connection] : connections_) {
    if (!of_event(connection)) continue;
    connection.workspaces.erase(event.workspace);
    std::vector<SharedDocId> theirs;
    for (const auto& [document, seat] : connection.seats) {
      const auto parsed = parse_doc_id(document->view());
      if (parsed && parsed->workspace == event.workspace) theirs.push_back(document);
    }
    for (const SharedDocId& document : theirs) {
      leave(connection, document->view());
      refuse(connection, document->view(), Refusal::Unauthorized, kGone);
    }
  }
  if (!event.user_id.empty()) return;
  // The workspace is gone for everybody: its documents leave memory without being stored again.
  std::vector<SharedDocId> gone;
  for (const auto& [document, one] : rooms_) {
    if (one->workspace == event.workspace) gone.push_back(one->id);
  }
  std::sort(gone.begin(), gone.end(), ById());
  for (const SharedDocId& document : gone) {
    Room& dropped = *room(document->view());
    drop_room(dropped, Refusal::Unauthorized, kGone);
    if (dropped.appends.empty()) erase(dropped);
  }
}

void Machine::on(AccessChanged& event) {
  DX_ASSERT(event.access != Access::Denied);
  Connection* const found = connection(event.connection);
  if (found == nullptr || found->closing) return;
  const auto known = found->workspaces.find(event.workspace);
  if (known == found->workspaces.end()) return;  // asked about when it is needed
  if (!known->second.access) {
    drop_questions(event.connection, event.workspace);
    return ask_access(*found, event.workspace);
  }
  if (known->second.access == event.access) return;
  known->second.access = event.access;
  for (auto& [document, seat] : found->seats) {
    const auto parsed = parse_doc_id(document->view());
    if (parsed && parsed->workspace == event.workspace) seat.told_read_only = false;
  }
  const ReadOnlyChanged changed{event.access == Access::ReadOnly};
  out_->push_back(SendText{{found->id}, std::make_shared<const std::string>(format_control(changed))});
}

void Machine::on(AccessEnded& event) {
  Connection* const found = connection(event.connection);
  if (found == nullptr || found->closing) return;
  drop_questions(event.connection, "");
  while (!found->seats.empty()) leave(*found, found->seats.begin()->first->view());
  if (found->principal->guest) {
    out_->push_back(SendText{{found->id}, std::make_shared<const std::string>(format_control(SessionEnded{}))});
  }
  refuse(*found, "", Refusal::Unauthorized, event.sentence);
  close(*found, CloseCode::PolicyViolation, std::move(event.sentence));
}

}  // namespace diaryx::sync::relay
