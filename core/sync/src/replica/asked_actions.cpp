#include "replica/asked_actions.h"

#include <utility>

namespace diaryx::sync {

Ticket AskedActions::ask(const std::string& path) {
  const Ticket ticket = next_ticket();
  by_ticket_.emplace(ticket, AskedAction{.path = path});
  return ticket;
}

std::optional<AskedAction> AskedActions::take(Ticket ticket) {
  auto asked = by_ticket_.extract(ticket);
  return asked ? std::optional(std::move(asked.mapped())) : std::nullopt;
}

void AskedActions::settle(Ticket ticket) {
  if (const auto asked = by_ticket_.find(ticket); asked != by_ticket_.end()) asked->second.is_settled = true;
}

void AskedActions::follow(Ticket ticket, const std::string& path) {
  if (const auto asked = by_ticket_.find(ticket); asked != by_ticket_.end()) asked->second.path = path;
}

}  // namespace diaryx::sync
