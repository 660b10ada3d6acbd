#include "access_watch.h"

#include <boost/asio/execution/outstanding_work.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include "diaryx/native/log.h"
#include "relay_host.h"
#include "services.h"

namespace diaryx::server {
namespace {

constexpr std::chrono::seconds kPeriod{1};
constexpr const char* kTokenEnded = "You are signed out here. Sign in again.";
constexpr const char* kShareEnded = "The share session has ended.";

}  // namespace

AccessWatch::AccessWatch(boost::asio::any_io_executor executor, Storage& storage, RelayHost& relay, Metrics& metrics)
    : executor_(executor), timer_(executor), storage_(storage), relay_(relay), metrics_(metrics) {}

template <typename T>
Reply<T> AccessWatch::reply(std::move_only_function<void(StorageResult<T>)> handle) {
  auto home = boost::asio::prefer(executor_, boost::asio::execution::outstanding_work.tracked);
  return [home, handle = std::move(handle)](StorageResult<T> result) mutable {
    boost::asio::post(
        home, [handle = std::move(handle), result = std::move(result)]() mutable { handle(std::move(result)); });
  };
}

void AccessWatch::start() { wait(); }

void AccessWatch::stop() {
  stopped_ = true;
  timer_.cancel();
}

void AccessWatch::wait() {
  if (stopped_) return;
  timer_.expires_after(kPeriod);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || stopped_) return;
    look();
    wait();
  });
}

void AccessWatch::add(relay::ConnectionId connection, AccessKey key, std::string workspace,
                      std::optional<TimestampMs> expires) {
  if (!workspace.empty()) ++guests_[workspace];
  entries_[connection] = {key, std::move(workspace), expires, false};
}

void AccessWatch::remove(relay::ConnectionId connection) {
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  if (const auto count = guests_.find(found->second.workspace); count != guests_.end() && --count->second == 0)
    guests_.erase(count);
  entries_.erase(found);
}

uint32_t AccessWatch::guests_of(const std::string& workspace) const {
  const auto found = guests_.find(workspace);
  return found == guests_.end() ? 0 : found->second;
}

void AccessWatch::look(std::function<void()> then) {
  if (looking_) {
    again_ = true;
    if (then) next_.push_back(std::move(then));
    return;
  }
  if (then) waiting_.push_back(std::move(then));
  looking_ = true;
  storage_.access_epoch(reply<uint64_t>([this](StorageResult<uint64_t> epoch) { compare(std::move(epoch)); }));
}

void AccessWatch::compare(StorageResult<uint64_t> epoch) {
  if (!epoch) {
    native::log().error("access was not checked: {}", epoch.error().detail);
    return finish();
  }
  const bool changed = std::exchange(epoch_, *epoch) != *epoch;
  check(changed);
}

void AccessWatch::check(bool everybody) {
  const TimestampMs time = now();
  std::vector<relay::ConnectionId> asked;
  std::vector<AccessKey> keys;
  for (auto& [connection, entry] : entries_) {
    if (!everybody && entry.checked && (!entry.expires || *entry.expires > time)) continue;
    asked.push_back(connection);
    keys.push_back(entry.key);
  }
  if (keys.empty()) return finish();
  storage_.check_access(std::move(keys), time,
                        reply<std::vector<AccessState>>(
                            [this, asked = std::move(asked)](auto states) { judge(asked, std::move(states)); }));
}

void AccessWatch::judge(const std::vector<relay::ConnectionId>& asked, StorageResult<std::vector<AccessState>> states) {
  if (!states) {
    native::log().error("access was not checked: {}", states.error().detail);
    epoch_ = 0;  // everybody is asked about next time
    return finish();
  }
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto found = entries_.find(asked[i]);
    if (found == entries_.end()) continue;  // gone meanwhile
    Entry& entry = found->second;
    entry.checked = true;
    const AccessState& state = (*states)[i];
    const bool share = entry.key.kind == AccessKey::Kind::Share;
    if (!state.valid) {
      ++metrics_.access_ended;
      relay_.end_access(asked[i], share ? kShareEnded : kTokenEnded);
    } else if (share) {
      relay_.change_access(asked[i], entry.workspace,
                           state.read_only ? relay::Access::ReadOnly : relay::Access::ReadWrite);
    }
  }
  finish();
}

void AccessWatch::finish() {
  looking_ = false;
  for (auto& then : std::exchange(waiting_, {})) then();
  waiting_ = std::exchange(next_, {});
  if (std::exchange(again_, false) && !stopped_) look();
}

}  // namespace diaryx::server
