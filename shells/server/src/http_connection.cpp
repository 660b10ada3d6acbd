#include "http_connection.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <system_error>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include "ask.h"
#include "diaryx/base/base64.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "gate.h"
#include "relay_host.h"
#include "router.h"
#include "socket_session.h"
#include "temporary_file.h"
#include "version.h"

namespace diaryx::server {
namespace {

namespace beast = boost::beast;
using asio::awaitable;

constexpr uint32_t kMaxHeaderBytes = 16u << 10;
constexpr uint64_t kMaxJsonBytes = 2u << 20;
constexpr uint64_t kMaxStrangersJsonBytes = 16u << 10;  // before anybody has signed in
constexpr size_t kSendPieceBytes = 256u << 10;
constexpr std::chrono::seconds kHeaderTime{20};
constexpr std::chrono::seconds kJsonTime{30};
constexpr std::chrono::minutes kBytesTime{30};
constexpr std::chrono::seconds kPieceTime{60};  // for each piece of a response
constexpr std::chrono::seconds kHearOutTime{10};
constexpr uint64_t kHearOutBytes = 64u << 20;

/// True for bytes that are no HTTP, not for a connection that ended.
bool is_bad_http(const boost::system::error_code& error) {
  return error && error.category() == http::make_error_code(http::error::bad_method).category() &&
         error != http::error::end_of_stream && error != http::error::partial_message;
}

std::string_view as_view(beast::string_view text) { return {text.data(), text.size()}; }

bool has_body(const http::request_parser<http::empty_body>& head) {
  return head.chunked() || head.content_length().value_or(0) != 0;
}

/// False for a body whose end this server would see elsewhere than a proxy before it might (RFC 9112, section 6.1).
bool has_clear_length(const http::request_parser<http::empty_body>& head) {
  const auto codings = head.get().count(http::field::transfer_encoding);
  if (codings == 0) return true;
  return codings == 1 && head.get().version() >= 11 &&
         beast::iequals(head.get()[http::field::transfer_encoding], "chunked");
}

std::string http_date() {
  const std::time_t time = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  std::array<char, 32> text;
  return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts)};
}

/// One connection's state while it speaks HTTP.
class Connection {
 public:
  Connection(Transport stream, Services& services, Lifecycle& life, OpenConnections::Counted counted)
      : stream_(std::move(stream)), services_(services), life_(life), counted_(std::move(counted)) {
    boost::system::error_code ignored;
    peer_ = stream_.next_layer().socket().remote_endpoint(ignored).address();
  }

  awaitable<void> serve();

 private:
  using HeadParser = http::request_parser<http::empty_body>;

  awaitable<bool> serve_one();
  awaitable<void> hear_out();
  awaitable<bool> answer(HeadParser& head);
  awaitable<bool> answer_options(HeadParser& head, const std::string& allowed);
  awaitable<bool> refuse(HttpResponse response);
  void log(const char* what, http::status status, const std::string& user = {});
  awaitable<bool> serve_route(HeadParser& head, const Target& target, const RouteMatch& match);
  awaitable<std::optional<HttpResponse>> let_in(const Route& route, HttpRequest& request);
  awaitable<bool> upgrade(HeadParser& head, const Target& target);
  awaitable<bool> upgrade_for_devices(HeadParser& head, const Target& target);
  awaitable<bool> upgrade_for_editors(HeadParser& head, const Target& target);
  awaitable<std::shared_ptr<SocketSession>> become_socket(HeadParser& head, std::unique_ptr<EditorWire> wire);
  awaitable<std::optional<HttpResponse>> read_body(HeadParser& head, const Route& route, HttpRequest& request);
  awaitable<std::optional<HttpResponse>> read_json(HeadParser& head, uint64_t limit, HttpRequest& request);
  awaitable<std::optional<HttpResponse>> read_bytes(HeadParser& head, uint64_t limit, HttpRequest& request);
  awaitable<bool> write(HttpResponse response, bool keep_alive);
  awaitable<bool> write_file(const FileSlice& slice);
  template <typename Response>
  void set_common(Response& response, const HttpResponse& from, bool keep_alive);
  awaitable<void> allow_body(const http::request_header<>& head);

