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

#include "machine.h"

namespace diaryx::sync::relay {

void Machine::follow(Connection& connection, const ChangesWanted& wanted) {
  // Who may read the workspace document may read its bodies, and leaves it when that ends.
  const auto seat = connection.seats.find(std::string_view("workspace:" + wanted.workspace));
  if (options_.lineage.empty() || seat == connection.seats.end() || seat->second.state != Seat::State::Open) return;
  if (change_questions_.is_asked(connection.id, wanted.workspace)) return;
  Room& workspace = *room(seat->first->view());
  if (std::ranges::find(workspace.followers, connection.id) == workspace.followers.end()) {
    workspace.followers.push_back(connection.id);
  }
  std::set<std::string> in_flight;
  for (const auto& [ticket, appending] : append_rooms_) {
    if (appending->workspace == wanted.workspace) in_flight.insert(appending->id->str());
  }
  const Ticket ticket = next_ticket();
  change_questions_.ask(ticket, {connection.id, wanted.workspace, std::move(in_flight)});
  out_->push_back(ListChanges{ticket, wanted.workspace, change_questions_.sequence_of(wanted.cursor)});
}

void Machine::on(ChangesListed& event) {
  auto question = change_questions_.take(event.ticket);
  if (!question) return;
  const Connection* const asker = connection(question->connection);
  if (asker == nullptr || asker->closing) return;
  std::set<Ticket> behind;
  for (const auto& [ticket, appending] : append_rooms_) {
    if (appending->workspace == question->workspace) behind.insert(ticket);
  }
  auto answer = change_questions_.answer(std::move(*question), event, std::move(behind));
  if (answer) out_->push_back(SendText{{answer->to}, std::move(answer->text)});
}

void Machine::release_changes(Ticket append) {
  for (ChangeQuestions::Answer& answer : change_questions_.on_append_answered(append)) {
    const Connection* const asker = connection(answer.to);
    if (asker != nullptr && !asker->closing) out_->push_back(SendText{{answer.to}, std::move(answer.text)});
  }
}

/// Questions that are still out end as well: who left may have lost the right to an answer, and asks anew after coming back.
void Machine::stop_following(const Connection& connection, Room& workspace) {
  if (std::erase(workspace.followers, connection.id) == 0) return;
  change_questions_.forget(connection.id, workspace.workspace);
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
