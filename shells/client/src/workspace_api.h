// Which workspaces a server has for a token, and making a new one (server.md 3).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diaryx/native/http_client.h"
#include "exit_code.h"

namespace diaryx::client {

struct Workspace {
  std::string id;
  std::string name;
};

/// All workspaces that the token's account has. Errors: Unreachable; Refused with the server's reason.
Attempt<std::vector<Workspace>> list_workspaces(native::HttpClient& client);

/// The workspace of that name, made if there is none. Two devices that do this at once get the same one.
///
/// Errors   Unreachable; Refused with the server's reason (token, limit, name).
Attempt<Workspace> join_or_make_workspace(native::HttpClient& client, std::string_view name);

/// A sentence for a response that is not a success, with what to do. `doing` continues "the server refused to ".
Failure refusal(const native::ServerUrl& server, const native::HttpResponse& response, std::string_view doing);

}  // namespace diaryx::client