  Transport stream_;
  Services& services_;
  Lifecycle& life_;
  OpenConnections::Counted counted_;
  beast::flat_buffer buffer_;
  std::string origin_;      // of the present request, if it is an allowed one
  asio::ip::address peer_;
  Visitor visitor_;         // of the present request
  std::string request_id_;
  http::verb method_ = http::verb::unknown;
  // The pattern, not the path: paths hold share codes and names of files.
  std::string_view route_;
  std::chrono::steady_clock::time_point began_;  // when its headers were there
  bool upgraded_ = false;
};

awaitable<void> Connection::serve() {
  while (!life_.draining) {
    if (!co_await serve_one()) break;
  }
  if (upgraded_) co_return;
  boost::system::error_code ignored;
  stream_.next_layer().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  co_await hear_out();
}

/// Reads what the client still sends: a socket that is closed with bytes unread takes the answer out of the client's hands.
awaitable<void> Connection::hear_out() {
  auto& tcp = stream_.next_layer();
  Bytes piece(16u << 10);
  tcp.expires_after(kHearOutTime);
  ++life_.between_requests;
  boost::system::error_code error;
  for (uint64_t heard = 0; !error && heard < kHearOutBytes && !life_.draining;)
    heard += co_await tcp.async_read_some(asio::buffer(piece), asio::redirect_error(asio::use_awaitable, error));
  --life_.between_requests;
}

/// True if the connection can take another request.
awaitable<bool> Connection::serve_one() {
  HeadParser head;
  head.header_limit(kMaxHeaderBytes);
  head.body_limit(boost::none);  // the route decides
  stream_.expires_after(kHeaderTime);
  boost::system::error_code error;
  ++life_.between_requests;
  co_await http::async_read_header(stream_, buffer_, head, asio::redirect_error(asio::use_awaitable, error));
  --life_.between_requests;
  began_ = std::chrono::steady_clock::now();
  request_id_ = to_hex(native::random_bytes(8));
  origin_.clear();
  visitor_ = {.address = peer_.to_string(), .limit_key = {}, .token = {}, .share = {}, .guest_id = {}};
  method_ = http::verb::unknown;
  route_ = "none";
  if (error == http::error::header_limit) {
    co_return co_await refuse(
        error_response(http::status::request_header_fields_too_large, "The request's headers are too large."));
  }
  if (is_bad_http(error))
    co_return co_await refuse(error_response(http::status::bad_request, "This is not a valid HTTP request."));
  if (error) co_return false;  // closed, or nothing came in time
  method_ = head.get().method();
  co_return co_await answer(head);
}

/// Of a request whose headers were read.
awaitable<bool> Connection::answer(HeadParser& head) {
  const std::string_view origin = as_view(head.get()[http::field::origin]);
  const auto& allowed = services_.options.cors_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) origin_ = origin;
  const auto hosts = head.get().count(http::field::host);
  if (hosts > 1 || (hosts == 0 && head.get().version() >= 11))
    co_return co_await refuse(error_response(http::status::bad_request, "A request names its host, once."));
  if (!has_clear_length(head))
    co_return co_await refuse(error_response(http::status::not_implemented,
                                             "Send the body with Content-Length, or chunked and nothing else."));
  if (method_ == http::verb::options && head.get().target() == "*") co_return co_await answer_options(head, {});
  const auto target = parse_target(as_view(head.get().target()));
  if (!target)
    co_return co_await refuse(error_response(http::status::bad_request, "The address or its query is not valid."));
  if (!target->host.empty()) head.get().set(http::field::host, target->host);  // it counts, not the header
  visitor_ = visitor_of(services_, peer_, head.get(), *target);
  if (auto refused = refuse_flood(services_, visitor_)) co_return co_await refuse(std::move(*refused));
  const bool editors = target->path.starts_with(kYjsPrefix);
  const bool sockets = target->path == "/sync2" || target->path == "/hocuspocus" || editors;
  if (sockets) route_ = editors ? "/yjs/{}/{}" : target->path == "/sync2" ? "/sync2" : "/hocuspocus";
  if (auto refused = refuse_origin(services_, head.get(), method_, sockets))
    co_return co_await refuse(std::move(*refused));
  if (sockets) co_return co_await upgrade(head, *target);
  const RouteMatch match = find_route(method_, target->path);
  if (method_ == http::verb::options) co_return co_await answer_options(head, match.allowed);
  if (match.route != nullptr) {
    route_ = match.route->pattern;
    co_return co_await serve_route(head, *target, match);
  }
  if (match.allowed.empty())
    co_return co_await refuse(error_response(http::status::not_found, "There is nothing at this address."));
  HttpResponse response = error_response(http::status::method_not_allowed, "This address does not take that method.");
  response.headers.emplace_back("Allow", match.allowed);
  co_return co_await refuse(std::move(response));
}

