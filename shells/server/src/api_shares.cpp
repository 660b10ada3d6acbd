// Share sessions: a code opens one workspace to guests, to read or to write, until its owner ends it.
#include <algorithm>

#include "ask.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/doc_id.h"
#include "relay_host.h"
#include "router.h"
#include "share_code.h"
#include "tell_connections.h"

namespace diaryx::server {
namespace {

constexpr std::string_view kNoShare = "There is no such share session. It may have ended.";
constexpr std::string_view kNotYours = "This share session belongs to someone else.";

HttpResponse refused(const StorageError& error) { return storage_response(error, kNoShare); }

boost::asio::awaitable<std::expected<Share, HttpResponse>> share_in(Services& services, const HttpRequest& request) {
  const auto code = normal_share_code(request.arguments[0]);
  if (!code) co_return std::unexpected(error_response(http::status::not_found, kNoShare));
  auto share =
      co_await ask<Share>([&](auto reply) { services.storage.access.find_share(sha256(*code), std::move(reply)); });
  if (!share) co_return std::unexpected(refused(share.error()));
  co_return std::move(*share);
}

boost::asio::awaitable<std::expected<Share, HttpResponse>> own_share(Services& services, const HttpRequest& request) {
  auto share = co_await share_in(services, request);
  if (share && share->owner_id != request.session.user_id) {
    co_return std::unexpected(error_response(http::status::forbidden, kNotYours));
  }
  co_return share;
}

}  // namespace

Answer create_share(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto workspace = required_string(*body, "workspace_id");
  if (!workspace) co_return workspace.error();
  const bool read_only = body->bool_member("read_only").value_or(false);
  if (const Json* given = body->find("read_only"); given != nullptr && !given->is_null() && !given->is_bool()) {
    co_return error_response(http::status::unprocessable_entity, "\"read_only\" must be true or false.");
  }
  const std::string code = make_share_code();
  const auto created = co_await ask<void>([&](auto reply) {
    services.storage.access.create_share({sha256(code), *workspace, request.session.user_id, read_only}, now(),
                                         std::move(reply));
  });
  if (!created) {
    if (created.error().kind != StorageError::Kind::NotFound) co_return refused(created.error());
    co_return error_response(http::status::forbidden, "Only the owner of a workspace can share it.");
  }
  co_return json_response(http::status::ok,
                          Json::object({{"code", code}, {"workspace_id", *workspace}, {"read_only", read_only}}));
}

Answer get_share(Services& services, HttpRequest& request) {
  const auto share = co_await share_in(services, request);
  if (!share) co_return share.error();
  const auto document = sync::workspace_doc_id(share->workspace);
  const uint64_t peers = document ? services.relay.members(*document) : 0;
  co_return json_response(http::status::ok, Json::object({{"code", *normal_share_code(request.arguments[0])},
                                                          {"workspace_id", share->workspace},
                                                          {"read_only", share->read_only},
                                                          {"peer_count", peers}}));
}

Answer patch_share(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto read_only = body->bool_member("read_only");
  if (!read_only) {
    co_return error_response(http::status::unprocessable_entity, "\"read_only\" must be true or false.");
  }
  const auto share = co_await own_share(services, request);
  if (!share) co_return share.error();
  const auto changed = co_await ask<Share>([&](auto reply) {
    services.storage.access.change_share(request.session.user_id, share->code_hash, *read_only, std::move(reply));
  });
  if (!changed) co_return refused(changed.error());
  co_await tell_connections(services);
  co_return json_response(
      http::status::ok, Json::object({{"code", *normal_share_code(request.arguments[0])}, {"read_only", *read_only}}));
}

Answer delete_share(Services& services, HttpRequest& request) {
  const auto share = co_await own_share(services, request);
  if (!share) co_return share.error();
  const auto removed = co_await ask<Share>([&](auto reply) {
    services.storage.access.remove_share(request.session.user_id, share->code_hash, std::move(reply));
  });
  if (!removed) co_return refused(removed.error());
  co_await tell_connections(services);
  co_return empty_response(http::status::no_content);
}

}  // namespace diaryx::server
