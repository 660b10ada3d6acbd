// Waiting until open connections have learnt that access changed.
#pragma once

#include <memory>

#include "access_watch.h"
#include "ask.h"
#include "services.h"

namespace diaryx::server {

/// Continues when the connections concerned were cut or told; what they send from then on is judged by the new state. When the
/// storage cannot be asked now, the watch does it later.
inline asio::awaitable<void> tell_connections(Services& services) {
  (void)co_await ask<bool>([&](Reply<bool> reply) {
    auto shared = std::make_shared<Reply<bool>>(std::move(reply));
    services.access.look([shared] { (*shared)(true); });
  });
}

}  // namespace diaryx::server
