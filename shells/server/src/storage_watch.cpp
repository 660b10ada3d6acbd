#include "storage_watch.h"

#include <chrono>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "ask.h"
#include "diaryx/native/log.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;

// Ten megabytes a second at most, and nobody who reads waits for longer than a piece takes.
constexpr uint64_t kPieceBytes = 256u << 10;
constexpr std::chrono::milliseconds kPause{25};
constexpr std::chrono::seconds kAfterStart{1};
constexpr std::chrono::hours kAgain{24};

awaitable<void> wait(std::chrono::milliseconds time) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor, time);
  boost::system::error_code ignored;
  co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
}

awaitable<void> look_once(Storage& storage, Metrics& metrics) {
  uint64_t damages = 0;
  for (std::optional<ReviewPlace> place = ReviewPlace{}; place;) {
    const auto review =
        co_await ask<StorageReview>([&](auto reply) { storage.review(*place, kPieceBytes, std::move(reply)); });
    if (!review) {
      native::log().warn("not everything stored was looked at: {}", review.error().detail);
      co_return;
    }
    for (const std::string& damage : review->damages)
      native::log().error("{}; see diaryx-syncd verify, and restore the last backup", damage);
    damages += review->damages.size();
    metrics.damages = std::max(metrics.damages, damages);
    place = review->next;
    co_await wait(kPause);
  }
  metrics.damages = damages;
  native::log().info("everything stored was looked at: {}", damages == 0 ? "it is as it was written" : "see above");
}

}  // namespace

awaitable<void> watch_storage(Storage& storage, Metrics& metrics) {
  for (co_await wait(kAfterStart);; co_await wait(kAgain)) co_await look_once(storage, metrics);
}

}  // namespace diaryx::server
