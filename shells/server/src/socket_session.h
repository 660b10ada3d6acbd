// One WebSocket connection of /sync2: reads whole messages, writes in order, is cut when its reader is too slow.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <variant>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "relay_host.h"

namespace diaryx::server {

class SocketSession final : public RelayPeer, public std::enable_shared_from_this<SocketSession> {
 public:
  using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;

  SocketSession(boost::beast::tcp_stream stream, RelayHost& host, uint64_t max_queued_bytes,
                uint64_t max_message_bytes);

  /// Accepts the upgrade and serves until the connection ends.
  boost::asio::awaitable<void> run(UpgradeRequest request, relay::Principal principal, relay::Handshake handshake);

  void send(const relay::SharedBytes& frame) override { enqueue(frame); }
  void send(const relay::SharedText& text) override { enqueue(text); }
  void close(relay::CloseCode code, const std::string& reason) override;
  void pause() override { paused_ = true; }
  void resume() override;

 private:
  using Outgoing = std::variant<relay::SharedBytes, relay::SharedText>;

  boost::asio::awaitable<void> read_loop();
  void enqueue(Outgoing message);
  void write_next();
  void finish_write(const boost::system::error_code& error);
  void start_close();
  void cut();

  boost::beast::websocket::stream<boost::beast::tcp_stream> socket_;
  RelayHost& host_;
  const uint64_t max_queued_bytes_;
  relay::ConnectionId connection_;
  boost::beast::flat_buffer incoming_;
  boost::asio::steady_timer resumed_;
  bool paused_ = false;
  std::deque<Outgoing> outgoing_;
  uint64_t queued_bytes_ = 0;
  bool writing_ = false;
  bool broken_ = false;
  bool close_wanted_ = false;
  bool close_started_ = false;
  boost::beast::websocket::close_reason close_reason_;
};

}  // namespace diaryx::server
