// Workspaces: list, create, rename, remove.
#include "ask.h"
#include "blob_collector.h"
#include "diaryx/native/random.h"
#include "relay_host.h"
#include "request_text.h"
#include "router.h"
#include "tell_connections.h"

namespace diaryx::server {
namespace {

constexpr size_t kMaxNameBytes = 100;
constexpr std::string_view kNoWorkspace = "There is no such workspace, or it belongs to someone else.";

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

Json to_json(const Workspace& workspace) { return Json::object({{"id", workspace.id}, {"name", workspace.name}}); }

std::expected<std::string, HttpResponse> name_in(const HttpRequest& request) {
  auto body = json_body(request);
  if (!body) return std::unexpected(body.error());
  auto name = required_string(*body, "name");
  if (!name) return name;
  const std::string_view trimmed = trim(*name);
  if (trimmed.empty() || trimmed.size() > kMaxNameBytes) {
    return std::unexpected(error_response(http::status::bad_request, "A workspace name has 1 to 100 bytes."));
  }
  if (has_control_characters(trimmed)) {
    return std::unexpected(error_response(http::status::bad_request, "A workspace name has no control characters."));
  }
  return std::string(trimmed);
}

HttpResponse workspace_response(const StorageResult<Workspace>& workspace) {
  if (!workspace) return storage_response(workspace.error(), kNoWorkspace);
  return json_response(http::status::ok, to_json(*workspace));
}

}  // namespace

Answer list_workspaces(Services& services, HttpRequest& request) {
  const auto workspaces = co_await ask<std::vector<Workspace>>(
      [&](auto reply) { services.storage.workspaces.list(request.session.user_id, std::move(reply)); });
  if (!workspaces) co_return storage_response(workspaces.error(), kNoWorkspace);
  Json list = Json::array();
  for (const Workspace& workspace : *workspaces) list.push(to_json(workspace));
  co_return json_response(http::status::ok, list);
}

Answer create_workspace(Services& services, HttpRequest& request) {
  const auto name = name_in(request);
  if (!name) co_return name.error();
  const Workspace wanted{native::uuid_v4(), *name};
  co_return workspace_response(co_await ask<Workspace>([&](auto reply) {
    services.storage.workspaces.create(request.session.user_id, wanted, now(), std::move(reply));
  }));
}

Answer get_workspace(Services& services, HttpRequest& request) {
  co_return workspace_response(co_await ask<Workspace>([&](auto reply) {
    services.storage.workspaces.find(request.session.user_id, request.arguments[0], std::move(reply));
  }));
}

Answer rename_workspace(Services& services, HttpRequest& request) {
  const auto name = name_in(request);
  if (!name) co_return name.error();
  const Workspace wanted{request.arguments[0], *name};
  co_return workspace_response(co_await ask<Workspace>(
      [&](auto reply) { services.storage.workspaces.rename(request.session.user_id, wanted, std::move(reply)); }));
}

Answer delete_workspace(Services& services, HttpRequest& request) {
  const auto removed = co_await ask<void>([&](auto reply) {
    services.storage.workspaces.remove(request.session.user_id, request.arguments[0], std::move(reply));
  });
  if (!removed) co_return storage_response(removed.error(), kNoWorkspace);
  services.relay.revoke(request.arguments[0], "");
  co_await tell_connections(services);  // guests have nothing else to stay for
  co_await services.collector.sweep_uploads();  // their records went with the workspace
  co_return empty_response(http::status::no_content);
}

}  // namespace diaryx::server
