// What the HTTP and the WebSocket client share: reaching a server over TCP or TLS.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include "diaryx/native/problem.h"
#include "diaryx/native/server_url.h"

namespace diaryx::native {

using PlainStream = boost::beast::tcp_stream;
using TlsStream = boost::beast::ssl_stream<boost::beast::tcp_stream>;

/// Nothing in our code throws: operations give (error_code, result).
inline constexpr auto kNoThrow = boost::asio::as_tuple(boost::asio::use_awaitable);

inline constexpr std::chrono::seconds kIdleTimeout{30};

/// "cannot <doing> <server>: <reason>", with advice for the failures that users meet.
std::unexpected<Problem> net_problem(std::string_view doing, const ServerUrl& server,
                                     const boost::system::error_code& error);

/// What came from the wire, with nothing in it that a terminal obeys.
std::string without_controls(std::string_view text);

/// The process's client context: TLS 1.2 or newer, the system's certificates.
boost::asio::ssl::context& tls_context();

/// Resolves and connects, through a proxy where the environment asks for one (proxy.h). Errors: net_problem, or what the proxy says.
boost::asio::awaitable<Outcome<void>> connect(PlainStream& stream, const ServerUrl& server);
/// Also shakes hands and checks the server's certificate against its name.
boost::asio::awaitable<Outcome<void>> connect(TlsStream& stream, const ServerUrl& server);

}  // namespace diaryx::native
