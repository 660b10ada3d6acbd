// Waves of removals in the two directions: when they are waited for, and when they are held.
//
// A removal is a file that is missing, or a text that lost most of itself. Both waves let through what is everyday work, and count it
// (`MassChange`); what they hold is for a person to decide.
//
// Invariants
// 1. Once something is held in a direction, whatever follows there is held as well, until a person decides.
// 2. What goes out waits while more and more of it is found, and only if it may become a wave; it waits a second for each time more is.
// 3. Of what comes in, deletions are decided upon with all that came in one batch, truncations when none came for a second.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/sync/action.h"
#include "replica/mass_change.h"

namespace diaryx::sync {

/// What was found on this disk.
class OutgoingWave {
 public:
  enum class Verdict : uint8_t { LetThrough, Wait, Hold };
  enum class Grace : uint8_t {
    Given,  // perhaps more will be missing
    Over,
  };

  explicit OutgoingWave(BreakerOptions options) : recent_(options) {}

  /// Of `count` removals that are due, when this device knows of `files`. `is_holding`: earlier ones are held.
  Verdict judge(size_t count, size_t files, bool is_holding, Grace grace, TimestampMs now);
  std::optional<TimestampMs> next_moment() const { return wait_until_; }

  /// Until `end_release` a person has said that all of it is meant: nothing waits, is held or is counted.
  void begin_release() { is_released_ = true; }
  void end_release() { is_released_ = false; }

  /// This was let through; see `MassChange`.
  void add(const std::string& path, HeldChange::Kind kind, TimestampMs now);
  std::vector<std::string> take_recent(TimestampMs now) { return recent_.take_recent(now); }

 private:
  MassChange recent_;
  bool is_released_ = false;
  std::optional<TimestampMs> wait_until_;  // more may be missing
  size_t growing_ = 0;  // how many were, then
};

/// What others did and is to be done on this disk.
class IncomingWave {
 public:
  using Removals = std::map<std::string, HeldChange::Kind, std::less<>>;

  explicit IncomingWave(BreakerOptions options) : recent_(options) {}

  /// Does nothing if it is held.
  void ask(const std::string& path, HeldChange::Kind kind, TimestampMs now);
  bool is_asked() const { return !asked_.empty(); }
  std::optional<TimestampMs> next_moment() const { return truncations_due_; }
  /// Those that can be decided upon, which are not asked for any more.
  Removals take_due(TimestampMs now);
  /// Whether so many, when this device knows of `files`, are to be held.
  bool is_to_be_held(size_t count, size_t files, TimestampMs now);

  void hold(const Removals& removals) { held_.insert(removals.begin(), removals.end()); }
  const Removals& held() const { return held_; }
  Removals take_held() { return std::exchange(held_, {}); }
  /// It is listed again: nothing is to be deleted.
  void came_back(const std::string& path);

  /// This was let through; see `MassChange`.
  void add(const std::string& path, HeldChange::Kind kind, TimestampMs now);
  /// Does not count what turned out to be no removal.
  template <typename IsNone>
  void forget_if(IsNone is_none) {
    recent_.forget_if(is_none);
  }
  std::vector<std::string> take_recent(TimestampMs now) { return recent_.take_recent(now); }

 private:
  MassChange recent_;
  Removals asked_;
  Removals held_;
  std::optional<TimestampMs> truncations_due_;
};

}  // namespace diaryx::sync
