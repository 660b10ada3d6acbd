// Signing in and out, and devices.
//
// The link and the code are shown to the owner of the server and to nobody else: whoever asks learns neither, and not even
// whether the address has an account.
#include <algorithm>

#include "ask.h"
#include "diaryx/native/log.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/metadata.h"
#include "router.h"
#include "sign_in.h"
#include "tell_connections.h"

namespace diaryx::server {
namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000;
constexpr int64_t kMinuteMs = 60'000;
constexpr std::string_view kNotGood =
    "The link or code is not valid, was used already or has expired. Ask for a new one.";

Json device_json(const Device& device) {
  return Json::object({{"id", device.id},
                       {"name", device.name.empty() ? Json() : Json(device.name)},
                       {"last_seen_at", sync::format_rfc3339(device.last_seen)}});
}

Json devices_json(const std::vector<Device>& devices) {
  Json list = Json::array();
  for (const Device& device : devices) list.push(device_json(device));
  return list;
}

HttpResponse too_often(DurationMs wait) {
  HttpResponse response = text_response(http::status::too_many_requests, "Rate limit exceeded");
  response.headers.emplace_back("Retry-After", std::to_string(retry_after_seconds(wait)));
  return response;
}

/// Counts an attempt from this address; the refusal if there were too many.
std::optional<HttpResponse> count_attempt(Services& services, const HttpRequest& request) {
  const auto wait = services.limits.address_sign_ins.take(request.limit_key, steady_now());
  if (!wait) return std::nullopt;
  ++services.metrics.rate_limited;
  return too_often(*wait);
}

std::string optional_string(const Json& body, std::string_view name) {
  return std::string(body.string_member(name).value_or(std::string_view{}));
}

Answer redeem(Services& services, HttpRequest& request, SignInProof proof, std::string name, std::string replace) {
  if (auto refused = count_attempt(services, request)) co_return std::move(*refused);
  const std::string token = native::random_token();
  Redemption redemption{.proof = std::move(proof),
                        .token = {.email = {},
                                  .token_hash = sha256(token),
                                  .device_name = clean_device_name(name),
                                  .now = now(),
                                  .expires = now() + DurationMs{services.options.session_days * kDayMs}},
                        .replace_device = std::move(replace),
                        .max_devices = services.options.max_devices};
  const auto signed_in = co_await ask<SignedIn>(
      [&](auto reply) { services.storage.access.redeem_sign_in(std::move(redemption), std::move(reply)); });
  if (!signed_in) {
    if (signed_in.error().kind == StorageError::Kind::Conflict) {
      co_return error_response(http::status::bad_request, "The device to replace is not one of yours.");
    }
    if (signed_in.error().kind != StorageError::Kind::NotFound) co_return storage_response(signed_in.error(), kNotGood);
    ++services.metrics.refused_sign_ins;
    co_return error_response(http::status::bad_request, kNotGood);
  }
  if (!signed_in->session) {
    co_return json_response(http::status::forbidden,
                            Json::object({{"error", "Device limit reached. Choose a device to replace."},
                                          {"devices", devices_json(signed_in->devices)}}));
  }
  co_await tell_connections(services);  // a replaced device is signed out
  native::log_event(spdlog::level::info, "signed in", {{"user", signed_in->session->user_id}, {"request", request.id}});
  co_return json_response(
      http::status::ok,
      Json::object(
          {{"success", true},
           {"token", token},
           {"user", Json::object({{"id", signed_in->session->user_id}, {"email", signed_in->session->email}})}}));
}

}  // namespace

