// The address of a server as a user types it, and the addresses made from it.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/native/problem.h"

namespace diaryx::native {

struct ServerUrl {
  bool tls = false;
  std::string host;       // without brackets
  std::string port;       // digits; the scheme's own when none was given
  std::string base_path;  // in front of every target: empty or "/prefix"

  /// `http`, `https`, `ws` or `wss`; trailing `/`, `/sync2` and `/sync` are dropped, as many as there are.
  /// Errors: a sentence that names what is wrong with the address.
  static Outcome<ServerUrl> parse(std::string_view text);

  /// As a user would write it, e.g. `https://sync.example.org`. Equal servers give equal text.
  std::string display() const;

  /// For the Host header: the port only when it is not the scheme's own.
  std::string host_header() const;

  friend bool operator==(const ServerUrl&, const ServerUrl&) = default;
};

/// ASCII letters made small, as schemes and hosts are compared.
std::string lower(std::string_view text);

/// Percent-encodes all but unreserved characters, for one segment of a path or one value of a query.
std::string percent_encoded(std::string_view text);

}  // namespace diaryx::native
