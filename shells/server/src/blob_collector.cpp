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

awaitable<void> BlobCollector::sweep(TimestampMs before) {
  co_await sweep_uploads();
  const auto users = co_await run_on(pool_, [this] { return blobs_.users(); });
  for (const std::string& user : users) {
    for (uint32_t first = 0; first <= UINT8_MAX; ++first) {
      auto blobs = co_await run_on(
          pool_, [this, &user, first, before] { return blobs_.blobs_of(user, static_cast<uint8_t>(first), before); });
      co_await take_unnamed(std::move(blobs));
    }
  }
}

awaitable<void> BlobCollector::take_unnamed(std::vector<BlobKey> blobs) {
  // Nobody holds them from here on, so none of them can be in its place and not yet in its record when the storage is asked.
  std::erase_if(blobs, [this](const BlobKey& blob) { return held_->contains(blob) || going_.contains(blob); });
  if (blobs.empty()) co_return;
  going_.insert(blobs.begin(), blobs.end());
  const auto unnamed =
      co_await ask<std::vector<BlobKey>>([&](auto reply) { storage_.unnamed_blobs(blobs, std::move(reply)); });
  if (unnamed && !unnamed->empty()) {
    co_await run_on(pool_, [this, &unnamed] {
      for (const BlobKey& blob : *unnamed) blobs_.discard_blob(blob.user_id, blob.hash);
      return true;
    });
    metrics_.files_swept += unnamed->size();
    native::log().info("{} attachments that no record names were taken away", unnamed->size());
  }
  for (const BlobKey& blob : blobs) going_.erase(blob);
}

awaitable<void> BlobCollector::sweep_uploads() {
  // The record of an upload comes before its first part: what has none now will not get one.
  auto ids = co_await run_on(pool_, [this] { return blobs_.uploads(); });
  if (ids.empty()) co_return;
  const auto unnamed =
      co_await ask<std::vector<std::string>>([&](auto reply) { storage_.unnamed_uploads(ids, std::move(reply)); });
  if (!unnamed || unnamed->empty()) co_return;
  co_await run_on(pool_, [this, &unnamed] {
    for (const std::string& id : *unnamed) blobs_.discard_upload(id);
    return true;
  });
  metrics_.files_swept += unnamed->size();
}

}  // namespace diaryx::server
