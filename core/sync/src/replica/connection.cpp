#include "replica/connection.h"

#include <utility>

namespace diaryx::sync {
namespace {

constexpr DurationMs kAnswerTimeout{10'000};
constexpr DurationMs kRefusedRetry{30'000};

}  // namespace

bool Connection::begin(TimestampMs now) {
  await(now);
  return change(SyncState::Connected);
}

bool Connection::end() {
  has_receipts_ = false;
  deadline_.reset();
  return state_ != SyncState::Refused && change(SyncState::Disconnected);
}

bool Connection::refuse(SyncState state, TimestampMs now) {
  deadline_ = now + kRefusedRetry;
  return change(state);
}

void Connection::await(TimestampMs now) { deadline_ = now + kAnswerTimeout; }

std::optional<std::string_view> Connection::overdue(TimestampMs now) {
  if (!deadline_ || *deadline_ > now) return std::nullopt;
  await(now);
  return is_online() ? "the server did not answer within 10 seconds" : "the server is asked once more";
}

bool Connection::change(SyncState state) { return std::exchange(state_, state) != state; }

}  // namespace diaryx::sync
