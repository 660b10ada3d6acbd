// What time it is while an event is handled.
//
// Invariants
// 1. `now()` never goes back, whatever the device's clock does; deadlines count on it.
// 2. `on_wall(now()) == wall()`.
#pragma once

#include "diaryx/base/units.h"

namespace diaryx::sync {

class BatchClock {
 public:
  /// An event is handled while the device's clock shows this.
  void show(TimestampMs wall) {
    wall_ = wall;
    if (wall + set_back_ < now_) set_back_ = now_ - wall;
    now_ = wall + set_back_;
  }

  TimestampMs now() const { return now_; }
  /// What people see, and what is written into the list of files.
  TimestampMs wall() const { return wall_; }
  /// What the device's clock will show at that moment, if nobody sets it meanwhile.
  TimestampMs on_wall(TimestampMs moment) const { return TimestampMs{moment.value() - set_back_.value()}; }

 private:
  TimestampMs now_;
  TimestampMs wall_;
  DurationMs set_back_{0};  // how far the clock is behind what it would show if nobody had set it back
};

}  // namespace diaryx::sync
