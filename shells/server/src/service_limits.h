// The counters behind every "too often" and "too many". (Not limits.h: the C library has a header of that name.)
#pragma once

#include <map>
#include <memory>
#include <string>

#include "client_address.h"
#include "options.h"
#include "rate_limiter.h"

namespace diaryx::server {

/// The connections that are open, all and by the key that limits count by.
class OpenConnections : public std::enable_shared_from_this<OpenConnections> {
 public:
  uint32_t count() const { return count_; }
  /// One more, until what is returned is released; null if `key` has `limit` already (0: no limit).
  std::shared_ptr<void> enter(const std::string& key, uint32_t limit);

 private:
  uint32_t count_ = 0;
  std::map<std::string, uint32_t> by_key_;
};

struct Limits {
  explicit Limits(const Options& options)
      : address_requests(options.address_requests, kMinute),
        user_requests(options.user_requests, kMinute),
        token_requests(options.token_requests, kMinute),
        address_refusals(options.address_refusals, kMinute),
        address_sign_ins(options.address_sign_ins, kHour),
        email_sign_ins(kSignInsPerHour, kHour) {}

  static constexpr DurationMs kMinute{60'000};
  static constexpr DurationMs kHour{3'600'000};
  static constexpr uint32_t kSignInsPerHour = 3;  // for one e-mail address

  RateLimiter address_requests;
  RateLimiter user_requests;
  RateLimiter token_requests;
  RateLimiter address_refusals;
  RateLimiter address_sign_ins;
  RateLimiter email_sign_ins;
  AddressList trusted_proxies;
  std::shared_ptr<OpenConnections> open = std::make_shared<OpenConnections>();
};

}  // namespace diaryx::server
