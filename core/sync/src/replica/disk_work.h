// What is going on with the files of this disk, by path. Not stored: the next run looks at all of them anew.
//
//          mark_busy, start_...             wait..., fail              wake
//   (none) ───────────────────► busy ────────────────────► waiting ──────────► free to go on
//      ▲                          │                           │                     │
//      └──────────────────────────┴─────────── end ───────────┴─────────────────────┘
//
// Busy: an action is under way, or none may be for now. Waiting: the world failed, or the watcher is about to say what became of
// the file. In both nothing else is asked for the path (`is_pending`).
//
// Invariants
// 1. Every path that waits wakes: `next_moment` is not later than its moment.
// 2. A removal that was started is known until `end`, and if it failed nobody knows how until that is looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/sync/ticket.h"
#include "replica/due_map.h"

namespace diaryx::sync {

struct FileWork {
  bool busy = false;
  Ticket removal = {};  // the action under way, if it is to take the file away; or one that failed, nobody knows how
  std::optional<TimestampMs> wait_until;
  bool left_to_watcher = false;  // it is looked at, not written, once it has waited
  uint32_t failures = 0;  // of fetches

  bool is_pending() const { return busy || wait_until; }
};

/// Every question costs a logarithm of their number.
class DiskWork {
 public:
  bool is_busy(const std::string& path) const { return at(path).busy; }
  bool is_waiting(const std::string& path) const { return at(path).wait_until.has_value(); }
  bool is_pending(const std::string& path) const { return at(path).is_pending(); }
  bool is_left_to_watcher(const std::string& path) const { return at(path).left_to_watcher; }
  bool is_removing(const std::string& path) const { return at(path).removal != Ticket{}; }
  bool is_removing(const std::string& path, Ticket ticket) const { return at(path).removal == ticket; }
  Ticket removal(const std::string& path) const { return at(path).removal; }
  uint32_t failures(const std::string& path) const { return at(path).failures; }
  std::optional<TimestampMs> next_moment() const { return by_path_.next_moment(); }

  void mark_busy(const std::string& path);
  /// False if an action is under way, whose answer will tell as much.
  bool start_read(const std::string& path);
  void start_removal(const std::string& path, Ticket ticket);

  /// Nothing is under way any more; tried again then.
  void wait(const std::string& path, TimestampMs until);
  void wait_for_watcher(const std::string& path, TimestampMs until);
  /// That removal failed, and nobody knows if it was done: looked at then.
  void doubt_removal(const std::string& path, Ticket ticket, TimestampMs until);
  /// A fetch failed, once more; tried again then.
  void fail(const std::string& path, TimestampMs until);
  /// Those whose moment has come wait no longer. Returns them, in their order.
  std::vector<std::string> wake(TimestampMs now) { return by_path_.wake(now); }

  /// It is known what is there. Returns the ticket of the removal, if there was one.
  Ticket end(const std::string& path);

  /// By path.
  DueMap<FileWork>::ByPath::const_iterator begin() const { return by_path_.begin(); }
  DueMap<FileWork>::ByPath::const_iterator end() const { return by_path_.end(); }

 private:
  const FileWork& at(const std::string& path) const;

  DueMap<FileWork> by_path_;
};

}  // namespace diaryx::sync
