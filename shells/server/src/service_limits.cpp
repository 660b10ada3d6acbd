#include "service_limits.h"

namespace diaryx::server {

std::shared_ptr<void> OpenConnections::enter(const std::string& key, uint32_t limit) {
  const auto place = by_key_.try_emplace(key, 0).first;
  if (limit != 0 && place->second >= limit) return nullptr;
  ++place->second;
  ++count_;
  // The owner may be gone when the last connections are destroyed with the event loop.
  return {this, [self = shared_from_this(), place](void*) {
            --self->count_;
            if (--place->second == 0) self->by_key_.erase(place);
          }};
}

}  // namespace diaryx::server
