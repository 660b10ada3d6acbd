// A small HTTP and WebSocket server on loopback, on the same io_context as the client under test.
#pragma once

#include <algorithm>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "diaryx/native/server_url.h"

namespace diaryx::native {

class LoopbackServer {
 public:
  using Request = boost::beast::http::request<boost::beast::http::string_body>;
  using Response = boost::beast::http::response<boost::beast::http::string_body>;

  explicit LoopbackServer(boost::asio::io_context& io)
      : acceptor_(io, {boost::asio::ip::make_address("127.0.0.1"), 0}) {
    boost::asio::co_spawn(io, accept_all(), boost::asio::detached);
  }

  ServerUrl url() const {
    return ServerUrl{
        .tls = false, .host = "127.0.0.1", .port = std::to_string(acceptor_.local_endpoint().port()), .base_path = ""};
  }

  /// What a plain request gets; the default echoes the body.
  std::function<Response(const Request&)> answer = [](const Request& request) {
    Response response(boost::beast::http::status::ok, 11);
    response.body() = request.body();
    return response;
  };

  std::vector<Request> seen;
  bool refuse_upgrade = false;
  size_t break_off_bytes = 0;  // of the next response: what its end lacks when the line breaks
  int messages_before_close = 1'000;
  boost::beast::websocket::close_reason goodbye = boost::beast::websocket::close_code::normal;

  void stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
  }

 private:
  boost::asio::awaitable<void> accept_all() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(boost::asio::use_awaitable);
      boost::asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), boost::asio::detached);
    }
  }

  boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket) {
    namespace beast = boost::beast;
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer;
    beast::http::request_parser<beast::http::string_body> parser;
    parser.body_limit(64 * 1024 * 1024);
    co_await beast::http::async_read(stream, buffer, parser, boost::asio::use_awaitable);
    seen.push_back(parser.get());
    if (beast::websocket::is_upgrade(parser.get()) && !refuse_upgrade) {
      co_await echo(std::move(stream), parser.get());
      co_return;
    }
    Response response = answer(parser.get());
    response.prepare_payload();
    std::ostringstream out;
    out << response;
    const std::string bytes = out.str();
    const size_t sent = bytes.size() - std::min(bytes.size(), std::exchange(break_off_bytes, 0));
    co_await boost::asio::async_write(stream, boost::asio::buffer(bytes.data(), sent), boost::asio::use_awaitable);
    boost::system::error_code ignored;
    stream.socket().shutdown(boost::asio::ip::tcp::socket::shutdown_both, ignored);
  }

  boost::asio::awaitable<void> echo(boost::beast::tcp_stream stream, Request request) {
    boost::beast::websocket::stream<boost::beast::tcp_stream> socket(std::move(stream));
    socket.read_message_max(64 * 1024 * 1024);
    co_await socket.async_accept(request, boost::asio::use_awaitable);
    for (int message = 0; message < messages_before_close; ++message) {
      boost::beast::flat_buffer buffer;
      co_await socket.async_read(buffer, boost::asio::use_awaitable);
      socket.text(socket.got_text());
      co_await socket.async_write(buffer.data(), boost::asio::use_awaitable);
    }
    co_await socket.async_close(goodbye, boost::asio::use_awaitable);
  }

  boost::asio::ip::tcp::acceptor acceptor_;
};

}  // namespace diaryx::native
