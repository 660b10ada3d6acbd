#include "http.h"

#include <algorithm>

#include "diaryx/native/log.h"

namespace diaryx::server {
namespace {

bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower == "application/json" || (lower.starts_with("application/") && lower.ends_with("+json"));
}

HttpResponse disk_is_full() {
  return error_response(http::status::insufficient_storage,
                        "The server's disk is full. Tell its owner; nothing was stored.");
}

HttpResponse not_read_or_stored() {
  return error_response(http::status::internal_server_error,
                        "The server could not read or store this. Try again later.");
}

}  // namespace

HttpResponse json_response(http::status status, const Json& value) {
  return {.status = status, .content_type = "application/json", .body = value.dump(), .headers = {}, .file = {}};
}

HttpResponse text_response(http::status status, std::string text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .body = std::move(text),
          .headers = {},
          .file = {}};
}

HttpResponse empty_response(http::status status) {
  return {.status = status, .content_type = {}, .body = {}, .headers = {}, .file = {}};
}

HttpResponse error_response(http::status status, std::string_view sentence) {
  return json_response(status, Json::object({{"error", sentence}}));
}

HttpResponse storage_response(const StorageError& error, std::string_view not_found_sentence) {
  switch (error.kind) {
    case StorageError::Kind::NotFound: return error_response(http::status::not_found, not_found_sentence);
    case StorageError::Kind::Conflict:
      return error_response(http::status::conflict, "That name is taken. Choose another.");
    case StorageError::Kind::Full: native::log().error("storage is full: {}", error.detail); return disk_is_full();
    case StorageError::Kind::TooMany:
      return error_response(http::status::too_many_requests, "That was asked too often. Wait a while.");
    case StorageError::Kind::Superseded:
    case StorageError::Kind::Unavailable:
    case StorageError::Kind::Damaged: break;
  }
  native::log().error("storage failed: {}", error.detail);
  return not_read_or_stored();
}

HttpResponse file_response(const native::Problem& problem) {
  native::log().error("files: {}", problem.sentence);
  return native::is_full_disk(problem.os_error) ? disk_is_full() : not_read_or_stored();
}

std::expected<Json, HttpResponse> json_body(const HttpRequest& request) {
  const auto type = request.headers[http::field::content_type];
  if (!is_json_type({type.data(), type.size()})) {
    return std::unexpected(
        error_response(http::status::unsupported_media_type, "Send JSON with Content-Type: application/json."));
  }
  auto parsed = Json::parse(request.body);
  if (!parsed) {
    return std::unexpected(
        error_response(http::status::bad_request, "The body is not valid JSON: " + describe(parsed.error()) + "."));
  }
  if (!parsed->is_object()) {
    return std::unexpected(error_response(http::status::unprocessable_entity, "The body must be a JSON object."));
  }
  return std::move(*parsed);
}

std::expected<std::string, HttpResponse> required_string(const Json& body, std::string_view name) {
  if (const auto value = body.string_member(name)) return std::string(*value);
  return std::unexpected(
      error_response(http::status::unprocessable_entity, "The member \"" + std::string(name) + "\" must be a string."));
}

std::expected<uint64_t, HttpResponse> required_size(const Json& body, std::string_view name) {
  if (const auto value = body.integer_member(name); value && *value >= 0) return static_cast<uint64_t>(*value);
  return std::unexpected(error_response(http::status::unprocessable_entity,
                                        "The member \"" + std::string(name) + "\" must be a whole number, 0 or more."));
}

std::string token_of(const http::fields& headers, const std::string& raw_token) {
  const auto header = headers[http::field::authorization];
  return std::string(bearer_token({header.data(), header.size()}).value_or(raw_token));
}

}  // namespace diaryx::server
