// Who am I, and how is the server.
#include "ask.h"
#include "diaryx/sync/metadata.h"
#include "relay_host.h"
#include "router.h"
#include "version.h"

namespace diaryx::server {

Answer get_root(Services&, HttpRequest&) { co_return text_response(http::status::ok, "Diaryx Sync Server"); }

/// For who watches over the server: 503 from the first update that could not be stored until one is.
Answer get_health(Services& services, HttpRequest&) {
  if (services.metrics.cannot_store)
    co_return text_response(http::status::service_unavailable,
                            "The server cannot store. Look at its log, or ask diaryx-syncd doctor.");
  co_return text_response(http::status::ok, "OK");
}

Answer get_status(Services& services, HttpRequest&) {
  const sync::RelayStatistics counts = services.relay.statistics();
  co_return json_response(http::status::ok,
                          Json::object({{"status", services.metrics.cannot_store ? "cannot store" : "ok"},
                                        {"version", kVersion},
                                        {"active_connections", uint64_t{counts.connections}},
                                        {"active_rooms", uint64_t{counts.documents + counts.away}}}));
}

Answer get_me(Services& services, HttpRequest& request) {
  const auto workspaces = co_await ask<std::vector<Workspace>>(
      [&](auto reply) { services.storage.workspaces.list(request.session.user_id, std::move(reply)); });
  if (!workspaces) co_return storage_response(workspaces.error(), "There is no such user.");
  const auto devices = co_await ask<std::vector<Device>>(
      [&](auto reply) { services.storage.accounts.list_devices(request.session.user_id, now(), std::move(reply)); });
  if (!devices) co_return storage_response(devices.error(), "There is no such user.");

  Json workspace_list = Json::array();
  for (const Workspace& workspace : *workspaces) {
    workspace_list.push(Json::object({{"id", workspace.id}, {"name", workspace.name}}));
  }
  Json device_list = Json::array();
  for (const Device& device : *devices) {
    device_list.push(Json::object({{"id", device.id},
                                   {"name", device.name.empty() ? Json() : Json(device.name)},
                                   {"last_seen_at", sync::format_rfc3339(device.last_seen)}}));
  }
  // A server of one's own has no tiers; the members are there because clients read them.
  constexpr int kNoLimit = 1'000'000;
  const uint64_t limit = services.options.attachment_limit_bytes;
  co_return json_response(
      http::status::ok,
      Json::object({{"user", Json::object({{"id", request.session.user_id}, {"email", request.session.email}})},
                    {"workspaces", std::move(workspace_list)},
                    {"devices", std::move(device_list)},
                    {"workspace_limit", kNoLimit},
                    {"tier", "plus"},
                    {"published_site_limit", 0},
                    {"attachment_limit_bytes", limit != 0 ? limit : uint64_t{1} << 50}}));
}

Answer get_storage_use(Services& services, HttpRequest& request) {
  const auto use = co_await ask<StorageUse>(
      [&](auto reply) { services.storage.attachments.use(request.session.user_id, std::move(reply)); });
  if (!use) co_return storage_response(use.error(), "There is no such user.");
  const uint64_t limit = services.options.attachment_limit_bytes;
  co_return json_response(http::status::ok, Json::object({{"used_bytes", use->used_bytes},
                                                          {"blob_count", use->blob_count},
                                                          {"limit_bytes", limit != 0 ? Json(limit) : Json()},
                                                          {"warning_threshold", 0.8},
                                                          {"over_limit", limit != 0 && use->used_bytes > limit},
                                                          {"scope", "attachments"}}));
}

Answer get_has_data(Services& services, HttpRequest& request) {
  const auto workspaces = co_await ask<std::vector<Workspace>>(
      [&](auto reply) { services.storage.workspaces.list(request.session.user_id, std::move(reply)); });
  if (!workspaces) co_return storage_response(workspaces.error(), "There is no such user.");
  uint64_t files = 0;
  for (const Workspace& workspace : *workspaces) {
    // Every file that was ever synced has a body document, tombstoned ones too.
    const auto documents = co_await ask<std::vector<std::string>>(
        [&](auto reply) { services.storage.documents.list(workspace.id, std::move(reply)); });
    if (!documents) co_return storage_response(documents.error(), "There is no such workspace.");
    for (const std::string& name : *documents) files += name.starts_with("body:") ? 1 : 0;
  }
  co_return json_response(http::status::ok, Json::object({{"has_data", files > 0}, {"file_count", files}}));
}

}  // namespace diaryx::server