Answer post_magic_link(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto given = required_string(*body, "email");
  if (!given) co_return given.error();
  const auto email = normal_email(*given);
  if (!email) co_return error_response(http::status::bad_request, "That is not an e-mail address.");
  if (auto refused = count_attempt(services, request)) co_return std::move(*refused);
  // For known and unknown addresses alike, so that the answer tells nobody which is which.
  if (const auto wait = services.limits.email_sign_ins.take(*email, steady_now())) {
    ++services.metrics.rate_limited;
    co_return too_often(*wait);
  }
  SignInSecrets secrets = make_sign_in(*email, now(), DurationMs{services.options.link_minutes * kMinuteMs});
  secrets.stored.new_users = services.options.open_sign_up;
  const auto created =
      co_await ask<void>([&](auto reply) { services.storage.access.create_sign_in(secrets.stored, std::move(reply)); });
  if (created) {
    services.tell_owner("sign-in for " + *email + ": code " + secrets.code + ", or open " +
                        sign_in_link(services.options.base_url, services.own_url, secrets.token) + " (" +
                        std::to_string(services.options.link_minutes) + " minutes)");
  } else if (created.error().kind == StorageError::Kind::NotFound) {
    native::log_event(spdlog::level::info, "a sign-in was asked for an address without an account",
                      {{"request", request.id}});
  } else if (created.error().kind != StorageError::Kind::TooMany) {
    co_return storage_response(created.error(), kNotGood);
  }
  co_return json_response(
      http::status::ok,
      Json::object({{"success", true},
                    {"message",
                     "If this address has an account here, the owner of this server now sees a link and a "
                     "code for it."}}));
}

Answer get_verify(Services& services, HttpRequest& request) {
  const auto name = request.query.find("device_name");
  const auto replace = request.query.find("replace_device_id");
  co_return co_await redeem(services, request, {.link_hash = sha256(request.raw_token)},
                            name == request.query.end() ? "" : name->second,
                            replace == request.query.end() ? "" : replace->second);
}

Answer post_verify(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto token = required_string(*body, "token");
  if (!token) co_return token.error();
  co_return co_await redeem(services, request, {.link_hash = sha256(*token)}, optional_string(*body, "device_name"),
                            optional_string(*body, "replace_device_id"));
}

Answer post_verify_code(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto code = required_string(*body, "code");
  if (!code) co_return code.error();
  const auto given = required_string(*body, "email");
  if (!given) co_return given.error();
  const auto email = normal_email(*given);
  if (!email) co_return error_response(http::status::bad_request, "That is not an e-mail address.");
  co_return co_await redeem(services, request, {.link_hash = std::nullopt, .email = *email, .code = *code},
                            optional_string(*body, "device_name"), optional_string(*body, "replace_device_id"));
}

Answer post_logout(Services& services, HttpRequest& request) {
  const auto removed = co_await ask<void>(
      [&](auto reply) { services.storage.accounts.remove_token(request.token_hash, std::move(reply)); });
  if (!removed && removed.error().kind != StorageError::Kind::NotFound) co_return storage_response(removed.error(), "");
  co_await tell_connections(services);
  co_return empty_response(http::status::no_content);
}

Answer get_devices(Services& services, HttpRequest& request) {
  const auto devices = co_await ask<std::vector<Device>>(
      [&](auto reply) { services.storage.accounts.list_devices(request.session.user_id, now(), std::move(reply)); });
  if (!devices) co_return storage_response(devices.error(), "There is no such user.");
  co_return json_response(http::status::ok, devices_json(*devices));
}

Answer patch_device(Services& services, HttpRequest& request) {
  const auto body = json_body(request);
  if (!body) co_return body.error();
  const auto given = required_string(*body, "name");
  if (!given) co_return given.error();
  const std::string name = clean_device_name(*given);
  if (name.find_first_not_of(' ') == std::string::npos) {
    co_return error_response(http::status::bad_request, "A device name must not be empty.");
  }
  const auto renamed = co_await ask<void>([&](auto reply) {
    services.storage.accounts.rename_device(request.session.user_id, request.arguments[0], name, std::move(reply));
  });
  if (!renamed) co_return storage_response(renamed.error(), "There is no such device.");
  co_return empty_response(http::status::no_content);
}

Answer delete_device(Services& services, HttpRequest& request) {
  if (request.arguments[0] == request.session.device_id) {
    co_return error_response(http::status::bad_request, "This is the device you are using: sign out instead.");
  }
  const auto removed = co_await ask<void>([&](auto reply) {
    services.storage.accounts.remove_device(request.session.user_id, request.arguments[0], std::move(reply));
  });
  if (!removed) co_return storage_response(removed.error(), "There is no such device.");
  co_await tell_connections(services);
  co_return empty_response(http::status::no_content);
}

}  // namespace diaryx::server
