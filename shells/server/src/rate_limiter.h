// How often somebody may do something: `burst` times at once, and again as the minutes pass.
//
// Invariants
//  1. Memory is bounded by `max_keys`, whoever floods: keys that are full again are forgotten first, then any.
//  2. Pure: time comes in, and may be any clock that does not go backwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "diaryx/base/units.h"

namespace diaryx::server {

class RateLimiter {
 public:
  /// burst   events in `per`; 0: no limit.
  RateLimiter(uint32_t burst, DurationMs per, size_t max_keys = 50'000);

  /// Counts one event. Nothing: allowed; else how long to wait until the next one is (at least 1 ms), and it does not count.
  std::optional<DurationMs> take(const std::string& key, TimestampMs now);
  /// As `take`, without counting.
  std::optional<DurationMs> would_refuse(const std::string& key, TimestampMs now) const;

  size_t keys() const { return full_at_us_.size(); }

 private:
  void make_room(int64_t now_us);

  int64_t interval_us_;  // between events at the steady rate; 0: no limit
  int64_t window_us_;
  size_t max_keys_;
  // When the key would be full again: the further in the future, the more was taken.
  std::unordered_map<std::string, int64_t> full_at_us_;
};

/// Whole seconds for a `Retry-After` header, at least 1.
int64_t retry_after_seconds(DurationMs wait);

}  // namespace diaryx::server
