#include "service_limits.h"

#include <utility>

namespace diaryx::server {

OpenConnections::Counted OpenConnections::enter(const std::string& key, uint32_t limit) {
  const auto place = by_key_.try_emplace(key, 0).first;
  if (limit != 0 && place->second >= limit) return {};
  ++place->second;
  ++count_;
  return {shared_from_this(), place};
}

OpenConnections::Counted& OpenConnections::Counted::operator=(Counted&& other) noexcept {
  if (this == &other) return *this;
  release();
  all_ = std::move(other.all_);
  of_key_ = other.of_key_;
  return *this;
}

void OpenConnections::Counted::release() {
  const auto all = std::exchange(all_, nullptr);
  if (all == nullptr) return;
  --all->count_;
  if (--of_key_->second == 0) all->by_key_.erase(of_key_);
}

}  // namespace diaryx::server
