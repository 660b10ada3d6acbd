#include "connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "diaryx/native/random.h"

namespace diaryx::client {
namespace {

constexpr int64_t kFirstPauseMs = 400;
constexpr int64_t kLongestPauseMs = 30'000;
constexpr unsigned kUnauthorized = 401;
constexpr unsigned kForbidden = 403;

}  // namespace

int64_t pause_before_ms(uint32_t attempt, uint64_t chance) {
  int64_t pause_ms = kFirstPauseMs;
  for (uint32_t step = 1; step < attempt && pause_ms < kLongestPauseMs; ++step) pause_ms += pause_ms / 2;
  pause_ms = std::min(pause_ms, kLongestPauseMs);
  return pause_ms + int64_t(chance % uint64_t(pause_ms / 4 + 1));
}

Connection::Connection(boost::asio::io_context& io, native::ServerUrl server, std::string workspace_id,
                       std::string token, Handlers handlers)
    : io_(io),
      server_(std::move(server)),
      target_("/sync2?workspace_id=" + native::percent_encoded(workspace_id)),
      token_(std::move(token)),
      handlers_(std::move(handlers)),
      pause_(io) {}

void Connection::go_online() {
  if (std::exchange(online_, true)) return;
  failures_ = 0;
  open();
}

void Connection::go_offline() {
  online_ = false;
  open_ = false;
  pause_.cancel();
  socket_.reset();
}

void Connection::restart() {
  if (!online_) return;
  open_ = false;
  socket_.reset();
  ++failures_;
  open_later();
}

void Connection::open() {
  native::SocketHandlers handlers;
  handlers.on_open = [this] {
    open_ = true;
    handlers_.opened();
  };
  handlers.on_binary = [this](ByteView message) {
    failures_ = 0;
    handlers_.binary(message);
  };
  handlers.on_text = [this](std::string_view message) {
    failures_ = 0;
    handlers_.text(message);
  };
  handlers.on_closed = [this](const native::SocketClosed& why) { on_lost(why); };
  socket_ = std::make_unique<native::WebSocketClient>(io_, server_, target_, token_, std::move(handlers));
}

void Connection::open_later() {
  pause_.expires_after(std::chrono::milliseconds(pause_before_ms(failures_, native::random_u64())));
  pause_.async_wait([this](const boost::system::error_code& error) {
    if (!error && online_) open();
  });
}

void Connection::on_lost(const native::SocketClosed& why) {
  open_ = false;
  ++failures_;
  // A token that is not accepted now will not be accepted in a second: the owner decides.
  if (why.refused_status != kUnauthorized && why.refused_status != kForbidden) {
    open_later();
  } else {
    online_ = false;
  }
  handlers_.lost(why);
}

void Connection::send_binary(Bytes message) {
  if (socket_) socket_->send_binary(std::move(message));
}

void Connection::send_text(std::string message) {
  if (socket_) socket_->send_text(std::move(message));
}

}  // namespace diaryx::client
