// One HTTP connection: reads requests, routes them, writes responses; becomes a WebSocket at /sync2, /yjs and /hocuspocus.
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>

#include "services.h"
#include "transport.h"

namespace diaryx::server {

/// What the connections and the server know of each other.
struct Lifecycle {
  bool draining = false;  // no new request is begun
  uint32_t between_requests = 0;  // connections kept open with nothing asked: nobody loses anything when they end
};

/// Serves until the connection ends or became a WebSocket, which then holds `counted`.
boost::asio::awaitable<void> serve_connection(Transport stream, Services& services, Lifecycle& life,
                                              OpenConnections::Counted counted);

}  // namespace diaryx::server
