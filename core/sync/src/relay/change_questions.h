// What connections asked about changes, until they are answered.
//
//         ask                       answer: no append is in flight
//   ─ ─ ────────► with the storage ────────────────────────────────► told
//                     │       └────► held behind those appends ──────► told
//                     └──────────────────┴── forget ──► nothing is told
//
// Invariants
// 1. A connection has one question about a workspace with the storage at a time: each is work for it.
// 2. What was in flight when the question was asked is in the answer. It may be in no list yet, and was sent to nobody new.
// 3. Nothing is told before every append is answered that was in flight when the storage answered: the cursor may stand for it.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "diaryx/sync/relay_event.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::sync::relay {

/// Cost   `on_append_answered`: all held answers; the others: all questions.
class ChangeQuestions {
 public:
  struct Question {
    ConnectionId connection;
    std::string workspace;
    std::set<std::string> in_flight;  // documents with appends in flight when it was asked
  };
  struct Answer {
    ConnectionId to;
    SharedText text;
  };

  /// lineage   names the storage in its cursors.
  explicit ChangeQuestions(std::string lineage) : lineage_(std::move(lineage)) {}

  /// What a cursor of this storage stands for; none: of another one, or no cursor.
  std::optional<Sequence> sequence_of(std::string_view cursor) const;

  bool is_asked(ConnectionId connection, std::string_view workspace) const;
  /// One that is not asked.
  void ask(Ticket ticket, Question question);
  /// The storage has answered this one; none: nobody waits for it.
  std::optional<Question> take(Ticket ticket);
  /// What is to be told; none: later, when all appends of `behind` are answered, which are in flight in its workspace now.
  std::optional<Answer> answer(Question question, const ChangesListed& listed, std::set<Ticket> behind);

  bool holds_answers() const { return !held_.empty(); }
  /// Stored or not. What is to be told now.
  std::vector<Answer> on_append_answered(Ticket append);

  /// It follows the workspace no longer. What it asked is not answered.
  void forget(ConnectionId connection, std::string_view workspace);

 private:
  struct Held {
    ConnectionId connection;
    std::string workspace;
    SharedText text;
    std::set<Ticket> behind;
  };

  std::string lineage_;
  std::unordered_map<Ticket, Question> questions_;  // with the storage
  std::vector<Held> held_;
};

}  // namespace diaryx::sync::relay
