// What one document still has to send, in order, each message behind the append it must not overtake.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "diaryx/sync/relay_action.h"
#include "diaryx/sync/relay_types.h"
#include "fifo.h"

namespace diaryx::sync::relay {

/// "The first `received` updates of this connection are settled." Becomes a `saved` text when it leaves.
struct Receipt {
  ConnectionId connection;
  uint64_t received;
};

/// A stored update on its way to who has the document open. Several of one sender may leave as one message.
struct RelayedUpdate {
  ConnectionId from;  // 0: the server
  std::vector<ConnectionId> to;
  SharedBytes update;
};

using Outgoing = std::variant<SendBinary, SendText, RelayedUpdate, Receipt, EditFinished>;

/// A first-in first-out queue. An entry may leave once the append with ticket `after` is stored; appends of a document
/// are stored in order, so the head alone decides.
class Outbox {
 public:
  void push(Ticket after, Outgoing message) { entries_.push_back({after, std::move(message)}); }

  bool empty() const { return entries_.empty(); }

  /// The head if all appends up to its ticket are stored, that is if it is older than `oldest_unstored`.
  Outgoing* ready(Ticket oldest_unstored) {
    if (entries_.empty() || entries_.front().first >= oldest_unstored) return nullptr;
    return &entries_.front().second;
  }
  void pop() { entries_.pop_front(); }
  void drop_receipts(ConnectionId connection) {
    entries_.erase_if([connection](const auto& entry) {
      const auto* const receipt = std::get_if<Receipt>(&entry.second);
      return receipt != nullptr && receipt->connection == connection;
    });
  }
  /// Gives up memory that is kept for more.
  void shrink() { entries_.shrink(); }

  /// Everything that is left, for a document whose memory is thrown away.
  std::vector<std::pair<Ticket, Outgoing>> take() { return entries_.take(); }

 private:
  Fifo<std::pair<Ticket, Outgoing>> entries_;  // the ticket is 0 where there is nothing to wait for
};

}  // namespace diaryx::sync::relay
