#include "host.h"

#include <set>

#include "config.h"
#include "diaryx/base/base64.h"
#include "diaryx/base/utf.h"
#include "host_calls.h"

// Imported unconditionally, because a host resolves all imports or none: these eleven are in both builds.
DX_HOST(host_log)
DX_HOST(host_list_files)
DX_HOST(host_file_exists)
DX_HOST(host_write_file)
DX_HOST(host_delete_file)
DX_HOST(host_write_binary)
DX_HOST(host_emit_event)
DX_HOST(host_storage_get)
DX_HOST(host_storage_set)
DX_HOST(host_get_timestamp)
DX_HOST(host_ws_request)

namespace diaryx::plugin::host {
namespace {

// Half of the 32,768 blocks a JavaScript SDK has per call; the rest is for finishing what was begun.
constexpr uint32_t kManyBlocks = 16'000;

std::set<std::string> g_emptied;  // files whose last content was written here and is nothing

std::string_view level_name(Level level) {
  switch (level) {
    case Level::Debug: return "debug";
    case Level::Info: return "info";
    case Level::Warn: return "warn";
    case Level::Error: return "error";
  }
  return "info";
}

void socket_request(const Json& request) { ask(host_ws_request, request); }

}  // namespace

std::string ask(pdk::UserFunction function, const Json& request) { return pdk::call(function, request.dump()); }

Json one(std::string_view name, std::string_view value) { return Json{}.set(std::string(name), value); }

std::optional<Json> parsed(std::string_view text) {
  if (text.empty()) return std::nullopt;
  auto json = Json::parse(text);
  if (!json) return std::nullopt;
  return std::move(*json);
}

std::string with_base64(std::string begun, std::string_view name, ByteView bytes) {
  begun.reserve(begun.size() + name.size() + (bytes.size() + 2) / 3 * 4 + 8);
  begun.append(",\"").append(name).append("\":\"");
  append_base64(begun, bytes);
  begun.append("\"}");
  return begun;
}

// `{"data":"<base64>"}`, or the base64 alone, quoted or bare.
std::optional<Bytes> wrapped_bytes(std::string_view answer) {
  constexpr std::string_view kBegin = R"({"data":")";
  constexpr std::string_view kEnd = R"("})";
  // As nearly every host writes it; large values need no tree then.
  if (answer.starts_with(kBegin) && answer.ends_with(kEnd) && answer.size() >= kBegin.size() + kEnd.size()) {
    const std::string_view inside = answer.substr(kBegin.size(), answer.size() - kBegin.size() - kEnd.size());
    if (auto bytes = from_base64(inside)) return std::move(*bytes);
  }
  std::string base64(answer);
  if (const auto json = parsed(answer)) {
    if (json->is_object()) {
      const auto data = json->string_member("data");
      if (!data) return std::nullopt;
      base64 = *data;
    } else if (const std::string* text = json->as_string()) {
      base64 = *text;
    } else if (json->is_null()) {
      return std::nullopt;
    }
  }
  auto bytes = from_base64(base64);
  if (!bytes) return std::nullopt;
  return std::move(*bytes);
}

void log(Level level, const std::string& message) {
  ask(host_log, Json{}.set("level", level_name(level)).set("message", message));
}

TimestampMs now() {
  static int64_t last = 0;
  const std::string answer = pdk::call(host_get_timestamp, {});
  const auto json = parsed(answer);
  if (const auto time = json ? json->as_integer() : std::nullopt; time && *time > 0) last = *time;
  return TimestampMs{last};
}

std::optional<Bytes> storage_get(std::string_view key) {
  auto bytes = wrapped_bytes(ask(host_storage_get, one("key", key)));
  if (bytes && bytes->empty()) return std::nullopt;
  return bytes;
}

void storage_set(std::string_view key, ByteView bytes) {
  std::string request = R"({"key":)";
  append_json_string(request, key);
  pdk::call(host_storage_set, with_base64(std::move(request), "data", bytes));
}

bool file_exists(std::string_view path) {
  const auto json = parsed(ask(host_file_exists, one("path", path)));
  const bool* exists = json ? json->as_bool() : nullptr;
  return exists && *exists;
}

std::vector<std::string> list_files(std::string_view prefix) {
  std::vector<std::string> paths;
  const auto json = parsed(ask(host_list_files, one("prefix", prefix)));
  const Json::Array* entries = json ? json->as_array() : nullptr;
  if (!entries) return paths;
  for (const Json& entry : *entries) {
    if (const std::string* path = entry.as_string()) paths.push_back(*path);
  }
  return paths;
}

void write_file(std::string_view path, ByteView bytes) {
  if (bytes.empty())
    g_emptied.insert(std::string(path));
  else
    g_emptied.erase(std::string(path));
  std::string request = R"({"path":)";
  append_json_string(request, path);
  if (is_valid_utf8(as_text(bytes))) {
    request += R"(,"content":)";
    append_json_string(request, as_text(bytes));
    request += '}';
    pdk::call(host_write_file, request);
  } else {
    pdk::call(host_write_binary, with_base64(std::move(request), "content", bytes));
  }
}

bool was_emptied(std::string_view path) { return g_emptied.contains(std::string(path)); }

void delete_file(std::string_view path) { ask(host_delete_file, one("path", path)); }

void emit_event(std::string_view event) { pdk::call(host_emit_event, event); }

std::string ws_connect(const Connection& connection) {
  Json request = Json{}
                     .set("type", "connect")
                     .set("server_url", socket_server(connection.server_url))
                     .set("workspace_id", connection.workspace_id)
                     .set("write_to_disk", connection.write_to_disk);
  if (!connection.auth_token.empty()) request.set("auth_token", connection.auth_token);
  if (!connection.session_code.empty()) request.set("session_code", connection.session_code);
  const auto answer = parsed(ask(host_ws_request, request));
  if (!answer || answer->bool_member("ok").value_or(true)) return {};
  return std::string(answer->string_member("error").value_or("The host refused to connect."));
}

void ws_send_binary(ByteView frame) {
  pdk::call(host_ws_request, with_base64(R"({"type":"send_binary")", "data", frame));
}

void ws_send_text(std::string_view text) { socket_request(Json{}.set("type", "send_text").set("text", text)); }

void ws_disconnect() { socket_request(Json{}.set("type", "disconnect")); }

bool nearly_exhausted() { return pdk::blocks_used() > kManyBlocks; }

}  // namespace diaryx::plugin::host
