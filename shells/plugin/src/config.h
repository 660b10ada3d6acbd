// What the user or the host has set: server, token, workspace. Small, written first, and never handed out with its token.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/json.h"

namespace diaryx::plugin {

/// Empty means "not set" for all three.
struct Config {
  std::string server_url;
  std::string auth_token;
  std::string workspace_id;

  /// A stored or given object; whatever is no string counts as not set.
  static Config from_json(const Json& object);

  /// For storage: all three members, `null` where not set.
  Json to_json() const;

  /// For hosts: server and workspace. The token is left out, so that a host that sends the object back does not clear it.
  Json to_public_json() const;

  /// Member by member: absent or of another type keeps, `null` or blank text clears, text is trimmed and set.
  void patch(const Json& object);

  /// Takes over what is not set here.
  void fill_from(const Config& other);

  friend bool operator==(const Config&, const Config&) = default;
};

/// The ids of all its documents are made of it and travel in frames, which have room for so much (A20).
bool is_usable_workspace(std::string_view id);
inline constexpr std::string_view kUnusableWorkspace =
    "The id of the workspace is too long or holds characters that ids cannot have.";

/// The server and the token that apply: a command's own parameter, else the stored value, else the host's context.
struct Endpoint {
  std::string server_url;  // normalised
  std::string auth_token;

  static Endpoint resolve(const Json& params, const Config& config, const Json& context);
  /// What a person has to do before sync can begin; empty when nothing is missing.
  const char* missing() const;
};

Json text_or_null(std::string_view text);

/// Without white space at both ends.
std::string_view trimmed(std::string_view text);

/// The bare base address: `https://host/sync2/sync/` becomes `https://host`.
std::string normalised_server(std::string_view url);

/// The same address for a socket: `http` becomes `ws`, `https` becomes `wss`. Native hosts do not convert it themselves.
std::string socket_server(std::string_view url);

/// Text for one segment of a URL's path or one value of its query.
std::string percent_encoded(std::string_view text);

}  // namespace diaryx::plugin