/// Also for an address without a route: browsers ask before they ask, and would tell their page nothing of the 404.
awaitable<bool> Connection::answer_options(HeadParser& head, const std::string& allowed) {
  HttpResponse response = empty_response(http::status::no_content);
  if (!allowed.empty()) response.headers.emplace_back("Allow", allowed);
  co_return co_await write(std::move(response), head.get().keep_alive() && !has_body(head));
}

/// What else this client has sent stays unread.
awaitable<bool> Connection::refuse(HttpResponse response) {
  log("refused", response.status);
  co_return co_await write(std::move(response), false);
}

void Connection::log(const char* what, http::status status, const std::string& user) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - began_);
  native::log_event(spdlog::level::info, what,
                    {{"request", request_id_},
                     {"method", std::string(as_view(http::to_string(method_)))},
                     {"route", std::string(route_)},
                     {"status", std::to_string(static_cast<unsigned>(status))},
                     {"took_ms", std::to_string(took.count())},
                     {"address", visitor_.address},
                     {"user", user}});
}

awaitable<bool> Connection::serve_route(HeadParser& head, const Target& target, const RouteMatch& match) {
  HttpRequest request;
  request.method = head.get().method();
  request.path = target.path;
  request.query = target.query;
  request.raw_token = target.raw_token;
  request.arguments = match.arguments;
  request.headers = head.get();
  request.id = request_id_;
  request.limit_key = visitor_.limit_key;
  const bool keep_alive = head.get().keep_alive();

  // Before the body is read: strangers cannot make the server receive gigabytes.
  if (auto refused = co_await let_in(*match.route, request)) co_return co_await refuse(std::move(*refused));
  if (auto refused = co_await read_body(head, *match.route, request)) co_return co_await refuse(std::move(*refused));
  const TemporaryFile received(request.body_file);
  if (match.route->body == BodyKind::Bytes) {  // which may take as long as somebody likes
    if (auto refused = co_await refuse_ended(services_, request.token_hash))
      co_return co_await refuse(std::move(*refused));
  }
  HttpResponse response = co_await match.route->handler(services_, request);
  log("request", response.status, request.session.user_id);
  co_return co_await write(std::move(response), keep_alive);
}

/// Whether the route is for this visitor; the refusal if not.
awaitable<std::optional<HttpResponse>> Connection::let_in(const Route& route, HttpRequest& request) {
  if (route.auth == Auth::Public) co_return std::nullopt;
  if (route.auth == Auth::UserOrGuest && !visitor_.share.empty() && visitor_.token.empty()) {
    auto share = co_await share_of(services_, visitor_);
    if (!share) co_return std::move(share.error());
    request.share = std::move(*share);
    co_return std::nullopt;
  }
  auto session = co_await session_of(services_, visitor_);
  if (!session) co_return std::move(session.error());
  request.session = std::move(*session);
  request.token_hash = sha256(visitor_.token);
  if (route.auth == Auth::Owner && !request.session.owner) {
    co_return error_response(http::status::forbidden, "This is for the owner of the server.");
  }
  co_return std::nullopt;
}

