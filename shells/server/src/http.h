// Requests and responses as the API sees them.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include "access_storage.h"
#include "diaryx/base/json.h"
#include "diaryx/native/problem.h"
#include "request_text.h"
#include "storage_result.h"

namespace diaryx::server {

namespace http = boost::beast::http;

struct HttpRequest {
  http::verb method;
  std::string path;                          // without the query, as sent
  std::vector<std::string> arguments;        // what the `{}` of the route stood for, percent-decoded
  std::map<std::string, std::string> query;  // percent-decoded; of a repeated name the first
  std::string raw_token;                     // `token=` of the query, as sent
  http::fields headers;
  std::string body;                          // routes that take JSON
  std::filesystem::path body_file;           // routes that take bytes; removed afterwards
  uint64_t body_size = 0;
  Session session;                           // routes that need one
  Sha256 token_hash;                         // of that session
  std::optional<Share> share;                // instead of a session, where guests are let in
  std::string id;                            // in the log and in the response's X-Request-Id
  std::string limit_key;                     // what limits for this client count by
};

/// A part of a file that is sent as the body.
struct FileSlice {
  std::filesystem::path path;
  uint64_t offset = 0;
  uint64_t size_bytes = 0;
  bool remove_afterwards = false;
};

struct HttpResponse {
  http::status status = http::status::ok;
  std::string content_type;  // empty: no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<FileSlice> file;
};

HttpResponse json_response(http::status status, const Json& value);
HttpResponse text_response(http::status status, std::string text);
HttpResponse empty_response(http::status status);
/// `{"error":"<sentence>"}`
HttpResponse error_response(http::status status, std::string_view sentence);
/// What a client hears of a storage error: 404, 409, 507 or 500. The detail goes to the log.
HttpResponse storage_response(const StorageError& error, std::string_view not_found_sentence);

/// The same of a file that was not read or written: 507 or 500.
HttpResponse file_response(const native::Problem& problem);

/// The JSON object of the body, or the response that refuses it: 415 for another content type, 400 for bad JSON.
std::expected<Json, HttpResponse> json_body(const HttpRequest& request);
/// A member that must be there: 422 otherwise.
std::expected<std::string, HttpResponse> required_string(const Json& body, std::string_view name);
std::expected<uint64_t, HttpResponse> required_size(const Json& body, std::string_view name);

/// `Authorization: Bearer <token>`, else `token=` of the query; empty if there is none.
std::string token_of(const http::fields& headers, const std::string& raw_token);

}  // namespace diaryx::server
