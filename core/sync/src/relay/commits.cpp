// Appends, and what waits for them: the promise that nothing leaves before it is stored.
#include "diaryx/sync/control.h"
#include "machine.h"

namespace diaryx::sync::relay {

SharedText error_text(std::string_view document, Refusal refusal, std::string_view sentence);  // machine.cpp

Ticket Machine::append(Room& room, SharedBytes update, ConnectionId from, const std::string& user,
                       const std::string& device, UpdateOrigin origin, size_t held_bytes) {
  const Ticket ticket = next_ticket();
  room.appends.push_back({ticket, from, held_bytes});
  room.last_append = ticket;
  append_rooms_.emplace(ticket, &room);
  out_->push_back(AppendUpdate{ticket, room.id, std::move(update), user, device, origin, now_});
  return ticket;
}

/// Every message of a room goes through here: at once if nothing is in flight, else behind the newest append.
void Machine::send(Room& room, Outgoing message) {
  room.outbox.push(room.appends.empty() ? Ticket{} : room.last_append, std::move(message));
  flush(room);
}

void Machine::send_error(Room& room, ConnectionId to, Refusal refusal, std::string_view sentence) {
  send(room, SendText{{to}, error_text(room.id.view(), refusal, sentence)});
}

void Machine::flush(Room& room) {
  const Ticket oldest = room.appends.empty() ? Ticket{UINT64_MAX} : room.appends.front().ticket;
  while (Outgoing* message = room.outbox.ready(oldest)) {
    if (auto* binary = std::get_if<SendBinary>(message)) out_->push_back(std::move(*binary));
    if (auto* text = std::get_if<SendText>(message)) out_->push_back(std::move(*text));
    if (const auto* receipt = std::get_if<Receipt>(message))
      receipts_[{receipt->connection, room.id}] = receipt->received;
    if (const auto* finished = std::get_if<EditFinished>(message)) out_->push_back(*finished);
    room.outbox.pop();
  }
  if (!gathers_receipts_) send_receipts();
}

/// Of what one call settled only the highest number per connection and document is worth sending.
void Machine::send_receipts() {
  for (const auto& [seat, received] : receipts_) {
    const auto& [to, document] = seat;
    if (connection(to) == nullptr) continue;
    const Saved saved{document.str(), received};
    out_->push_back(SendText{{to}, std::make_shared<const std::string>(format_control(saved))});
  }
  receipts_.clear();
}

void Machine::on(UpdateStored& event) {
  take_stored(event);
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
  flush(stored);
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
