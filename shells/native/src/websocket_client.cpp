#include "diaryx/native/websocket_client.h"

#include <chrono>
#include <deque>
#include <exception>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/error.hpp>
#include <boost/beast/websocket/ssl.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "diaryx/native/http_client.h"
#include "net.h"

namespace diaryx::native {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = boost::beast::websocket;

namespace {

constexpr size_t kMaxMessageBytes = 64 * 1024 * 1024;
constexpr std::chrono::seconds kSilenceTimeout{60};  // Beast pings at half of it

websocket::stream_base::timeout timeouts() {
  return {.handshake_timeout = kIdleTimeout, .idle_timeout = kSilenceTimeout, .keep_alive_pings = true};
}

std::string refusal(const ServerUrl& server, unsigned status, const std::string& reason) {
  std::string sentence = "the server " + server.display();
  const std::string http = "HTTP " + std::to_string(status);
  if (status == 403)
    return sentence + " does not let this device in (" + (reason.empty() ? http : reason) +
           "): its access may have been taken away, or a proxy on the way refuses it; ask the owner of the workspace, "
           "or "
           "link the folder again with a new token";
  if (status == 401) return sentence + " does not accept this device's token; link the folder again with a new one";
  if (status == 404) return sentence + " has no sync service at this address; check the address";
  if (status / 100 == 3)
    return sentence + " sends us to another address; link the folder again with that one (it may begin with https://)";
  return sentence + " refused the connection (" + http + (reason.empty() ? "" : ": " + reason) + "); it is tried again";
}

/// The server said goodbye: why, and what happens next. `why` comes from the wire.
Problem goodbye(const ServerUrl& server, const websocket::close_reason& why) {
  const std::string reason = without_controls({why.reason.data(), why.reason.size()});
  std::string sentence = "the server " + server.display();
  if (why.code == websocket::close_code::going_away) {
    sentence +=
        " is stopping or restarting; this device connects again when it is back, and what is edited meanwhile is kept";
  } else if (why.code == websocket::close_code::try_again_later) {
    sentence += " cannot store anything now" + (reason.empty() ? "" : " (" + reason + ")") + "; it is tried again";
  } else if (!reason.empty()) {
    sentence += " ended the connection: " + reason;
  } else {
    sentence += " closed the connection; it is tried again";
  }
  return {std::move(sentence), 0};
}

}  // namespace

/// What does not depend on the kind of stream. Lives as long as one of its operations is pending.
class WebSocketClient::Socket : public std::enable_shared_from_this<Socket> {
 public:
  virtual ~Socket() = default;
  virtual void start() = 0;
  virtual void shut() = 0;

  void send(Bytes message, bool is_text) {
    if (!open_) return;
    outbox_.push_back({std::move(message), is_text});
    if (outbox_.size() == 1) start_writing();
  }

  /// The handlers stay: one of them may be what calls this.
  void silence() { silenced_ = true; }

 protected:
  struct Outgoing {
    Bytes message;
    bool is_text;
  };

  Socket(ServerUrl server, std::string target, std::string token, SocketHandlers handlers)
      : server_(std::move(server)),
        target_(std::move(target)),
        token_(std::move(token)),
        handlers_(std::move(handlers)) {}

  virtual void start_writing() = 0;

  void opened() {
    open_ = true;
    if (!silenced_ && handlers_.on_open) handlers_.on_open();
  }

  void closed(SocketClosed why) {
    open_ = false;
    if (std::exchange(silenced_, true)) return;
    if (handlers_.on_closed) handlers_.on_closed(why);
  }

  void received(ByteView message, bool is_text) {
    if (silenced_) return;
    if (is_text && handlers_.on_text) handlers_.on_text(as_text(message));
    if (!is_text && handlers_.on_binary) handlers_.on_binary(message);
  }

