#include "http.h"

#include <algorithm>
#include <charconv>

#include "diaryx/base/utf.h"
#include "diaryx/native/log.h"

namespace diaryx::server {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool is_json_type(std::string_view type) {
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower == "application/json" || (lower.starts_with("application/") && lower.ends_with("+json"));
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
    case StorageError::Kind::Full:
      native::log().error("storage is full: {}", error.detail);
      return error_response(http::status::insufficient_storage,
                            "The server's disk is full. Tell its owner; nothing was stored.");
    case StorageError::Kind::TooMany:
      return error_response(http::status::too_many_requests, "That was asked too often. Wait a while.");
    case StorageError::Kind::Superseded:
    case StorageError::Kind::Unavailable:
    case StorageError::Kind::Damaged: break;
  }
  native::log().error("storage failed: {}", error.detail);
  return error_response(http::status::internal_server_error,
                        "The server could not read or store this. Try again later.");
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

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]);
    const int low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

std::optional<Target> parse_target(std::string_view target) {
  Target result;
  const size_t question = target.find('?');
  result.path = target.substr(0, question);
  if (result.path.empty() || result.path[0] != '/') return std::nullopt;
  if (question == std::string_view::npos) return result;
  std::string_view rest = target.substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    std::string_view pair = rest.substr(0, end);
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    const size_t equals = pair.find('=');
    std::string_view raw_value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
    std::string plus_free(raw_value);
    std::replace(plus_free.begin(), plus_free.end(), '+', ' ');
    const auto name = percent_decode(pair.substr(0, equals));
    const auto value = percent_decode(plus_free);
    if (!name || !value) return std::nullopt;
    if (*name == "token" && result.raw_token.empty()) result.raw_token = raw_value;
    result.query.emplace(*name, *value);
  }
  return result;
}

std::string token_of(const http::fields& headers, const std::string& raw_token) {
  const auto header = headers[http::field::authorization];
  const std::string_view value(header.data(), header.size());
  constexpr std::string_view kBearer = "Bearer ";
  if (value.starts_with(kBearer)) return std::string(value.substr(kBearer.size()));
  return raw_token;
}

ByteRange parse_range(std::string_view header, uint64_t size_bytes) {
  constexpr std::string_view kBytes = "bytes=";
  if (!header.starts_with(kBytes) || header.find(',') != std::string_view::npos) return {};
  header.remove_prefix(kBytes.size());
  const size_t dash = header.find('-');
  if (dash == std::string_view::npos) return {};
  const auto first = parse_number(header.substr(0, dash));
  const auto last = parse_number(header.substr(dash + 1));
  if (!first && !last) return {};
  if (!first) {  // the last N bytes
    if (dash != 0) return {};
    if (*last == 0) return {ByteRange::Kind::Unsatisfiable, 0, 0};
    const uint64_t length = std::min(*last, size_bytes);
    return {ByteRange::Kind::Part, size_bytes - length, length};
  }
  if (dash + 1 != header.size() && !last) return {};
  if (*first >= size_bytes) return {ByteRange::Kind::Unsatisfiable, 0, 0};
  const uint64_t end = last ? std::min(*last, size_bytes - 1) : size_bytes - 1;
  if (end < *first) return {};
  return {ByteRange::Kind::Part, *first, end - *first + 1};
}

}  // namespace diaryx::server
