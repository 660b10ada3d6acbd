// The server's news of which bodies changed: the list since a cursor, and from then on the updates of all bodies.
//
//           begin                          on_changes
//   idle ───────────► awaits the list ──────────┬──► following ◄─┐
//          └────────► awaits a cursor ──────────┘        └───────┘ renew, on_changes: a later cursor
//
// Invariants
// 1. One question is open at a time, and none while the cursor that answered the last one is not kept.
// 2. A new cursor replaces the old one by `keep` alone: its user knows when everything that it stands for is stored.
// 3. While following, no update of a body escapes: what is heard of before is named with the list, or when the connection ends.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/control.h"

namespace diaryx::sync {

/// A cursor outlives connections and runs, all else is of one connection. Times are those that people see.
class Following {
 public:
  using Keys = std::set<std::string, std::less<>>;

  /// full_check_after     so old a cursor is not used: every body is asked for.
  /// updates_per_cursor   after so many updates of bodies a later one is wanted.
  Following(DurationMs full_check_after, uint32_t updates_per_cursor)
      : full_check_after_(full_check_after), updates_per_cursor_(updates_per_cursor) {}

  /// What `keep` returned in an earlier run. Errors: InvalidMessage.
  Result<void> restore(std::string_view record);

  /// This server has a list of changes.
  bool is_offered() const { return is_offered_; }
  /// It sends the updates of all bodies.
  bool is_following() const { return is_following_; }
  bool awaits_list() const { return question_ == Question::List; }

  void on_hello(bool offers_changes) { is_offered_ = offers_changes; }
  /// Once in a connection. True if the server is to be asked.
  bool begin(TimestampMs wall_clock);
  /// Every body was asked for on this connection.
  void on_all_asked() { all_asked_ = true; }
  /// All is in step. True if the server is to be asked for a later cursor.
  bool renew();
  /// What it is asked for: the changes since this cursor; of an empty one, for a cursor alone.
  std::string asked_since() const { return awaits_list() ? cursor_ : std::string(); }
  /// An update of a body was stored.
  void count_update() { ++updates_; }
  /// It changed while nothing is followed yet.
  void hear_of(const std::string& key) { heard_of_.insert(key); }
  /// The bodies that are not in step, if the list was awaited and the server knows the cursor. What nobody asked for says nothing.
  Keys on_changes(const Changes& changes);

  bool has_new_cursor() const { return new_cursor_.has_value(); }
  /// There is a new cursor, and everything that it stands for is stored or marked. The record of it.
  std::string keep(TimestampMs wall_clock);
  /// The cursor is of another server. True if there was one, whose record is to go.
  bool forget_cursor();

  /// The connection is over. The bodies that were heard of in vain.
  Keys end();

 private:
  enum class Question : uint8_t { None, List, Cursor };

  DurationMs full_check_after_;
  uint32_t updates_per_cursor_;
  std::string cursor_;  // empty: none
  TimestampMs checked_;  // when every body had been asked for
  uint32_t updates_ = 0;  // since a cursor was asked for

  bool is_offered_ = false;
  bool is_following_ = false;
  bool all_asked_ = false;
  Question question_ = Question::None;
  std::optional<std::string> new_cursor_;
  Keys heard_of_;
};

}  // namespace diaryx::sync
