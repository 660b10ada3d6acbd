#include "diaryx/native/http_client.h"

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"
#include "net.h"

namespace diaryx::native {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr uint64_t kMaxBodyBytes = 4 * 1024 * 1024;
constexpr size_t kPieceBytes = 256 * 1024;
constexpr size_t kLongestReason = 200;

using Request = http::request<http::string_body>;

Request make_request(const ServerUrl& server, const std::string& token, HttpRequest&& from) {
  Request request(http::string_to_verb(from.method), server.base_path + from.target, 11);
  request.set(http::field::host, server.host_header());
  request.set(http::field::user_agent, "diaryx-sync");
  request.set(http::field::connection, "close");
  if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
  if (!from.content_type.empty()) request.set(http::field::content_type, from.content_type);
  request.body() = std::move(from.body);
  if (from.method != "GET") request.prepare_payload();
  return request;
}

/// Writes the request and reads the head of the response, so that its status can decide what the body is for.
template <typename Stream, typename Parser>
asio::awaitable<Outcome<void>> exchange_head(Stream& stream, const ServerUrl& server, const Request& request,
                                             beast::flat_buffer& buffer, Parser& parser) {
  auto connected = co_await connect(stream, server);
  if (!connected) co_return connected;
  beast::get_lowest_layer(stream).expires_after(kIdleTimeout);
  const auto [write_error, written] = co_await http::async_write(stream, request, kNoThrow);
  // A server may answer (413) and close before it has read all: the answer says more than the broken write.
  beast::get_lowest_layer(stream).expires_after(kIdleTimeout);
  const auto [read_error, read] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
  if (read_error)
    co_return net_problem(write_error ? "send to" : "read from", server, write_error ? write_error : read_error);
  co_return Outcome<void>{};
}

/// Hands the body of `parser` to `sink`, a piece at a time.
template <typename Stream>
asio::awaitable<Outcome<void>> pour(Stream& stream, const ServerUrl& server, beast::flat_buffer& buffer,
                                    http::response_parser<http::buffer_body>& parser, const BodySink& sink) {
  std::vector<uint8_t> piece(kPieceBytes);
  while (!parser.is_done()) {
    parser.get().body().data = piece.data();
    parser.get().body().size = piece.size();
    beast::get_lowest_layer(stream).expires_after(kIdleTimeout);
    const auto [error, read] = co_await http::async_read(stream, buffer, parser, kNoThrow);
    // What came before a line broke counts: a download goes on behind it.
    const size_t filled = piece.size() - parser.get().body().size;
    auto taken = sink(ByteView(piece.data(), filled));
    if (!taken) co_return taken;
    if (error && error != http::error::need_buffer) co_return net_problem("read from", server, error);
  }
  co_return Outcome<void>{};
}

template <typename Stream>
asio::awaitable<Outcome<HttpResponse>> exchange(Stream& stream, const ServerUrl& server, const Request& request,
                                                const BodySink& sink) {
  beast::flat_buffer buffer;
  http::response_parser<http::buffer_body> parser;
  parser.body_limit(boost::none);
  auto head = co_await exchange_head(stream, server, request, buffer, parser);
  if (!head) co_return std::unexpected(std::move(head.error()));

  HttpResponse response{.status = parser.get().result_int(), .content_type = {}, .body = {}};
  response.content_type = std::string(parser.get()[http::field::content_type]);
  const unsigned wanted = request.count(http::field::range) != 0 ? 206 : 200;
  const bool to_sink = sink && response.status == wanted;
  const BodySink collect = [&](ByteView piece) -> Outcome<void> {
    if (response.body.size() + piece.size() > kMaxBodyBytes)
      return problem("the answer of " + server.display() + " is too long");
    response.body.append(as_text(piece));
    return {};
  };
  auto poured = co_await pour(stream, server, buffer, parser, to_sink ? sink : collect);
  if (!poured) co_return std::unexpected(std::move(poured.error()));
  co_return response;
}

asio::awaitable<Outcome<HttpResponse>> run(const ServerUrl& server, Request request, BodySink sink) {
  const auto executor = co_await asio::this_coro::executor;
  if (server.tls) {
    TlsStream stream(executor, tls_context());
    co_return co_await exchange(stream, server, request, sink);
  }
  PlainStream stream(executor);
  co_return co_await exchange(stream, server, request, sink);
}

}  // namespace

std::string reason_in(std::string_view body) {
  const auto json = Json::parse(body);
  if (json && json->is_object()) {
    body = json->string_member("message").value_or(json->string_member("error").value_or(""));
  } else if (body.starts_with('<')) {
    return {};
  }
  size_t end = std::min({body.find_first_of("\r\n"), body.size(), kLongestReason});
  while (end > 0 && end < body.size() && is_utf8_continuation(body[end])) --end;  // no part of a character
  return without_controls(body.substr(0, end));
}

HttpClient::HttpClient(ServerUrl server, std::string token) : server_(std::move(server)), token_(std::move(token)) {}
HttpClient::~HttpClient() = default;

asio::awaitable<Outcome<HttpResponse>> HttpClient::send(HttpRequest request) {
  co_return co_await run(server_, make_request(server_, token_, std::move(request)), {});
}

asio::awaitable<Outcome<HttpResponse>> HttpClient::download(std::string target, uint64_t from, BodySink sink) {
  HttpRequest wanted;
  wanted.target = std::move(target);
  Request request = make_request(server_, token_, std::move(wanted));
  if (from != 0) request.set(http::field::range, "bytes=" + std::to_string(from) + "-");
  co_return co_await run(server_, std::move(request), std::move(sink));
}

Outcome<HttpResponse> send_and_wait(HttpClient& client, HttpRequest request) {
  asio::io_context io(1);
  std::optional<Outcome<HttpResponse>> result;
  asio::co_spawn(io, client.send(std::move(request)), [&](std::exception_ptr failure, Outcome<HttpResponse> outcome) {
    result = failure ? Outcome<HttpResponse>(problem("the request failed for want of memory")) : std::move(outcome);
  });
  io.run();
  return std::move(*result);
}

}  // namespace diaryx::native