  ServerUrl server_;
  std::string target_;
  std::string token_;
  SocketHandlers handlers_;
  std::deque<Outgoing> outbox_;  // the first one is being written
  bool open_ = false;
  bool silenced_ = false;
};

template <typename Stream>
class WebSocketClient::SocketOver final : public Socket {
 public:
  template <typename... StreamArguments>
  SocketOver(ServerUrl server, std::string target, std::string token, SocketHandlers handlers,
             StreamArguments&&... arguments)
      : Socket(std::move(server), std::move(target), std::move(token), std::move(handlers)),
        stream_(std::forward<StreamArguments>(arguments)...) {}

  void start() override {
    asio::co_spawn(stream_.get_executor(), run(), [self = shared_from_this()](std::exception_ptr failure) {
      if (failure) static_cast<SocketOver&>(*self).closed({Problem{"the connection ended for want of memory", 0}, 0});
    });
  }

  void shut() override {
    open_ = false;
    beast::get_lowest_layer(stream_).cancel();
    beast::get_lowest_layer(stream_).close();
  }

 protected:
  void start_writing() override {
    asio::co_spawn(stream_.get_executor(), write_all(), [self = shared_from_this()](std::exception_ptr) {});
  }

 private:
  asio::awaitable<void> run() {
    const auto self = shared_from_this();
    auto connected = co_await connect(stream_.next_layer(), server_);
    if (!connected) co_return closed({std::move(connected.error()), 0});
    beast::get_lowest_layer(stream_).expires_never();  // the WebSocket has its own timer
    stream_.set_option(timeouts());
    stream_.read_message_max(kMaxMessageBytes);
    stream_.set_option(websocket::stream_base::decorator([this](websocket::request_type& request) {
      request.set(beast::http::field::user_agent, "diaryx-sync");
      if (!token_.empty()) request.set(beast::http::field::authorization, "Bearer " + token_);
    }));
    websocket::response_type response;
    const auto [error] =
        co_await stream_.async_handshake(response, server_.host_header(), server_.base_path + target_, kNoThrow);
    if (error == websocket::error::upgrade_declined) {
      const unsigned status = response.result_int();
      co_return closed({Problem{refusal(server_, status, reason_in(response.body())), 0}, status});
    }
    if (error) co_return closed({std::move(net_problem("connect to", server_, error).error()), 0});
    opened();
    co_await read_all();
  }

  asio::awaitable<void> read_all() {
    beast::flat_buffer buffer;
    for (;;) {
      const auto [error, size] = co_await stream_.async_read(buffer, kNoThrow);
      if (error == websocket::error::closed) co_return closed({goodbye(server_, stream_.reason()), 0});
      if (error) co_return closed({std::move(net_problem("keep the connection to", server_, error).error()), 0});
      const ByteView message(static_cast<const uint8_t*>(buffer.data().data()), buffer.data().size());
      received(message, stream_.got_text());
      buffer.consume(buffer.size());
    }
  }

  asio::awaitable<void> write_all() {
    const auto self = shared_from_this();
    while (!outbox_.empty()) {
      const Outgoing& next = outbox_.front();
      stream_.text(next.is_text);
      const auto [error, size] = co_await stream_.async_write(asio::buffer(next.message), kNoThrow);
      outbox_.pop_front();
      if (error) co_return;  // the reader meets the same end and tells it
    }
  }

  websocket::stream<Stream> stream_;
};

WebSocketClient::WebSocketClient(asio::io_context& io, const ServerUrl& server, std::string target, std::string token,
                                 SocketHandlers handlers) {
  if (server.tls) {
    socket_ = std::make_shared<SocketOver<TlsStream>>(server, std::move(target), std::move(token), std::move(handlers),
                                                      io.get_executor(), tls_context());
  } else {
    socket_ = std::make_shared<SocketOver<PlainStream>>(server, std::move(target), std::move(token),
                                                        std::move(handlers), io.get_executor());
  }
  socket_->start();
}

WebSocketClient::~WebSocketClient() { close(); }

void WebSocketClient::send_binary(Bytes message) { socket_->send(std::move(message), false); }
void WebSocketClient::send_text(std::string message) { socket_->send(to_bytes(as_bytes(message)), true); }

void WebSocketClient::close() {
  socket_->silence();
  socket_->shut();
}

}  // namespace diaryx::native
