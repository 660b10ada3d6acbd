#include "access_watch.h"

#include <algorithm>

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

AccessWatch::AccessWatch(boost::asio::any_io_executor executor, AccessStorage& storage, RelayHost& relay,
                         Metrics& metrics)
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

AccessWatch::Grant& AccessWatch::enter(const AccessKey& key, std::string workspace, std::optional<TimestampMs> expires,
                                       relay::SharedPrincipal& principal) {
  Grant& grant = grants_.try_emplace(key, Grant{.key = key, .workspace = std::move(workspace)}).first->second;
  grant.expires = expires;
  grant.checked = false;
  if (grant.principal != nullptr && *grant.principal == *principal) {
    principal = grant.principal;
  } else {
    grant.principal = principal;
  }
  return grant;
}

void AccessWatch::add(Grant& grant, relay::ConnectionId connection) {
  if (!grant.workspace.empty()) ++guests_[grant.workspace];
  grant.connections.push_back(connection);
}

void AccessWatch::remove(Grant& grant, relay::ConnectionId connection) {
  const auto found = std::ranges::find(grant.connections, connection);
  if (found == grant.connections.end()) return;
  *found = grant.connections.back();
  grant.connections.pop_back();
  if (const auto count = guests_.find(grant.workspace); count != guests_.end() && --count->second == 0)
    guests_.erase(count);
  if (grant.connections.empty()) grants_.erase(AccessKey(grant.key));
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
  storage_.epoch(reply<uint64_t>([this](StorageResult<uint64_t> epoch) { compare(std::move(epoch)); }));
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
  std::vector<AccessKey> keys;
  for (auto& [key, grant] : grants_) {
    const bool expired = grant.expires && *grant.expires <= time;
    if (everybody || expired || !grant.checked) keys.push_back(key);
    grant.checked = true;
  }
  if (keys.empty()) return finish();
  std::vector<AccessKey> asked = keys;
  storage_.check(std::move(keys), time, reply<std::vector<AccessState>>([this, asked = std::move(asked)](auto states) {
                   judge(asked, std::move(states));
                 }));
}

void AccessWatch::judge(const std::vector<AccessKey>& asked, StorageResult<std::vector<AccessState>> states) {
  if (!states) {
    native::log().error("access was not checked: {}", states.error().detail);
    epoch_ = 0;  // everybody is asked about next time
    return finish();
  }
  for (size_t i = 0; i < asked.size(); ++i) {
    const auto found = grants_.find(asked[i]);
    if (found == grants_.end()) continue;  // gone meanwhile
    const AccessState& state = (*states)[i];
    const bool share = asked[i].kind == AccessKey::Kind::Share;
    // Copies: a connection that ends takes itself out, and the last one the grant.
    const std::string workspace = found->second.workspace;
    for (const relay::ConnectionId connection : std::vector(found->second.connections)) {
      if (!state.valid) {
        ++metrics_.access_ended;
        relay_.end_access(connection, share ? kShareEnded : kTokenEnded);
      } else if (share) {
        relay_.change_access(connection, workspace,
                             state.read_only ? relay::Access::ReadOnly : relay::Access::ReadWrite);
      }
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
