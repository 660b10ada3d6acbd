// What changed since a cursor, and updates of documents that a connection has not opened.
//
// A device with 100,000 notes does not ask for each of them after every break of its line. It names the cursor that it was given
// last, is told which bodies changed since then, asks for those alone, and is sent the updates of all bodies from then on, as
// if it had opened them.
//
// Invariants
// 1. Whatever a cursor stands for was sent, or listed, to the connection that it was given to, before it was given.
// 2. An update that was being stored when a connection began to follow is listed to it: nobody sends it.
#include <algorithm>
#include <charconv>

#include "machine.h"

namespace diaryx::sync::relay {

std::optional<Sequence> Machine::sequence_of(std::string_view cursor) const {
  const std::string prefix = options_.lineage + ":";
  if (options_.lineage.empty() || !cursor.starts_with(prefix)) return std::nullopt;
  cursor.remove_prefix(prefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), number);
  if (error != std::errc{} || end != cursor.data() + cursor.size()) return std::nullopt;
  return Sequence{number};
}

void Machine::follow(Connection& connection, const ChangesWanted& wanted) {
  // Who may read the workspace document may read its bodies, and leaves it when that ends.
  const auto seat = connection.seats.find(std::string_view("workspace:" + wanted.workspace));
  if (options_.lineage.empty() || seat == connection.seats.end() || seat->second.state != Seat::State::Open) return;
  // One question at a time: each is work for the storage.
  const auto is_asked = [&](const auto& asked) {
    return asked.second.connection == connection.id && asked.second.workspace == wanted.workspace;
  };
  if (std::ranges::any_of(change_questions_, is_asked)) return;
  Room& workspace = *room(seat->first->view());
  if (std::ranges::find(workspace.followers, connection.id) == workspace.followers.end()) {
    workspace.followers.push_back(connection.id);
  }
  ChangesQuestion question{connection.id, wanted.workspace, {}};
  for (const auto& [ticket, appending] : append_rooms_) {
    if (appending->workspace == wanted.workspace) question.in_flight.insert(appending->id->str());
  }
  const Ticket ticket = next_ticket();
  change_questions_.emplace(ticket, std::move(question));
  out_->push_back(ListChanges{ticket, wanted.workspace, sequence_of(wanted.cursor)});
}

void Machine::on(ChangesListed& event) {
  const auto asked = change_questions_.extract(event.ticket);
  if (!asked) return;
  ChangesQuestion& question = asked.mapped();
  const Connection* const asker = connection(question.connection);
  if (asker == nullptr || asker->closing) return;
  Changes changes{.workspace = question.workspace, .cursor = {}, .known = event.known, .keys = {}};
  if (event.through != Sequence{}) changes.cursor = options_.lineage + ":" + std::to_string(event.through.value());
  if (event.known) {
    question.in_flight.insert(event.documents.begin(), event.documents.end());
    for (const std::string& document : question.in_flight) {
      const auto parsed = parse_doc_id(document);
      if (parsed && parsed->kind == DocKind::Body) changes.keys.emplace_back(parsed->key);
    }
  }
  HeldChanges held{
      question.connection, question.workspace, std::make_shared<const std::string>(format_control(changes)), {}};
  for (const auto& [ticket, appending] : append_rooms_) {
    if (appending->workspace == question.workspace) held.behind.insert(ticket);
  }
  if (held.behind.empty()) {
    out_->push_back(SendText{{held.connection}, std::move(held.text)});
  } else {
    held_changes_.push_back(std::move(held));
  }
}

void Machine::release_changes(Ticket answered) {
  std::erase_if(held_changes_, [&](HeldChanges& held) {
    held.behind.erase(answered);
    if (!held.behind.empty()) return false;
    const Connection* const asker = connection(held.connection);
    if (asker != nullptr && !asker->closing) out_->push_back(SendText{{held.connection}, std::move(held.text)});
    return true;
  });
}

/// Questions that are still out end as well: who left may have lost the right to an answer, and asks anew after coming back.
void Machine::stop_following(const Connection& connection, Room& workspace) {
  if (std::erase(workspace.followers, connection.id) == 0) return;
  const auto is_asked = [&](const auto& one) {
    return one.connection == connection.id && one.workspace == workspace.workspace;
  };
  std::erase_if(change_questions_, [&](const auto& asked) { return is_asked(asked.second); });
  std::erase_if(held_changes_, is_asked);
}

void Machine::add_followers(const Room& room, ConnectionId except, std::vector<ConnectionId>& to) {
  if (room.kind != DocKind::Body) return;
  const Room* const workspace = this->room("workspace:" + std::string(room.workspace));
  if (workspace == nullptr) return;
  for (const ConnectionId id : workspace->followers) {
    if (id == except) continue;
    const Connection* const follower = connection(id);
    if (follower == nullptr || follower->closing) continue;
    // Members are sent it anyway. Whoever waits for the document may have sent an update without asking for anything: nothing else
    // would bring it what others sent meanwhile.
    const auto seat = follower->seats.find(room.id);
    if (seat != follower->seats.end() && seat->second.state == Seat::State::Open) continue;
    to.push_back(id);
  }
}

}  // namespace diaryx::sync::relay
