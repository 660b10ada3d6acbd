// Links and codes: how they are made, and how an address is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access_storage.h"
#include "options.h"

namespace diaryx::server {

/// Trimmed and in lower case; nothing if it is no address (no `@`, under 5 or over 254 bytes, spaces, control characters).
std::optional<std::string> normal_email(std::string_view given);

/// At most 200 bytes of it: whole characters, none of which steers a terminal. May be empty.
std::string clean_device_name(std::string_view given);

/// What goes out once, and what is kept of it.
struct SignInSecrets {
  std::string token;  // 43 characters
  std::string code;  // 6 digits
  NewSignIn stored;
};
SignInSecrets make_sign_in(const std::string& email, TimestampMs now, DurationMs lifetime);

/// Where a server with these options is found from its own machine.
std::string own_url(const Options& options, uint16_t port);

/// The link for a person. With `base_url` as the Diaryx app expects it, else a page of this server, which gets the token
/// behind `#`: browsers keep that part to themselves, so it reaches no log.
std::string sign_in_link(const std::string& base_url, const std::string& own_url, const std::string& token);

}  // namespace diaryx::server
