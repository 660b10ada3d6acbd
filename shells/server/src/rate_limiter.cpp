#include "rate_limiter.h"

#include <algorithm>

namespace diaryx::server {

RateLimiter::RateLimiter(uint32_t burst, DurationMs per, size_t max_keys)
    : interval_us_(burst == 0 ? 0 : std::max<int64_t>(1, per.value() * 1000 / burst)),
      window_us_(interval_us_ * burst),
      max_keys_(max_keys) {}

std::optional<DurationMs> RateLimiter::would_refuse(const std::string& key, TimestampMs now) const {
  if (interval_us_ == 0) return std::nullopt;
  const int64_t now_us = now.value() * 1000;
  const auto found = full_at_us_.find(key);
  const int64_t next = (found == full_at_us_.end() ? now_us : std::max(found->second, now_us)) + interval_us_;
  if (next - now_us <= window_us_) return std::nullopt;
  return DurationMs{std::max<int64_t>(1, (next - now_us - window_us_ + 999) / 1000)};
}

std::optional<DurationMs> RateLimiter::take(const std::string& key, TimestampMs now) {
  if (interval_us_ == 0) return std::nullopt;
  if (const auto wait = would_refuse(key, now)) return wait;
  const int64_t now_us = now.value() * 1000;
  auto found = full_at_us_.find(key);
  if (found == full_at_us_.end()) {
    if (full_at_us_.size() >= max_keys_) make_room(now_us);
    found = full_at_us_.emplace(key, now_us).first;
  }
  found->second = std::max(found->second, now_us) + interval_us_;
  return std::nullopt;
}

void RateLimiter::make_room(int64_t now_us) {
  std::erase_if(full_at_us_, [now_us](const auto& entry) { return entry.second <= now_us; });
  // Still full: more callers at once than there is room for. An eighth goes, so that this is not done for each of them.
  for (size_t spare = max_keys_ / 8 + 1; full_at_us_.size() + spare > max_keys_ && !full_at_us_.empty();)
    full_at_us_.erase(full_at_us_.begin());
}

int64_t retry_after_seconds(DurationMs wait) { return std::max<int64_t>(1, (wait.value() + 999) / 1000); }

}  // namespace diaryx::server
