// The socket that a guest asks for by `host_ws_request`: opened in the background, reopened with growing pauses.
//
// 1. No callback runs inside a request; each waits for the running guest call to end.
// 2. `connected` comes before the first frame of a socket and `disconnected` after its last.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/websocket_client.h"

namespace diaryx::host {

struct SocketCallbacks {
  std::function<void(const std::string& workspace_id, bool write_to_disk)> connected;
  std::function<void(ByteView frame)> binary;
  std::function<void(std::string_view text)> text;
  std::function<void()> disconnected;
};

class SocketBridge {
 public:
  SocketBridge(boost::asio::io_context& io, SocketCallbacks callbacks);

  /// Performs one request of the guest. Sending without an open socket is a problem, as on other native hosts.
  native::Outcome<std::string> request(const Json& request);

  /// Drops the socket and opens no other until told so: what a device in a tunnel sees.
  void set_offline(bool offline);
  void close();

 private:
  struct Target {
    std::string key;  // equal keys: the same connection is wanted
    native::ServerUrl server;
    std::string path;
    std::string token;
    std::string workspace_id;
    bool write_to_disk = true;
  };

  native::Outcome<std::string> connect(const Json& request);
  void open();
  void drop();
  void retry();

  boost::asio::io_context& io_;
  SocketCallbacks callbacks_;
  std::optional<Target> target_;
  std::unique_ptr<native::WebSocketClient> socket_;
  bool is_open_ = false;
  bool offline_ = false;
  int attempt_ = 0;
  boost::asio::steady_timer timer_;
};

}  // namespace diaryx::host
