// Appends, and what waits for them: the promise that nothing leaves before it is stored.
//
// Bursts are one piece of work. What a connection sends for a document in a row, while nothing else happens to it, is stored as
// one record; what is stored in one go leaves as one message for each sender. A reader is sent the same operations, in an
// order in which none of them can depend on a later one: who sent it had seen only what had left before.
#include <algorithm>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/control.h"
#include "machine.h"

namespace diaryx::sync::relay {

SharedText error_text(std::string_view document, Refusal refusal, std::string_view sentence);  // machine.cpp
extern const std::string_view kTooLargeToSend;  // messages.cpp

namespace {

/// Larger ones are not copied once more.
constexpr size_t kWorthMerging = 16u << 10;

/// What several updates do, as one; null if they cannot be merged, which updates that a document has taken always can.
SharedBytes merged(std::span<const SharedBytes> updates) {
  if (updates.size() == 1) return updates.front();
  std::vector<ByteView> views;
  views.reserve(updates.size());
  for (const SharedBytes& update : updates) views.emplace_back(*update);
  auto merged = crdt::merge_updates_v1(views);
  return merged ? std::make_shared<const Bytes>(std::move(*merged)) : nullptr;
}

}  // namespace

/// Stores an update and relays it, together with others of the same sender if they come in the same call and nothing lies
/// between them. The ticket is given at once, so that everything else waits behind it.
void Machine::append(Room& room, SharedBytes update, ConnectionId from, const std::string& user,
                     const std::string& device, UpdateOrigin origin, size_t held_bytes) {
  const bool goes_on = open_append_.room == &room && open_append_.from == from && origin == UpdateOrigin::Remote &&
                       open_append_.size_bytes + update->size() <= kWorthMerging;
  if (!goes_on) {
    finish_append();
    const Ticket ticket = next_ticket();
    room.appends.push_back({ticket, from, 0});
    room.last_append = ticket;
    append_rooms_.emplace(ticket, &room);
    open_append_.room = &room;
    open_append_.from = from;
    open_append_.action = {ticket, *room.id, nullptr, user, device, origin};
  }
  room.appends.back().held_bytes += held_bytes;
  open_append_.size_bytes += update->size();
  open_append_.updates.push_back(std::move(update));
}

void Machine::finish_append() {
  if (open_append_.room == nullptr) return;
  OpenAppend append = std::exchange(open_append_, {});
  append.action.update = merged(append.updates);
  DX_ASSERT(append.action.update != nullptr);
  awake_.on_append(append.room->id, append.action.update);
  relay_update(*append.room, append.action.update, append.from);
  out_->push_back(std::move(append.action));
}

/// Every message of a room goes through here: at once if nothing is in flight, else behind the newest append.
void Machine::send(Room& room, Outgoing message) {
  // A receipt only has to come after the append; everything else, after what the append sends.
  if (open_append_.room == &room && !std::holds_alternative<Receipt>(message)) finish_append();
  room.outbox.push(room.appends.empty() ? Ticket{} : room.last_append, std::move(message));
  flush(room);
}

void Machine::send_error(Room& room, ConnectionId to, Refusal refusal, std::string_view sentence) {
  send(room, SendText{{to}, error_text(room.id->view(), refusal, sentence)});
}

void Machine::flush(Room& room) {
  const Ticket oldest = room.appends.empty() ? Ticket{UINT64_MAX} : room.appends.front().ticket;
  while (Outgoing* message = room.outbox.ready(oldest)) {
    if (auto* update = std::get_if<RelayedUpdate>(message)) {
      if (room.leaving.empty()) leaving_rooms_.push_back(&room);
      room.leaving.push_back(std::move(*update));
    } else if (!std::holds_alternative<Receipt>(*message)) {
      send_leaving(room);
    }
    if (auto* binary = std::get_if<SendBinary>(message)) out_->push_back(std::move(*binary));
    if (auto* text = std::get_if<SendText>(message)) out_->push_back(std::move(*text));
    if (const auto* receipt = std::get_if<Receipt>(message))
      receipts_[{receipt->connection, room.id}] = receipt->received;
    if (const auto* finished = std::get_if<EditFinished>(message)) out_->push_back(*finished);
    room.outbox.pop();
  }
  if (!gathers_) send_settled();
}

/// One message for each sender, in the order of their first updates.
void Machine::send_leaving(Room& room) {
  struct Group {
    std::vector<ConnectionId> to;
    std::vector<SharedBytes> updates;
    size_t size_bytes = 0;
  };
  std::vector<Group> groups;
  std::map<ConnectionId, size_t> newest;  // group of a sender
  for (RelayedUpdate& one : std::exchange(room.leaving, {})) {
    const auto [found, first] = newest.try_emplace(one.from, groups.size());
    const bool joins = !first && groups[found->second].to == one.to &&
                       groups[found->second].size_bytes + one.update->size() <= kWorthMerging;
    if (!joins) {
      found->second = groups.size();
      groups.push_back({std::move(one.to), {}, 0});
    }
    Group& group = groups[found->second];
    group.size_bytes += one.update->size();
    group.updates.push_back(std::move(one.update));
  }
  for (Group& group : groups) {
    const SharedBytes update = merged(group.updates);
    DX_ASSERT(update != nullptr);
    if (auto frame = encode_frame(room.id->view(), {Update{*update}})) {
      out_->push_back(SendBinary{std::move(group.to), std::make_shared<const Bytes>(std::move(*frame))});
    } else {
      out_->push_back(SendText{std::move(group.to), error_text(room.id->view(), Refusal::TooLarge, kTooLargeToSend)});
    }
  }
}

/// Updates that leave, then receipts: of what one call settled only the highest number per connection and document.
void Machine::send_settled() {
  for (Room* const room : std::exchange(leaving_rooms_, {})) send_leaving(*room);
  for (const auto& [seat, received] : receipts_) {
    const auto& [to, document] = seat;
    if (connection(to) == nullptr) continue;
    const Saved saved{document->str(), received};
    out_->push_back(SendText{{to}, std::make_shared<const std::string>(format_control(saved))});
  }
  receipts_.clear();
}

void Machine::on(UpdateStored& event) {
  take_stored(event);
  if (change_questions_.holds_answers()) send_settled();  // they come after all that their cursor stands for
  release_changes(event.ticket);
}

void Machine::take_stored(const UpdateStored& event) {
  const auto found = append_rooms_.find(event.ticket);
  if (found == append_rooms_.end()) return;
  Room& stored = *found->second;
  append_rooms_.erase(found);
  DX_ASSERT(!stored.appends.empty() && stored.appends.front().ticket == event.ticket);  // answered in order
  const PendingAppend append = stored.appends.front();
  stored.appends.pop_front();
  if (Connection* const from = connection(append.from)) release(*from, append.held_bytes);
  if (stored.life == Life::Failed) {
    if (stored.appends.empty()) end_failed_room(stored);
    return;
  }
  stored.stored = event.sequence;
  ++stored.records_since_snapshot;
  if (stored.coming != nullptr && stored.coming_after == append.ticket) store_coming_snapshot(stored);
  flush(stored);
  shrink_if_resting(stored);
  compact_if_due(stored);
  note_if_idle(stored);
}

void Machine::on(UpdateNotStored& event) {
  const auto found = append_rooms_.find(event.ticket);
  if (found == append_rooms_.end()) return;
  Room& failed = *found->second;
  append_rooms_.erase(found);
  DX_ASSERT(!failed.appends.empty() && failed.appends.front().ticket == event.ticket);
  const PendingAppend append = failed.appends.front();
  failed.appends.pop_front();
  if (Connection* const from = connection(append.from)) release(*from, append.held_bytes);
  if (failed.life != Life::Failed) fail_room(failed, event.why);
  if (failed.appends.empty()) end_failed_room(failed);
  release_changes(event.ticket);
}

void Machine::hold(Connection& connection, size_t size_bytes) {
  connection.held_bytes += size_bytes;
  if (connection.paused || connection.held_bytes <= options_.limits.max_held_bytes) return;
  connection.paused = true;
  out_->push_back(PauseReading{connection.id});
}

void Machine::release(Connection& connection, size_t size_bytes) {
  DX_ASSERT(connection.held_bytes >= size_bytes);
  connection.held_bytes -= size_bytes;
  // Half, so that a connection at the limit is not stopped and started with every message.
  if (!connection.paused || connection.held_bytes > options_.limits.max_held_bytes / 2) return;
  connection.paused = false;
  if (!connection.closing) out_->push_back(ResumeReading{connection.id});
}

}  // namespace diaryx::sync::relay
