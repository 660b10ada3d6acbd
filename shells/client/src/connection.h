// The way to the server: one WebSocket, opened again with growing pauses when it ends, or kept away on purpose.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "diaryx/native/websocket_client.h"

namespace diaryx::client {

/// How long to wait before attempt `attempt` (1, 2, ...): 400 ms growing by half each time, at most 30 s, and up to a
/// quarter more by chance so that devices do not come back all at once. `chance` is any number.
int64_t pause_before_ms(uint32_t attempt, uint64_t chance);

class Connection {
 public:
  struct Handlers {
    std::function<void()> opened;
    std::function<void(ByteView)> binary;
    std::function<void(std::string_view)> text;
    /// Ended, or could not be opened. It will be tried again unless the server refused the token.
    std::function<void(const native::SocketClosed&)> lost;
  };

  Connection(boost::asio::io_context& io, native::ServerUrl server, std::string workspace_id, std::string token,
             Handlers handlers);

  /// Connects now, and again whenever the connection ends.
  void go_online();
  /// Closes, and stays away. `lost` is not called.
  void go_offline();
  /// Closes and opens anew after a pause. `lost` is not called.
  void restart();

  bool is_online() const { return online_; }
  bool is_open() const { return open_; }

  void send_binary(Bytes message);
  void send_text(std::string message);

 private:
  void open();
  void open_later();
  void on_lost(const native::SocketClosed& why);

  boost::asio::io_context& io_;
  native::ServerUrl server_;
  std::string target_;
  std::string token_;
  Handlers handlers_;
  boost::asio::steady_timer pause_;
  std::unique_ptr<native::WebSocketClient> socket_;
  uint32_t failures_ = 0;  // in a row; a message from the server ends the row
  bool online_ = false;
  bool open_ = false;
};

}  // namespace diaryx::client
