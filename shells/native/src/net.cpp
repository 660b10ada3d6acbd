#include "net.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/error.hpp>

#include "proxy.h"

namespace diaryx::native {
namespace asio = boost::asio;

namespace {

/// Only one of the ways in which a handshake fails.
bool is_about_the_certificate(const boost::system::error_code& error) {
  return error.category() == asio::error::get_ssl_category() &&
         ERR_GET_REASON(static_cast<unsigned long>(error.value())) == SSL_R_CERTIFICATE_VERIFY_FAILED;
}

std::string_view advice(const boost::system::error_code& error) {
  if (error == asio::error::connection_refused) return "; is the server running?";
  if (error == asio::error::host_not_found || error == asio::error::host_not_found_try_again) {
    return "; check the name and the network";
  }
  if (is_about_the_certificate(error)) return "; its certificate is not one that this system trusts";
  return "";
}

asio::awaitable<Outcome<void>> connect_directly(PlainStream& stream, std::string_view doing, const ServerUrl& to) {
  asio::ip::tcp::resolver resolver(co_await asio::this_coro::executor);
  const auto [resolve_error, addresses] = co_await resolver.async_resolve(to.host, to.port, kNoThrow);
  if (resolve_error) co_return net_problem(doing, to, resolve_error);
  stream.expires_after(kIdleTimeout);
  const auto [connect_error, endpoint] = co_await stream.async_connect(addresses, kNoThrow);
  if (connect_error) co_return net_problem(doing, to, connect_error);
  boost::system::error_code ignored;  // small frames must not wait for each other
  stream.socket().set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return Outcome<void>{};
}

}  // namespace

std::unexpected<Problem> net_problem(std::string_view doing, const ServerUrl& server,
                                     const boost::system::error_code& error) {
  std::string reason = error.message();
  if (error == boost::beast::error::timeout) reason = "it did not answer in time";
  if (error == asio::error::host_not_found) reason = "there is no such name";
  if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) reason = "it closed the connection";
  std::string sentence = "cannot ";
  sentence.append(doing).append(" ").append(server.display()).append(": ").append(reason).append(advice(error));
  return std::unexpected(Problem{std::move(sentence), 0});
}

std::string without_controls(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return plain;
}

asio::ssl::context& tls_context() {
  static asio::ssl::context context = [] {
    asio::ssl::context made(asio::ssl::context::tls_client);
    boost::system::error_code ignored;  // without certificates every handshake is refused, with a sentence
    made.set_default_verify_paths(ignored);
    made.set_verify_mode(asio::ssl::verify_peer, ignored);
    ::SSL_CTX_set_min_proto_version(made.native_handle(), TLS1_2_VERSION);
    return made;
  }();
  return context;
}

asio::awaitable<Outcome<void>> connect(PlainStream& stream, const ServerUrl& server) {
  const auto proxy = proxy_for(server);
  if (!proxy) co_return std::unexpected(proxy.error());
  if (!*proxy) co_return co_await connect_directly(stream, "reach", server);
  auto connected = co_await connect_directly(stream, "reach the proxy", (*proxy)->url);
  if (!connected) co_return connected;
  co_return co_await pass_through(stream, **proxy, server);
}

asio::awaitable<Outcome<void>> connect(TlsStream& stream, const ServerUrl& server) {
  auto connected = co_await connect(boost::beast::get_lowest_layer(stream), server);
  if (!connected) co_return connected;
  boost::system::error_code ignored;
  ::SSL_set_tlsext_host_name(stream.native_handle(), server.host.c_str());
  stream.set_verify_callback(asio::ssl::host_name_verification(server.host), ignored);
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kNoThrow);
  if (error) {
    auto failed = net_problem("make a secure connection to", server, error);
    if (!is_about_the_certificate(error)) failed.error().sentence += "; check the address: it may be one of http://";
    co_return failed;
  }
  co_return Outcome<void>{};
}

}  // namespace diaryx::native
