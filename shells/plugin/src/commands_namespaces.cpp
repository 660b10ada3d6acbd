// The server's namespaces: objects by key, and sessions that invite others into one. Each command is one HTTP request.
//
// The plugin itself keeps nothing there; hosts use these commands to store and to share what is theirs.

#include <array>

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/base/utf.h"
#include "remote.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kBinary = "application/octet-stream";

/// Statuses that are no error, each a bit.
constexpr unsigned kOk = 1;
constexpr unsigned kCreated = 2;
constexpr unsigned kEmpty = 4;
constexpr unsigned kAbsent = 8;

constexpr unsigned bit_of(int64_t status) {
  switch (status) {
    case 200: return kOk;
    case 201: return kCreated;
    case 204: return kEmpty;
    case 404: return kAbsent;
    default: return 0;
  }
}

using Text = std::expected<std::string, std::string>;
using Sent = std::expected<host::HttpResponse, std::string>;

Text needed(const Json& params, const char* name) {
  const auto text = params.string_member(name);
  if (text && !text->empty()) return std::string(*text);
  return std::unexpected("Missing " + std::string(name));
}

Sent send(Guest& guest, const Json& params, std::string_view method, const Text& path, unsigned fine = kOk,
          Bytes body = {}, std::string_view content_type = kJson) {
  if (!path) return std::unexpected(path.error());
  const Endpoint endpoint = guest.endpoint(params);
  if (endpoint.server_url.empty()) return std::unexpected("Missing server_url");
  host::HttpResponse response = Remote(endpoint).ask(method, *path, content_type, std::move(body));
  if ((bit_of(response.status) & fine) != 0) return response;
  return std::unexpected(failure_of(response).text);
}

/// What the server said.
Reply json_of(const Sent& sent) {
  if (!sent) return refused(sent.error());
  if (sent->status == 404) return Json{};
  auto json = Json::parse(as_text(sent->body));
  if (!json) return refused("Invalid response");
  return std::move(*json);
}

Reply nothing_of(const Sent& sent) {
  if (!sent) return refused(sent.error());
  return Json{};
}

Bytes body_of(const Json& json) { return to_bytes(as_bytes(json.dump())); }

Text path_of_objects(const Json& params) {
  auto id = needed(params, "namespace_id");
  if (!id) return id;
  return "/namespaces/" + percent_encoded(*id) + "/objects";
}

Text path_of_object(const Json& params) {
  auto path = path_of_objects(params);
  if (!path) return path;
  const auto key = needed(params, "key");
  if (!key) return key;
  return *path + '/' + percent_encoded(*key);
}

Text path_of_session(const Json& params) {
  const auto code = needed(params, "code");
  if (!code) return code;
  return "/sessions/" + percent_encoded(*code);
}

Reply create_namespace(Guest& guest, const Json& params) {
  const auto id = needed(params, "namespace_id");
  if (!id) return refused(id.error());
  return json_of(send(guest, params, "POST", "/namespaces", kOk | kCreated, body_of(Json{}.set("id", *id))));
}

Reply list_namespaces(Guest& guest, const Json& params) { return json_of(send(guest, params, "GET", "/namespaces")); }

Reply put_object(Guest& guest, const Json& params) {
  const Text path = path_of_object(params);
  if (!path) return refused(path.error());
  const auto base64 = params.string_member("body_base64");
  const auto text = params.string_member("body");
  if (!base64 && !text) return refused("Missing body or body_base64");
  auto bytes = base64 ? from_base64(*base64) : Result<Bytes>(to_bytes(as_bytes(*text)));
  if (!bytes) return refused("Invalid base64: " + describe(bytes.error()));
  const std::string_view type = params.string_member("content_type").value_or(kBinary);
  return json_of(send(guest, params, "PUT", path, kOk, std::move(*bytes), type));
}

Reply get_object(Guest& guest, const Json& params) {
  const Sent sent = send(guest, params, "GET", path_of_object(params), kOk | kAbsent, {}, {});
  if (!sent) return refused(sent.error());
  if (sent->status == 404) return Json{};
  const bool is_text = is_valid_utf8(as_text(sent->body));
  return Json{}
      .set("status", sent->status)
      .set("body", is_text ? Json{as_text(sent->body)} : Json{})
      .set("body_base64", to_base64(sent->body));
}

Reply delete_object(Guest& guest, const Json& params) {
  return nothing_of(send(guest, params, "DELETE", path_of_object(params), kOk | kEmpty));
}

Reply list_objects(Guest& guest, const Json& params) {
  return json_of(send(guest, params, "GET", path_of_objects(params)));
}

Reply create_session(Guest& guest, const Json& params) {
  const auto id = needed(params, "namespace_id");
  if (!id) return refused(id.error());
  const Json body = Json{}.set("namespace_id", *id).set("read_only", flag_param(params, "read_only", false));
  return json_of(send(guest, params, "POST", "/sessions", kOk, body_of(body)));
}

Reply get_session(Guest& guest, const Json& params) {
  return json_of(send(guest, params, "GET", path_of_session(params), kOk | kAbsent));
}

Reply delete_session(Guest& guest, const Json& params) {
  return nothing_of(send(guest, params, "DELETE", path_of_session(params), kOk | kEmpty));
}

constexpr std::array kCommands{
    Command{"NsCreateNamespace", create_namespace},
    Command{"NsListNamespaces", list_namespaces},
    Command{"NsPutObject", put_object},
    Command{"NsGetObject", get_object},
    Command{"NsDeleteObject", delete_object},
    Command{"NsListObjects", list_objects},
    Command{"NsCreateSession", create_session},
    Command{"NsGetSession", get_session},
    Command{"NsDeleteSession", delete_session},
};

}  // namespace

std::span<const Command> namespace_commands() { return kCommands; }

}  // namespace diaryx::plugin
