// Counts removals in one direction, to tell a wave from everyday work.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/replica.h"

namespace diaryx::sync {

class MassChange {
 public:
  explicit MassChange(BreakerOptions options) : options_(options) {}

  /// True if `count` more removals, of `files` that are there, are a wave together with those of the last while.
  bool is_wave(size_t count, size_t files, TimestampMs now) {
    forget(now);
    const size_t removed = recent_.size() + count;
    const size_t before = files + static_cast<size_t>(std::ranges::count(recent_, true, &Removal::left));
    return removed >= options_.min_files && removed * 100 >= before * options_.share_percent;
  }

  /// True if as many more, with those of the last while, may be the beginning of a wave: a fifth of one.
  bool may_become_wave(size_t count, size_t files, TimestampMs now) {
    forget(now);
    const size_t removed = recent_.size() + count;
    return removed * 5 >= options_.min_files && removed * 500 >= files * options_.share_percent;
  }

  /// This was let through. `left`: the file is no longer among those that are there.
  void add(std::string path, bool left, TimestampMs now) { recent_.push_back({now, std::move(path), left}); }

  /// Does not count what turned out to be no removal.
  template <typename IsNone>
  void forget_if(IsNone&& is_none) {
    std::erase_if(recent_, [&](const Removal& removal) { return is_none(removal.path); });
  }

  /// What was let through in the last while, and forgets it: the beginning of a wave that was held later.
  std::vector<std::string> take_recent(TimestampMs now) {
    forget(now);
    std::vector<std::string> paths;
    for (Removal& removal : std::exchange(recent_, {})) paths.push_back(std::move(removal.path));
    return paths;
  }

 private:
  void forget(TimestampMs now) {
    // A clock that was set back makes the past look like the future; that is forgotten, too.
    std::erase_if(recent_, [&](const Removal& removal) {
      return removal.time + options_.window < now || now + options_.window < removal.time;
    });
  }

  struct Removal {
    TimestampMs time;
    std::string path;
    bool left = false;
  };

  BreakerOptions options_;
  std::vector<Removal> recent_;
};

}  // namespace diaryx::sync
