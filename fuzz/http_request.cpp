// A whole head of an HTTP request, through the reader that the server uses and into everything that looks at it before
// anybody has signed in.
//
// 1. Beast reads the head under the server's limits; refusal is fine   2. its target, token, range and X-Forwarded-For are read
// 3. an address that is counted for is a valid one, and what its proxies say never counts unless the peer is trusted
#include <string>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>

#include "client_address.h"
#include "diaryx/base/result.h"
#include "request_text.h"

using namespace diaryx;
using namespace diaryx::server;
namespace http = boost::beast::http;

namespace {

std::string_view as_view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const auto trusted = AddressList::parse({"127.0.0.1", "10.0.0.0/8", "fd00::/8"});
  DX_ASSERT(trusted.has_value());
  http::request_parser<http::empty_body> parser;
  parser.header_limit(16u << 10);
  parser.body_limit(boost::none);
  boost::system::error_code error;
  parser.put(boost::asio::const_buffer(data, size), error);
  if (error || !parser.is_header_done()) return 0;
  const auto& head = parser.get();
  if (const auto target = parse_target(as_view(head.target()))) {
    DX_ASSERT(target->path.starts_with('/'));
    if (target->path.starts_with(kYjsPrefix)) (void)yjs_document(target->path);
  }
  (void)bearer_token(as_view(head[http::field::authorization]));
  (void)parse_range(as_view(head[http::field::range]), 1000);
  const std::string_view forwarded = as_view(head["X-Forwarded-For"]);
  const auto stranger = boost::asio::ip::make_address("192.0.2.1");
  DX_ASSERT(client_address(stranger, forwarded, *trusted) == stranger);
  const auto behind = client_address(boost::asio::ip::make_address("127.0.0.1"), forwarded, *trusted);
  DX_ASSERT(!limit_key(behind).empty());
  return 0;
}
