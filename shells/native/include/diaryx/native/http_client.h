// HTTP requests to one server, over TCP or TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include "diaryx/base/bytes.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/server_url.h"

namespace diaryx::native {

struct HttpRequest {
  std::string method = "GET";
  std::string target;        // beneath the base path, starts with '/'; already percent-encoded
  std::string content_type;  // empty: none is sent
  std::string body;
};

struct HttpResponse {
  unsigned status = 0;
  std::string content_type;
  std::string body;
};

/// What a server says in the body of a refusal: the `message` or `error` of a JSON object, else the text itself; one line, nothing that
/// a terminal obeys. Empty for a page of whatever stands before the server.
std::string reason_in(std::string_view body);

/// Takes pieces of a response as they come. A problem ends the transfer.
using BodySink = std::function<Outcome<void>(ByteView piece)>;

/// One connection per request, `Authorization: Bearer <token>` on each, certificates checked against the system's store.
/// A request fails when nothing moves for 30 seconds. The token never appears in a problem's sentence.
///
/// Used from the thread that runs the io_context; must outlive its requests.
class HttpClient {
 public:
  HttpClient(ServerUrl server, std::string token);
  ~HttpClient();

  /// A response of any status is a value; `Problem` means that none came. Bodies are limited to 4 MiB.
  boost::asio::awaitable<Outcome<HttpResponse>> send(HttpRequest request);

  /// As `send`, but the body goes to `sink` piece by piece, whatever its size, when it is what was asked for: a 200, or a 206 if
  /// `from` is not 0. Other bodies are in the response.
  ///
  /// from  the first byte wanted; those before it came earlier.
  boost::asio::awaitable<Outcome<HttpResponse>> download(std::string target, uint64_t from, BodySink sink);

  const ServerUrl& server() const { return server_; }

 private:
  ServerUrl server_;
  std::string token_;
};

/// Runs one request to its end on this thread, for commands that do nothing else meanwhile.
Outcome<HttpResponse> send_and_wait(HttpClient& client, HttpRequest request);

}  // namespace diaryx::native
