// The bytes of one connection: TCP, or TLS over TCP.
//
// One type for both, decided when the connection is made, so that everything above is compiled once. Cost: one branch per
// read and write.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/tcp_stream.hpp>

namespace diaryx::server {

class Transport {
 public:
  using next_layer_type = boost::beast::tcp_stream;
  using executor_type = next_layer_type::executor_type;

  explicit Transport(boost::asio::ip::tcp::socket socket)
      : state_(std::make_unique<State>(next_layer_type(std::move(socket)))) {}

  executor_type get_executor() noexcept { return state_->tcp.get_executor(); }
  next_layer_type& next_layer() noexcept { return state_->tcp; }
  const next_layer_type& next_layer() const noexcept { return state_->tcp; }
  void expires_after(std::chrono::steady_clock::duration time) { state_->tcp.expires_after(time); }
  void expires_never() { state_->tcp.expires_never(); }
  bool is_tls() const { return state_->tls.has_value(); }

  /// The server's half of the TLS handshake; before anything is read or written. `context` stays alive with the connection.
  boost::asio::awaitable<boost::system::error_code> start_tls(std::shared_ptr<boost::asio::ssl::context> context);

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (state_->tls) return state_->tls->async_read_some(buffers, std::forward<Token>(token));
    return state_->tcp.async_read_some(buffers, std::forward<Token>(token));
  }
  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (state_->tls) return state_->tls->async_write_some(buffers, std::forward<Token>(token));
    return state_->tcp.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  struct State {
    explicit State(next_layer_type stream) : tcp(std::move(stream)) {}
    next_layer_type tcp;
    std::shared_ptr<boost::asio::ssl::context> context;
    std::optional<boost::asio::ssl::stream<next_layer_type&>> tls;
  };
  std::unique_ptr<State> state_;  // the TLS stream refers to the TCP stream, so neither may move
};

}  // namespace diaryx::server
