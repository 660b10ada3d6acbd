#include "blob_collector.h"

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

constexpr uint32_t kPage = 500;        // a read that holds up others little
constexpr uint32_t kPagesPerWalk = 20;

}  // namespace

awaitable<std::shared_ptr<void>> BlobCollector::hold(BlobKey blob) {
  boost::asio::steady_timer timer(co_await boost::asio::this_coro::executor);
  while (going_.contains(blob)) {
    timer.expires_after(std::chrono::milliseconds(10));
    boost::system::error_code ignored;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, ignored));
  }
  ++(*held_)[blob];
  co_return std::shared_ptr<void>(this, [held = held_, blob = std::move(blob)](void*) {
    const auto found = held->find(blob);
    if (--found->second == 0) held->erase(found);
  });
}

awaitable<void> BlobCollector::collect(TimestampMs before) {
  for (uint32_t page = 0; page < kPagesPerWalk; ++page) {
    const auto review = co_await ask<BlobReview>(
        [&](auto reply) { storage_.review_blobs(looked_at_, kPage, before, std::move(reply)); });
    if (!review) co_return;  // the storage has said why
    for (const BlobKey& blob : review->unused) co_await take(blob);
    looked_at_ = review->last;
    if (!looked_at_) co_return;
  }
}

awaitable<void> BlobCollector::take(const BlobKey& blob) {
  if (held_->contains(blob) || !going_.insert(blob).second) co_return;
  const auto forgotten = co_await ask<bool>([&](auto reply) { storage_.forget_blob(blob, std::move(reply)); });
  if (forgotten && *forgotten) {
    co_await run_on(pool_, [this, &blob] {
      blobs_.discard_blob(blob.user_id, blob.hash);
      return true;
    });
    ++metrics_.blobs_collected;
  }
  going_.erase(blob);
}

}  // namespace diaryx::server
