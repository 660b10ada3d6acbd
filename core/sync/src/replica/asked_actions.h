// The actions on this disk that were asked for and not answered yet, by ticket.
//
// Invariants
// 1. No ticket is given twice in a run, and none is `Ticket{}`.
// 2. An action is known until it is answered, whatever becomes of its file meanwhile: it follows the file, or is settled.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "diaryx/sync/ticket.h"

namespace diaryx::sync {

struct AskedAction {
  std::string path;  // the key that its file has now; of a move, the one that it leads to
  bool is_settled = false;  // what became of it was seen before the answer, which says nothing new
};

class AskedActions {
 public:
  /// Of an action whose answer is known by something else.
  Ticket next_ticket() { return last_ = Ticket{last_.value() + 1}; }
  Ticket ask(const std::string& path);
  /// It is answered. Nothing if no such action is known: it was answered before, or another run asked for it.
  std::optional<AskedAction> take(Ticket ticket);

  /// Its answer is to come.
  bool is_due(Ticket ticket) const { return by_ticket_.contains(ticket); }

  /// Both do nothing if the action was answered.
  void settle(Ticket ticket);
  void follow(Ticket ticket, const std::string& path);

 private:
  std::map<Ticket, AskedAction> by_ticket_;
  Ticket last_;
};

}  // namespace diaryx::sync