awaitable<bool> Connection::upgrade(HeadParser& head, const Target& target) {
  if (!beast::websocket::is_upgrade(head.get())) {
    HttpResponse response = error_response(http::status::upgrade_required, "This address speaks WebSocket only.");
    response.headers.emplace_back("Upgrade", "websocket");
    co_return co_await refuse(std::move(response));
  }
  if (has_body(head))
    co_return co_await refuse(error_response(http::status::bad_request, "A request for an upgrade has no body."));
  if (as_view(head.get()[http::field::sec_websocket_version]) != "13") {
    HttpResponse response =
        error_response(http::status::upgrade_required, "This server speaks version 13 of the WebSocket protocol.");
    response.headers.emplace_back("Upgrade", "websocket");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    co_return co_await refuse(std::move(response));
  }
  if (!websocket_accept(as_view(head.get()[http::field::sec_websocket_key]))) {
    co_return co_await refuse(error_response(http::status::bad_request, "The upgrade has no valid Sec-WebSocket-Key."));
  }
  if (target.path == "/sync2") co_return co_await upgrade_for_devices(head, target);
  co_return co_await upgrade_for_editors(head, target);
}

awaitable<bool> Connection::upgrade_for_devices(HeadParser& head, const Target& target) {
  auto admission = co_await admission_of(services_, visitor_);
  if (!admission) {
    if (admission.error().status != http::status::unauthorized) co_return co_await refuse(admission.error());
    const bool none = visitor_.token.empty() && visitor_.share.empty();
    co_return co_await refuse(error_response(
        http::status::unauthorized, none ? "No token was sent. Sign in, or make one with: diaryx-syncd token create."
                                         : "The token is not valid or has expired. Sign in again."));
  }
  const auto lean = target.query.find("handshake");
  const auto handshake =
      lean != target.query.end() && lean->second == "0" ? relay::Handshake::Lean : relay::Handshake::Full;
  log("request", http::status::switching_protocols, admission->principal.user_id);
  if (auto socket = co_await become_socket(head, nullptr)) socket->start(buffer_, std::move(*admission), handshake);
  co_return false;
}

