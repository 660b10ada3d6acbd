#include "socket_session.h"

#include <chrono>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/field.hpp>

#include "diaryx/native/log.h"
#include "version.h"

namespace diaryx::server {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

// A browser cannot ping; the server finds dead connections itself and keeps proxies from closing quiet ones.
constexpr std::chrono::seconds kIdle{120};
constexpr std::chrono::seconds kHandshake{30};

size_t size_of(const std::variant<relay::SharedBytes, relay::SharedText>& message) {
  return std::visit([](const auto& one) { return one->size(); }, message);
}

asio::const_buffer buffer_of(const std::variant<relay::SharedBytes, relay::SharedText>& message) {
  return std::visit([](const auto& one) { return asio::const_buffer(one->data(), one->size()); }, message);
}

}  // namespace

SocketSession::SocketSession(boost::beast::tcp_stream stream, RelayHost& host, uint64_t max_queued_bytes,
                             uint64_t max_message_bytes)
    : socket_(std::move(stream)), host_(host), max_queued_bytes_(max_queued_bytes), resumed_(socket_.get_executor()) {
  socket_.read_message_max(max_message_bytes);
  socket_.auto_fragment(false);
}

asio::awaitable<void> SocketSession::run(UpgradeRequest request, relay::Principal principal,
                                         relay::Handshake handshake) {
  const auto self = shared_from_this();
  boost::system::error_code error;
  boost::beast::get_lowest_layer(socket_).expires_never();  // the WebSocket has its own timeouts
  socket_.set_option(websocket::stream_base::timeout{kHandshake, kIdle, true});
  socket_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(boost::beast::http::field::server, std::string(kServerName));
  }));
  co_await socket_.async_accept(request, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;
  connection_ = host_.opened(self, std::move(principal), handshake);
  co_await read_loop();
  broken_ = true;
  host_.closed(connection_);
}

asio::awaitable<void> SocketSession::read_loop() {
  while (true) {
    while (paused_) {
      resumed_.expires_at(asio::steady_timer::time_point::max());
      boost::system::error_code woken;
      co_await resumed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (broken_) co_return;
    }
    boost::system::error_code error;
    co_await socket_.async_read(incoming_, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      if (error != websocket::error::closed)
        native::log().debug("connection {}: {}", connection_.value(), error.message());
      co_return;
    }
    const auto data = incoming_.cdata();
    const auto* begin = static_cast<const uint8_t*>(data.data());
    if (socket_.got_binary()) {
      host_.received(connection_, Bytes(begin, begin + data.size()));
    } else {
      host_.received(connection_, std::string(begin, begin + data.size()));
    }
    incoming_.consume(incoming_.size());
    // One large message must not hold its memory for the life of a quiet connection.
    if (incoming_.capacity() > (1u << 20)) incoming_.shrink_to_fit();
  }
}

void SocketSession::resume() {
  paused_ = false;
  resumed_.cancel();
}

void SocketSession::enqueue(Outgoing message) {
  if (broken_ || close_wanted_) return;
  queued_bytes_ += size_of(message);
  // A single message may be larger than the bound; a backlog may not.
  if (queued_bytes_ > max_queued_bytes_ && !outgoing_.empty()) {
    native::log().warn("connection {} reads too slowly: cut with {} bytes waiting", connection_.value(), queued_bytes_);
    cut();
    return;
  }
  outgoing_.push_back(std::move(message));
  if (!writing_) write_next();
}

void SocketSession::write_next() {
  writing_ = true;
  socket_.binary(std::holds_alternative<relay::SharedBytes>(outgoing_.front()));
  socket_.async_write(buffer_of(outgoing_.front()), [self = shared_from_this()](const boost::system::error_code& error,
                                                                                size_t) { self->finish_write(error); });
}

void SocketSession::finish_write(const boost::system::error_code& error) {
  writing_ = false;
  if (error) {
    cut();
    return;
  }
  if (!outgoing_.empty()) {
    queued_bytes_ -= size_of(outgoing_.front());
    outgoing_.pop_front();
  }
  if (!outgoing_.empty()) return write_next();
  if (close_wanted_) start_close();
}

void SocketSession::close(relay::CloseCode code, const std::string& reason) {
  if (broken_ || close_wanted_) return;
  close_wanted_ = true;
  close_reason_ = websocket::close_reason(static_cast<websocket::close_code>(code), reason);
  if (!writing_) start_close();
}

void SocketSession::start_close() {
  if (close_started_) return;
  close_started_ = true;
  resume();  // the read loop sees the end
  socket_.async_close(close_reason_, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error) self->cut();
  });
}

void SocketSession::cut() {
  // The read loop ends with an error and tells the relay; nothing is called back from here.
  broken_ = true;
  resume();
  boost::system::error_code ignored;
  boost::beast::get_lowest_layer(socket_).socket().close(ignored);
}

}  // namespace diaryx::server
