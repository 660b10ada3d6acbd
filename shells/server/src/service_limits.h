// The counters behind every "too often" and "too many". (Not limits.h: the C library has a header of that name.)
#pragma once

#include <map>

#include "client_address.h"
#include "options.h"
#include "rate_limiter.h"

namespace diaryx::server {

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
  std::map<std::string, uint32_t> open_connections;  // by limit key of the peer
};

}  // namespace diaryx::server