/// Answers the upgrade; null if the client went away meanwhile.
awaitable<std::shared_ptr<SocketSession>> Connection::become_socket(HeadParser& head,
                                                                    std::unique_ptr<EditorWire> wire) {
  http::response<http::empty_body> response(http::status::switching_protocols, 11);
  response.set(http::field::server, std::string(kServerName));
  response.set(http::field::upgrade, "websocket");
  response.set(http::field::connection, "Upgrade");
  response.set(http::field::sec_websocket_accept,
               *websocket_accept(as_view(head.get()[http::field::sec_websocket_key])));
  stream_.expires_after(kPieceTime);
  boost::system::error_code error;
  co_await http::async_write(stream_, response, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return nullptr;
  upgraded_ = true;
  co_return std::make_shared<SocketSession>(std::move(stream_), services_, std::move(wire), std::move(counted_));
}

awaitable<bool> Connection::upgrade_for_editors(HeadParser& head, const Target& target) {
  std::unique_ptr<EditorWire> wire;
  if (target.path.starts_with(kYjsPrefix)) {
    auto document = yjs_document(target.path);
    if (!document) {
      co_return co_await refuse(
          error_response(http::status::not_found, "Name a document: /yjs/<workspace id>/<path of the file>."));
    }
    wire = make_yjs_wire(std::move(*document));
  } else {
    wire = make_hocuspocus_wire(services_.sockets.hocuspocus_frames());
  }
  const bool token_comes_later = target.path == "/hocuspocus" && visitor_.token.empty() && visitor_.share.empty();
  std::optional<Admission> admission;
  if (!token_comes_later) {
    auto admitted = co_await admission_of(services_, visitor_);
    if (!admitted && admitted.error().status != http::status::unauthorized) co_return co_await refuse(admitted.error());
    if (admitted) admission = std::move(*admitted);
  }
  log("request", http::status::switching_protocols, admission ? admission->principal.user_id : std::string());
  const auto socket = co_await become_socket(head, std::move(wire));
  if (!socket) co_return false;
  if (!admission && !token_comes_later) {
    // After a refused upgrade these clients try for ever; after this they tell their user.
    socket->refuse(buffer_, "The token is not valid. Sign in again.");
    co_return false;
  }
  auto authenticate = [&services = services_,
                       visitor = visitor_](std::string token) mutable -> awaitable<std::expected<Admission, uint16_t>> {
    visitor.token = std::move(token);
    auto admitted = co_await admission_of(services, visitor);
    if (admitted) co_return std::move(*admitted);
    const bool not_good = admitted.error().status == http::status::unauthorized;
    co_return std::unexpected(not_good ? kEditorUnauthorized : static_cast<uint16_t>(relay::CloseCode::TryAgainLater));
  };
  socket->start(buffer_, std::move(admission), relay::Handshake::Editor, std::move(authenticate));
  co_return false;
}

/// Tells a client that waits for it that its body is wanted.
awaitable<void> Connection::allow_body(const http::request_header<>& head) {
  if (head.version() < 11 || !beast::iequals(head[http::field::expect], "100-continue")) co_return;
  http::response<http::empty_body> go_on(http::status::continue_, 11);
  boost::system::error_code ignored;
  co_await http::async_write(stream_, go_on, asio::redirect_error(asio::use_awaitable, ignored));
}

awaitable<std::optional<HttpResponse>> Connection::read_body(HeadParser& head, const Route& route,
                                                             HttpRequest& request) {
  if (route.body == BodyKind::Bytes) {
    const uint64_t limit = route.max_body_bytes != 0 ? route.max_body_bytes : services_.options.snapshot_upload_bytes;
    co_return co_await read_bytes(head, limit, request);
  }
  co_return co_await read_json(head, route.auth == Auth::Public ? kMaxStrangersJsonBytes : kMaxJsonBytes, request);
}

HttpResponse body_refused(const boost::system::error_code& error, uint64_t limit) {
  if (error == http::error::body_limit) {
    return error_response(http::status::payload_too_large,
                          "The body is larger than " + std::to_string(limit) + " bytes.");
  }
  return error_response(http::status::bad_request, "The body ended before its end.");
}

awaitable<std::optional<HttpResponse>> Connection::read_json(HeadParser& head, uint64_t limit, HttpRequest& request) {
  http::request_parser<http::string_body> parser(std::move(head));
  parser.body_limit(limit);
  if (const auto length = parser.content_length(); length && *length > limit) {
    co_return body_refused(http::error::body_limit, limit);
  }
  co_await allow_body(parser.get());
  stream_.expires_after(kJsonTime);
  boost::system::error_code error;
  co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return body_refused(error, limit);
  request.body = std::move(parser.get().body());
  co_return std::nullopt;
}

awaitable<std::optional<HttpResponse>> Connection::read_bytes(HeadParser& head, uint64_t limit, HttpRequest& request) {
  http::request_parser<http::file_body> parser(std::move(head));
  parser.body_limit(limit);
  if (const auto length = parser.content_length(); length && *length > limit) {
    co_return body_refused(http::error::body_limit, limit);
  }
  request.body_file = services_.blobs.temporary();
  boost::system::error_code error;
  parser.get().body().open(request.body_file.c_str(), beast::file_mode::write_new, error);
  if (error) {
    co_return file_response(native::os_problem("receive", request.body_file.native(), error.value()).error());
  }
  co_await allow_body(parser.get());
  stream_.expires_after(kBytesTime);
  co_await http::async_read(stream_, buffer_, parser, asio::redirect_error(asio::use_awaitable, error));
  parser.get().body().close();
  std::error_code ignored;
  if (!error) {
    request.body_size = std::filesystem::file_size(request.body_file, ignored);
    co_return std::nullopt;
  }
  std::filesystem::remove(request.body_file, ignored);
  if (error.category() == boost::system::system_category() && native::is_full_disk(error.value()))
    co_return file_response(native::os_problem("write", request.body_file.native(), error.value()).error());
  co_return body_refused(error, limit);
}

template <typename Response>
void Connection::set_common(Response& response, const HttpResponse& from, bool keep_alive) {
  response.set(http::field::server, std::string(kServerName));
  response.set(http::field::date, http_date());
  // What is kept depends on who asks, unless the answer says that it may be kept; what a browser shows is what its type says.
  response.set(http::field::cache_control, "no-store");
  response.set("X-Content-Type-Options", "nosniff");
  response.set(http::field::vary, "Origin");
  if (!request_id_.empty()) response.set("X-Request-Id", request_id_);
  if (!from.content_type.empty()) response.set(http::field::content_type, from.content_type);
  for (const auto& [name, value] : from.headers) response.set(name, value);
  if (!origin_.empty()) {
    response.set(http::field::access_control_allow_origin, origin_);
    response.set(http::field::access_control_allow_credentials, "true");
    response.set(http::field::access_control_allow_methods, "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    response.set(http::field::access_control_allow_headers,
                 "Authorization, Content-Type, Cache-Control, Pragma, Range, If-Range, If-None-Match");
    response.set("Access-Control-Max-Age", "3600");
    response.set(http::field::access_control_expose_headers,
                 "Content-Disposition, Content-Range, ETag, Retry-After, X-Request-Id");
  }
  response.keep_alive(keep_alive && !life_.draining);
}

awaitable<bool> Connection::write(HttpResponse response, bool keep_alive) {
  ++services_.metrics.responses[std::min<size_t>(static_cast<unsigned>(response.status) / 100, 5)];
  stream_.expires_after(kPieceTime);
  boost::system::error_code error;
  keep_alive = keep_alive && !life_.draining;
  const bool has_length = response.status != http::status::no_content && response.status != http::status::not_modified;
  if (!response.file && method_ != http::verb::head) {
    http::response<http::string_body> message(response.status, 11);
    set_common(message, response, keep_alive);
    message.body() = std::move(response.body);
    if (has_length) message.content_length(message.body().size());
    co_await http::async_write(stream_, message, asio::redirect_error(asio::use_awaitable, error));
    co_return !error && keep_alive;
  }
  http::response<http::empty_body> message(response.status, 11);
  set_common(message, response, keep_alive);
  if (has_length) message.content_length(response.file ? response.file->size_bytes : response.body.size());
  http::response_serializer<http::empty_body> serializer(message);
  co_await http::async_write_header(stream_, serializer, asio::redirect_error(asio::use_awaitable, error));
  const bool sent = !error && (method_ == http::verb::head || co_await write_file(*response.file));
  if (response.file && response.file->remove_afterwards) {
    std::error_code ignored;
    std::filesystem::remove(response.file->path, ignored);
  }
  co_return sent&& keep_alive;
}

awaitable<bool> Connection::write_file(const FileSlice& slice) {
  beast::file file;
  boost::system::error_code error;
  file.open(slice.path.c_str(), beast::file_mode::read, error);
  if (!error) file.seek(slice.offset, error);
  std::vector<char> piece(static_cast<size_t>(std::min<uint64_t>(kSendPieceBytes, slice.size_bytes)));
  for (uint64_t left = slice.size_bytes; left > 0 && !error;) {
    const size_t got = file.read(piece.data(), static_cast<size_t>(std::min<uint64_t>(piece.size(), left)), error);
    if (error || got == 0) break;
    stream_.expires_after(kPieceTime);
    co_await asio::async_write(stream_, asio::buffer(piece.data(), got),
                               asio::redirect_error(asio::use_awaitable, error));
    left -= got;
    if (left == 0 && !error) co_return true;
  }
  if (slice.size_bytes == 0 && !error) co_return true;
  // The promised length cannot be kept: the connection is closed, so that the client sees a broken answer.
  native::log().error("a file could not be sent: {}",
                      error ? error.message() : std::string("it is shorter than recorded"));
  co_return false;
}

}  // namespace

awaitable<void> serve_connection(Transport stream, Services& services, Lifecycle& life,
                                 OpenConnections::Counted counted) {
  Connection connection(std::move(stream), services, life, std::move(counted));
  co_await connection.serve();
}

}  // namespace diaryx::server
