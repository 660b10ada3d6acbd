#include "workspace_api.h"

#include <algorithm>
#include <optional>

#include "diaryx/base/json.h"

namespace diaryx::client {
namespace {

constexpr unsigned kOk = 200;
constexpr unsigned kNotFound = 404;
constexpr unsigned kConflict = 409;

std::optional<Workspace> to_workspace(const Json& json) {
  const auto id = json.string_member("id");
  const auto name = json.string_member("name");
  if (!id || id->empty() || !name) return std::nullopt;
  return Workspace{std::string(*id), std::string(*name)};
}

std::unexpected<Failure> not_understood(const native::ServerUrl& server) {
  return failure(ExitCode::Refused,
                 "the answer of " + server.display() + " is not that of a Diaryx sync server; check the address");
}

/// Nothing when somebody else made it a moment ago.
Attempt<std::optional<Workspace>> make_workspace(native::HttpClient& client, std::string_view name) {
  Json body = Json::object();
  body.set("name", name);
  auto response = native::send_and_wait(
      client, {.method = "POST", .target = "/api/workspaces", .content_type = "application/json", .body = body.dump()});
  if (!response) return failure(std::move(response.error()), ExitCode::Unreachable);
  if (response->status == kConflict) return std::optional<Workspace>{};
  if (response->status / 100 != 2) return std::unexpected(refusal(client.server(), *response, "make the workspace"));
  const auto json = Json::parse(response->body);
  auto workspace = json ? to_workspace(*json) : std::nullopt;
  if (!workspace) return not_understood(client.server());
  return workspace;
}

}  // namespace

Failure refusal(const native::ServerUrl& server, const native::HttpResponse& response, std::string_view doing) {
  if (response.status == 401) {
    return {ExitCode::Refused,
            "the server " + server.display() + " does not accept the token; ask for a new one and link again"};
  }
  if (response.status == kNotFound) {  // every Diaryx server has the addresses that we ask for
    return {ExitCode::Refused, "there is no Diaryx sync server at " + server.display() + "; check the address"};
  }
  if (response.status / 100 == 3) {
    return {ExitCode::Refused,
            server.display() + " sends us to another address; link with that one (it may begin with https://)"};
  }
  std::string sentence = "the server " + server.display() + " refused to ";
  sentence.append(doing).append(" (HTTP ").append(std::to_string(response.status)).append(")");
  if (const std::string reason = native::reason_in(response.body); !reason.empty())
    sentence.append(": ").append(reason);
  return {response.status >= 500 ? ExitCode::Unreachable : ExitCode::Refused, std::move(sentence)};
}

Attempt<std::vector<Workspace>> list_workspaces(native::HttpClient& client) {
  auto response =
      native::send_and_wait(client, {.method = "GET", .target = "/api/workspaces", .content_type = {}, .body = {}});
  if (!response) return failure(std::move(response.error()), ExitCode::Unreachable);
  if (response->status != kOk) return std::unexpected(refusal(client.server(), *response, "list its workspaces"));
  const auto json = Json::parse(response->body);
  if (!json || !json->is_array()) return not_understood(client.server());
  std::vector<Workspace> workspaces;
  for (const Json& entry : *json->as_array()) {
    if (auto workspace = to_workspace(entry)) workspaces.push_back(std::move(*workspace));
  }
  return workspaces;
}

Attempt<Workspace> join_or_make_workspace(native::HttpClient& client, std::string_view name) {
  for (int round = 0; round < 2; ++round) {
    auto listed = list_workspaces(client);
    if (!listed) return std::unexpected(std::move(listed.error()));
    const auto found = std::ranges::find(*listed, name, &Workspace::name);
    if (found != listed->end()) return std::move(*found);
    auto made = make_workspace(client, name);
    if (!made) return std::unexpected(std::move(made.error()));
    if (*made) return std::move(**made);
  }
  return failure(ExitCode::Refused, "the server " + client.server().display() +
                                        " says that the workspace exists but does not list it; "
                                        "choose another name");
}

}  // namespace diaryx::client
