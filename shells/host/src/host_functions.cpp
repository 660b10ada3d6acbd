#include "host_functions.h"

#include <chrono>
#include <ctime>
#include <utility>

#include "diaryx/base/base64.h"
#include "diaryx/base/utf.h"
#include "diaryx/native/http_client.h"

namespace diaryx::host {
namespace {

using Answer = native::Outcome<std::string>;
using Function = Answer (*)(const HostWorld& world, const Json& input);

constexpr unsigned kFirstFailure = 400;

std::string member(const Json& input, std::string_view name) {
  return std::string(input.string_member(name).value_or(""));
}

// --- files ------------------------------------------------------------------------------------------------------

native::Outcome<std::string> allowed_path(const HostWorld& world, std::string_view permission, const Json& input,
                                          std::string_view name = "path") {
  auto path = world.files.inside(member(input, name));
  if (!path) return path;
  if (auto allowed = world.permissions.check(permission, *path); !allowed) return std::unexpected(allowed.error());
  return path;
}

native::Outcome<Bytes> read_allowed(const HostWorld& world, const Json& input) {
  const auto path = allowed_path(world, "read_files", input);
  if (!path) return std::unexpected(path.error());
  auto bytes = world.files.read(*path);
  if (bytes) world.seen.saw(*path, native::Expectation::content(sha256(*bytes)));
  return bytes;
}

Answer read_file(const HostWorld& world, const Json& input) {
  const auto bytes = read_allowed(world, input);
  if (!bytes) return std::unexpected(bytes.error());
  if (!is_valid_utf8(as_text(*bytes))) return native::problem(member(input, "path") + " is not UTF-8");
  return std::string(as_text(*bytes));
}

Answer read_binary(const HostWorld& world, const Json& input) {
  const auto bytes = read_allowed(world, input);
  if (!bytes) return std::unexpected(bytes.error());
  return Json{}.set("data", to_base64(*bytes)).dump();
}

Answer list_files(const HostWorld& world, const Json& input) {
  const auto folder = allowed_path(world, "read_files", input, "prefix");
  if (!folder) return folder;
  Json list = Json::array();
  for (std::string& path : world.files.list(*folder)) list.push(std::move(path));
  return list.dump();
}

Answer file_exists(const HostWorld& world, const Json& input) {
  const auto path = allowed_path(world, "read_files", input);
  if (!path) return path;
  if (world.files.is_file(*path)) return "true";
  world.seen.saw(*path, native::Expectation::absent());
  return "false";
}

Answer write_bytes(const HostWorld& world, const Json& input, ByteView bytes) {
  const auto path = world.files.inside(member(input, "path"));
  if (!path) return path;
  const char* permission = world.files.is_file(*path) ? "edit_files" : "create_files";
  if (auto allowed = world.permissions.check(permission, *path); !allowed) return std::unexpected(allowed.error());
  if (const auto seen = world.seen.take(*path)) {
    const auto verdict = world.files.write_over(*seen, *path, bytes);
    if (!verdict) return std::unexpected(verdict.error());
    if (*verdict == native::Verdict::DiskDiffers) world.log("debug", *path + " was changed meanwhile, so it is left");
    return "";
  }
  if (auto written = world.files.write(*path, bytes); !written) return std::unexpected(written.error());
  return "";
}

Answer write_file(const HostWorld& world, const Json& input) {
  return write_bytes(world, input, as_bytes(member(input, "content")));
}

Answer write_binary(const HostWorld& world, const Json& input) {
  const auto bytes = from_base64(member(input, "content"));
  if (!bytes) return native::problem("the content is not base64");
  return write_bytes(world, input, *bytes);
}

Answer delete_file(const HostWorld& world, const Json& input) {
  const auto path = allowed_path(world, "delete_files", input);
  if (!path) return path;
  if (auto removed = world.files.remove(*path); !removed) return std::unexpected(removed.error());
  return "";
}

// --- storage ----------------------------------------------------------------------------------------------------

Answer storage_get(const HostWorld& world, const Json& input) {
  const std::string key = member(input, "key");
  if (auto allowed = world.permissions.check("plugin_storage", key); !allowed) return std::unexpected(allowed.error());
  const auto value = world.storage.get(key);
  return value ? Json{}.set("data", to_base64(*value)).dump() : "";
}

Answer storage_set(const HostWorld& world, const Json& input) {
  const std::string key = member(input, "key");
  if (auto allowed = world.permissions.check("plugin_storage", key); !allowed) return std::unexpected(allowed.error());
  const auto value = from_base64(member(input, "data"));
  if (!value) return native::problem("the data is not base64");
  if (auto stored = world.storage.set(key, *value); !stored) return std::unexpected(stored.error());
  return "";
}

// --- network and clock ------------------------------------------------------------------------------------------

Answer http_request(const HostWorld& world, const Json& input) {
  const std::string url = member(input, "url");
  if (auto allowed = world.permissions.check("http_requests", url); !allowed) return std::unexpected(allowed.error());
  const size_t scheme = url.find("://");
  const size_t path = scheme == std::string::npos ? scheme : url.find('/', scheme + 3);
  auto server = native::ServerUrl::parse(url.substr(0, path));
  if (!server) return std::unexpected(server.error());
  native::HttpRequest request{.method = member(input, "method"),
                              .target = path == std::string::npos ? "/" : url.substr(path),
                              .content_type = {},
                              .body = member(input, "body")};
  std::string token;
  if (const Json* headers = input.find("headers"); headers && headers->as_object()) {
    constexpr std::string_view bearer = "Bearer ";
    for (const auto& [name, value] : *headers->as_object()) {
      const std::string* text = value.as_string();
      if (text && name == "Authorization" && text->starts_with(bearer)) token = text->substr(bearer.size());
      if (text && name == "Content-Type") request.content_type = *text;
    }
  }
  if (const auto encoded = input.string_member("body_base64")) {
    const auto body = from_base64(*encoded);
    if (!body) return native::problem("body_base64 is not base64");
    request.body = as_text(*body);
  }
  native::HttpClient client(std::move(*server), std::move(token));
  const auto response = native::send_and_wait(client, std::move(request));
  if (!response) return std::unexpected(response.error());
  if (response->status >= kFirstFailure) return native::problem("http status: " + std::to_string(response->status));
  Json headers = Json::object();
  if (!response->content_type.empty()) headers.set("content-type", response->content_type);
  return Json{}
      .set("status", response->status)
      .set("headers", std::move(headers))
      .set("body", is_valid_utf8(response->body) ? response->body : std::string())
      .set("body_base64", to_base64(as_bytes(response->body)))
      .dump();
}

Answer ws_request(const HostWorld& world, const Json& input) { return world.socket.request(input); }

Answer timestamp(const HostWorld&, const Json&) {
  using namespace std::chrono;
  return std::to_string(duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());
}

Answer now(const HostWorld&, const Json&) {
  const std::time_t time = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[sizeof "2026-03-16T10:15:30+00:00"];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text;
}

// --- the rest ---------------------------------------------------------------------------------------------------

Answer log(const HostWorld& world, const Json& input) {
  world.log(member(input, "level"), member(input, "message"));
  return "";
}

Answer emit_event(const HostWorld& world, const Json& input) {
  world.emit(input);
  return "";
}

Answer runtime_context(const HostWorld& world, const Json&) { return world.context.dump(); }

Answer nothing(const HostWorld&, const Json&) { return ""; }

Answer no_wasi_modules(const HostWorld&, const Json&) {
  return R"({"exit_code":-1,"stdout":"","stderr":"unsupported"})";
}

Answer no_other_plugins(const HostWorld&, const Json&) {
  return R"({"success":false,"error":"This host has no other plugins."})";
}

constexpr std::pair<const char*, Function> kFunctions[] = {
    {"host_log", log},
    {"host_read_file", read_file},
    {"host_read_binary", read_binary},
    {"host_list_files", list_files},
    {"host_file_exists", file_exists},
    {"host_write_file", write_file},
    {"host_write_binary", write_binary},
    {"host_delete_file", delete_file},
    {"host_emit_event", emit_event},
    {"host_storage_get", storage_get},
    {"host_storage_set", storage_set},
    {"host_secret_get", nothing},
    {"host_secret_set", nothing},
    {"host_secret_delete", nothing},
    {"host_get_timestamp", timestamp},
    {"host_get_now", now},
    {"host_http_request", http_request},
    {"host_run_wasi_module", no_wasi_modules},
    {"host_request_file", nothing},
    {"host_plugin_command", no_other_plugins},
    {"host_get_runtime_context", runtime_context},
    {"host_ws_request", ws_request},
};

}  // namespace

std::optional<native::Expectation> SeenFiles::take(const std::string& path) {
  const auto seen = seen_.extract(path);
  return seen ? std::optional(seen.mapped()) : std::nullopt;
}

std::vector<HostFunction> host_functions(const HostWorld& world) {
  std::vector<HostFunction> functions;
  for (const auto& [name, run] : kFunctions) {
    functions.push_back({name, [&world, name, run](std::string_view input) -> Answer {
                           if (world.broken.contains(name)) return native::problem("this function is broken");
                           auto json = input.empty() ? Json::object() : Json::parse(input);
                           if (!json) return native::problem("the input is not JSON");
                           return run(world, *json);
                         }});
  }
  return functions;
}

}  // namespace diaryx::host
