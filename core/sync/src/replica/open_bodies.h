// The bodies of one connection: which were asked for, which wait for their turn, and what of them is not acknowledged.
//
//             enqueue         open_next           the server's answer
//   unknown ─────────► queued ─────────► unanswered ─────────► answered
//      └───────────────────────── open_in_step ───────────────────►┘
//
// Invariants
// 1. A body is queued or open, never both.
// 2. An open body is among the unanswered, and among the unsaved, exactly when its link says so.
// 3. None is opened from the queue while as many as `most_unanswered` are unanswered.
#pragma once

#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "replica/doc_link.h"

namespace diaryx::sync {

/// What takes a key of an open body must be given one. Payloads are to be sent, unless they are empty.
/// Cost   a logarithm of their number, but `due` and `next_moment`: all unanswered ones; `enqueue_first`: the queue.
class OpenBodies {
 public:
  using Keys = std::set<std::string, std::less<>>;

  OpenBodies(size_t most_unanswered, DurationMs answer_timeout)
      : most_unanswered_(most_unanswered), answer_timeout_(answer_timeout) {}

  bool is_open(const std::string& key) const { return bodies_.contains(key); }
  bool is_queued(const std::string& key) const { return queued_.contains(key); }
  /// Open, and the server said what it has.
  bool is_answered(const std::string& key) const;
  /// Open, and the server stored all that it was sent.
  bool is_saved(const std::string& key) const;
  /// Open, and the server refused something of it: that it is saved does not say that the server has it.
  bool was_refused(const std::string& key) const;

  bool has_queued() const { return !queue_.empty(); }
  const Keys& unanswered() const { return unanswered_; }
  const Keys& unsaved() const { return unsaved_; }
  /// How many are answered; how many are to be, of which some are queued.
  size_t answered() const { return bodies_.size() - unanswered_.size(); }
  size_t waiting() const { return queue_.size() + unanswered_.size(); }
  /// How many are answered, if it was not told yet and is worth it: there are many more now, or these `are_all`.
  std::optional<size_t> take_progress(bool are_all);

  /// If it is unknown.
  void enqueue(const std::string& key);
  /// The same, and before all others, also if it is queued.
  void enqueue_first(const std::string& key);
  /// Opens the first that is queued, which is to be asked for; none if it is not its turn.
  std::optional<std::string> open_next();
  /// Opens one that is unknown: the server holds what we hold.
  void open_in_step(const std::string& key);
  /// The server held something else after all. It is to be asked for.
  void doubt(const std::string& key);

  // What happens to an open body: as `DocLink`.
  Bytes ask(const std::string& key, const crdt::Doc& doc, TimestampMs now);
  Result<Bytes> on_step1(const std::string& key, const crdt::Doc& doc, ByteView state_vector);
  Bytes on_step2(const std::string& key, const crdt::Doc& doc, ByteView update);
  Bytes on_local_update(const std::string& key, ByteView update);
  Bytes ask_for_base(const std::string& key, const crdt::Doc& doc);
  bool wants_barrier(const std::string& key) const { return bodies_.at(key).link.wants_barrier(); }
  Bytes barrier(const std::string& key, const crdt::Doc& doc) { return bodies_.at(key).link.barrier(doc); }
  void on_saved(const std::string& key, uint64_t received);

  /// The server said no. One that is not answered is asked for again later than one that it is silent about.
  void on_refused(const std::string& key);
  /// The server has dropped what it had of it and could not open or store: asked for later, and offered all of it again.
  void on_dropped(const std::string& key, TimestampMs now);
  /// It is to be asked for again. How often that was.
  uint32_t on_silence(const std::string& key);

  /// When the next unanswered one is to be asked for again, and those whose moment has come.
  std::optional<TimestampMs> next_moment() const;
  std::vector<std::string> due(TimestampMs now) const;

  /// The connection is over, and forgotten. Those that were not answered.
  Keys end();

 private:
  struct Body {
    DocLink link{DocLink::Kind::Body};
    bool waits_longer = false;  // it was refused before it was answered
    bool was_refused = false;
    uint32_t silences = 0;
  };

  void index(const std::string& key, const Body& body);
  TimestampMs asked_again_at(const std::string& key) const;

  size_t most_unanswered_;
  DurationMs answer_timeout_;
  std::map<std::string, Body, std::less<>> bodies_;
  Keys unanswered_;
  Keys unsaved_;
  std::list<std::string> queue_;
  Keys queued_;  // what is in the queue
  size_t told_ = 0;
};

}  // namespace diaryx::sync
