#include "proxy.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include "diaryx/base/base64.h"

namespace diaryx::native {
namespace asio = boost::asio;
namespace http = boost::beast::http;

namespace {

constexpr std::string_view kSeparators = ", \t";
constexpr unsigned kForbidden = 403;
constexpr unsigned kWantsPassword = 407;

struct Setting {
  std::string variable;
  std::string value;
};

std::optional<Setting> setting(const Environment& environment, const std::string& name) {
  for (const std::string& variable : {lower(name), name}) {
    if (std::string value = environment(variable); !value.empty()) return Setting{variable, std::move(value)};
  }
  return std::nullopt;
}

bool is_beneath(std::string_view host, std::string_view domain) {
  return host == domain || (host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.');
}

bool is_own_machine(std::string_view host) {
  boost::system::error_code is_name;
  return is_beneath(host, "localhost") || asio::ip::make_address(host, is_name).is_loopback();
}

/// Whether an address is in `network`, which is written like `10.0.0.0/8` or `fd00::/8`.
bool is_within(std::string_view host, std::string_view network) {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) return false;
  const auto holds = [&error](const auto& all, const auto& one) {
    return !error && std::remove_cvref_t<decltype(all)>(one, all.prefix_length()).canonical() == all.canonical();
  };
  if (address.is_v4()) return holds(asio::ip::make_network_v4(network, error), address.to_v4());
  return holds(asio::ip::make_network_v6(network, error), address.to_v6());
}

/// One entry of NO_PROXY: `*`, a host with all beneath it (`example.org`, `.example.org`, `*.example.org`), or a network.
bool names(std::string_view entry, std::string_view host) {
  if (entry == "*") return true;
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  return !entry.empty() && (is_beneath(host, entry) || is_within(host, entry));
}

/// list   in small letters, as hosts of servers are.
bool is_excepted(std::string_view list, const ServerUrl& server) {
  const std::string port = ":" + server.port;
  while (!list.empty()) {
    const size_t end = std::min(list.find_first_of(kSeparators), list.size());
    const std::string_view entry = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    if (names(entry, server.host)) return true;
    if (entry.ends_with(port) && names(entry.substr(0, entry.size() - port.size()), server.host)) return true;
  }
  return false;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    unsigned char byte = 0;
    const std::string_view digits = text.substr(i).substr(std::min<size_t>(1, text.size() - i), 2);
    const bool is_code = text[i] == '%' && digits.size() == 2 &&
                         std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2;
    out.push_back(is_code ? char(byte) : text[i]);
    if (is_code) i += 2;
  }
  return out;
}

/// `user` is what stands before the `@` of an address: `name:password`, percent-encoded.
std::string basic_authorization(std::string_view user) {
  std::string plain = percent_decoded(user);
  if (user.find(':') == std::string_view::npos) plain += ':';
  return "Basic " + to_base64(as_bytes(plain));
}

Outcome<Proxy> parse_proxy(const Setting& setting) {
  constexpr std::string_view kScheme = "http://";
  std::string_view rest = setting.value;
  if (rest.find("://") == std::string_view::npos) {
    // A bare `host:port` is common.
  } else if (rest.starts_with(kScheme)) {
    rest.remove_prefix(kScheme.size());
  } else {
    return problem(setting.variable + " names a proxy of another kind than http://, which is not supported");
  }
  Proxy proxy{.url = {}, .authorization = {}, .variable = setting.variable};
  if (const size_t at = rest.rfind('@'); at != std::string_view::npos) {
    proxy.authorization = basic_authorization(rest.substr(0, at));
    rest.remove_prefix(at + 1);
  }
  auto url = ServerUrl::parse(std::string(kScheme).append(rest));
  if (!url)
    return problem(setting.variable + " is not the address of a proxy; write it like http://proxy.example.org:3128");
  proxy.url = std::move(*url);
  return proxy;
}

/// What a proxy that does not let us through says, and what may help.
std::string refusal(const Proxy& proxy, unsigned status) {
  if (status == kWantsPassword && proxy.authorization.empty())
    return "it asks for a name and a password; write them into " + proxy.variable + " like http://NAME:PASSWORD@" +
           proxy.url.host_header();
  if (status == kWantsPassword) return "it does not accept the name and the password in " + proxy.variable;
  if (status == kForbidden)
    return "it does not let this device reach that server; ask who runs the proxy, or name the server in NO_PROXY";
  return "it does not reach that server (HTTP " + std::to_string(status) + ")";
}

}  // namespace

Outcome<std::optional<Proxy>> proxy_for(const ServerUrl& server, const Environment& environment) {
  if (is_own_machine(server.host)) return std::nullopt;
  auto found = setting(environment, server.tls ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (!found) found = setting(environment, "ALL_PROXY");
  if (!found) return std::nullopt;
  const auto exceptions = setting(environment, "NO_PROXY");
  if (exceptions && is_excepted(lower(exceptions->value), server)) return std::nullopt;
  return parse_proxy(*found);
}

Outcome<std::optional<Proxy>> proxy_for(const ServerUrl& server) {
  return proxy_for(server, [](const std::string& name) {
    const char* const value = std::getenv(name.c_str());
    return std::string(value == nullptr ? "" : value);
  });
}

asio::awaitable<Outcome<void>> pass_through(PlainStream& stream, const Proxy& proxy, const ServerUrl& server) {
  const std::string host = server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
  http::request<http::empty_body> request(http::verb::connect, host + ":" + server.port, 11);
  request.set(http::field::host, host + ":" + server.port);
  request.set(http::field::user_agent, "diaryx-sync");
  if (!proxy.authorization.empty()) request.set(http::field::proxy_authorization, proxy.authorization);
  stream.expires_after(kIdleTimeout);
  const auto [write_error, written] = co_await http::async_write(stream, request, kNoThrow);
  // A server speaks only when it is spoken to, so nothing of it can be behind the proxy's answer.
  boost::beast::flat_buffer buffer;
  http::response_parser<http::empty_body> parser;
  parser.skip(true);
  const auto [read_error, read] = co_await http::async_read_header(stream, buffer, parser, kNoThrow);
  if (read_error)
    co_return net_problem("get an answer of the proxy", proxy.url, write_error ? write_error : read_error);
  if (const unsigned status = parser.get().result_int(); status / 100 != 2)
    co_return problem("cannot reach " + server.display() + " through the proxy " + proxy.url.display() + ": " +
                      refusal(proxy, status));
  co_return Outcome<void>{};
}

}  // namespace diaryx::native
