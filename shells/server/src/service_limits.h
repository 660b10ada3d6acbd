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
  /// One connection, counted as long as this is there. Movable; every quiet socket has one, so it holds no memory of its own.
  class Counted {
   public:
    Counted() = default;
    Counted(Counted&& other) noexcept : all_(std::move(other.all_)), of_key_(other.of_key_) {}
    Counted& operator=(Counted&& other) noexcept;
    ~Counted() { release(); }

    explicit operator bool() const { return all_ != nullptr; }
    void release();

   private:
    friend class OpenConnections;
    using Place = std::map<std::string, uint32_t>::iterator;
    Counted(std::shared_ptr<OpenConnections> all, Place of_key) : all_(std::move(all)), of_key_(of_key) {}

    // The limits may be gone when the last connections are destroyed with the event loop.
    std::shared_ptr<OpenConnections> all_;  // null: nothing is counted
    Place of_key_;
  };

  uint32_t count() const { return count_; }
  /// One more; nothing if `key` has `limit` already (0: no limit).
  Counted enter(const std::string& key, uint32_t limit);

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
