// One HTTP connection: reads requests, routes them, writes responses; becomes a WebSocket when /sync2 is asked for.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>

#include "services.h"

namespace diaryx::server {

/// Serves until the connection ends. Nothing is thrown.
boost::asio::awaitable<void> serve_connection(boost::beast::tcp_stream stream, Services& services, const bool& draining);

}  // namespace diaryx::server
