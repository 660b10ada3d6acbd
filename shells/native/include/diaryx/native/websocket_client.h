// One WebSocket to one server, over TCP or TLS.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>

#include "diaryx/base/bytes.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/server_url.h"

namespace diaryx::native {

/// Why a socket ended.
struct SocketClosed {
  Problem problem;
  /// The HTTP status with which the server refused the upgrade (401: the token is not accepted), 0 when it did not.
  unsigned refused_status = 0;
};

/// Called on the thread that runs the io_context. Views are valid during the call.
struct SocketHandlers {
  std::function<void()> on_open;
  std::function<void(ByteView message)> on_binary;
  std::function<void(std::string_view message)> on_text;
  /// Exactly once per socket that was not closed by `close`; nothing is called after it.
  std::function<void(const SocketClosed& why)> on_closed;
};

/// Opens at construction, closes at destruction. Reconnecting is the owner's business: make a new one.
///
/// Messages leave in the order in which they were given. A ping goes out after 30 quiet seconds; after 60 without any
/// sign of the server the socket is closed. Incoming messages are limited to 64 MiB.
class WebSocketClient {
 public:
  /// target   beneath the base path, e.g. `/sync2?workspace_id=...`.
  WebSocketClient(boost::asio::io_context& io, const ServerUrl& server, std::string target, std::string token,
                  SocketHandlers handlers);
  ~WebSocketClient();
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  /// Queued; dropped when the socket is not open.
  void send_binary(Bytes message);
  void send_text(std::string message);

  /// Says goodbye without waiting. No handler is called any more.
  void close();

 private:
  class Socket;
  template <typename Stream>
  class SocketOver;
  std::shared_ptr<Socket> socket_;
};

}  // namespace diaryx::native
