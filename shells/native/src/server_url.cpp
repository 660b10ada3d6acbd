#include "diaryx/native/server_url.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace diaryx::native {
namespace {

constexpr std::string_view kPlainPort = "80";
constexpr std::string_view kTlsPort = "443";

bool drop_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool is_port(std::string_view text) {
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && number != 0;
}

bool is_host(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == ':' || c == '%';
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), allowed);
}

std::unexpected<Problem> bad_address(std::string_view text) {
  return problem("\"" + std::string(text) +
                 "\" is not a server address; write it like https://sync.example.org or http://127.0.0.1:3030");
}

}  // namespace

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return out;
}

Outcome<ServerUrl> ServerUrl::parse(std::string_view text) {
  const size_t scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos) return bad_address(text);
  const std::string scheme = lower(text.substr(0, scheme_end));
  ServerUrl url;
  if (scheme == "https" || scheme == "wss") {
    url.tls = true;
  } else if (scheme != "http" && scheme != "ws") {
    return bad_address(text);
  }
  std::string_view rest = text.substr(scheme_end + 3);
  if (rest.find_first_of("?#@ \t\r\n") != std::string_view::npos) return bad_address(text);
  while (drop_suffix(rest, "/") || drop_suffix(rest, "/sync2") || drop_suffix(rest, "/sync")) {
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  url.base_path = rest.substr(slash);
  url.port = url.tls ? kTlsPort : kPlainPort;

  const size_t bracket = authority.rfind(']');
  const size_t colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    if (!is_port(authority.substr(colon + 1))) return bad_address(text);
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  const bool bracketed = authority.starts_with('[') && authority.ends_with(']');
  if (bracketed) authority = authority.substr(1, authority.size() - 2);
  url.host = lower(authority);
  if (!is_host(url.host) || (!bracketed && url.host.find(':') != std::string::npos)) return bad_address(text);
  return url;
}

std::string ServerUrl::host_header() const {
  std::string out = host.find(':') == std::string::npos ? host : "[" + host + "]";
  if (port != (tls ? kTlsPort : kPlainPort)) out.append(":").append(port);
  return out;
}

std::string ServerUrl::display() const { return (tls ? "https://" : "http://") + host_header() + base_path; }

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(char(c));
    } else {
      out.append({'%', kHex[c >> 4], kHex[c & 15]});
    }
  }
  return out;
}

}  // namespace diaryx::native
