#include "remote.h"

#include <algorithm>

#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kZip = "application/zip";
constexpr std::string_view kBinary = "application/octet-stream";
constexpr size_t kPartBytes = 8u << 20;
constexpr size_t kMaxErrorText = 300;

Bytes json_body(const Json& json) { return to_bytes(as_bytes(json.dump())); }

std::unexpected<HttpError> wrong_answer(std::string text) { return std::unexpected(HttpError{200, std::move(text)}); }

Answer<RemoteWorkspace> read_workspace(const Json& json) {
  const auto id = json.string_member("id");
  const auto name = json.string_member("name");
  if (!id || !name) return wrong_answer("Invalid workspace response");
  return RemoteWorkspace{std::string(*id), std::string(*name)};
}

Answer<RemoteWorkspace> read_workspace(const Answer<Bytes>& body) {
  if (!body) return std::unexpected(body.error());
  const auto json = Json::parse(as_text(*body));
  if (!json) return wrong_answer("Invalid workspace response");
  return read_workspace(*json);
}

}  // namespace

bool HttpError::is_final() const {
  constexpr int64_t kTooLarge = 413;
  return status == kTooLarge;
}

std::string Remote::workspace_path(const std::string& workspace_id) const {
  return "/api/workspaces/" + percent_encoded(workspace_id);
}

HttpError failure_of(const host::HttpResponse& response) {
  std::string text = "HTTP " + std::to_string(response.status);
  std::string_view said = as_text(response.body).substr(0, kMaxErrorText);
  while (!is_valid_utf8(said)) said.remove_suffix(1);  // cut within a character, or no text at all
  if (!said.empty()) text.append(": ").append(said);
  if (!response.retry_after.empty()) text.append(" (to be tried again after ").append(response.retry_after).append(")");
  return {response.status, std::move(text)};
}

host::HttpResponse Remote::ask(std::string_view method, const std::string& path, std::string_view content_type,
                               Bytes body) const {
  host::HttpRequest request{std::string(method), endpoint_.server_url + path, {}, std::move(body)};
  if (!content_type.empty()) request.headers.emplace_back("Content-Type", content_type);
  if (!share_.empty() && method == "GET") {
    // The code is what lets a guest in: beside a token, which is a member's, a server would not look at it.
    request.url.append("?session=").append(percent_encoded(share_));
  } else if (!endpoint_.auth_token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + endpoint_.auth_token);
  }
  return host::http(request);
}

Answer<Bytes> Remote::send(std::string_view method, const std::string& path, std::string_view content_type,
                           Bytes body) const {
  host::HttpResponse response = ask(method, path, content_type, std::move(body));
  if (response.status == 200) return std::move(response.body);
  return std::unexpected(failure_of(response));
}

Answer<std::vector<RemoteWorkspace>> Remote::workspaces() const {
  const auto body = send("GET", "/api/workspaces", kJson, {});
  if (!body) return std::unexpected(body.error());
  const auto json = Json::parse(as_text(*body));
  if (!json || !json->as_array()) return wrong_answer("Invalid workspace response");
  std::vector<RemoteWorkspace> found;
  for (const Json& entry : *json->as_array()) {
    if (auto workspace = read_workspace(entry)) found.push_back(std::move(*workspace));
  }
  return found;
}

Answer<RemoteWorkspace> Remote::workspace(const std::string& id) const {
  return read_workspace(send("GET", workspace_path(id), kJson, {}));
}

Answer<RemoteWorkspace> Remote::create_workspace(const std::string& name) const {
  return read_workspace(send("POST", "/api/workspaces", kJson, json_body(Json{}.set("name", name))));
}

Answer<Bytes> Remote::attachment(const std::string& workspace_id, const Sha256& hash) const {
  auto body = send("GET", workspace_path(workspace_id) + "/attachments/" + hash.hex(), {}, {});
  if (body && sha256(*body) != hash) return wrong_answer("the server sent other bytes than those asked for");
  return body;
}

Answer<void> Remote::upload(const std::string& workspace_id, const std::string& path, const Sha256& hash,
                            std::string_view mime_type, ByteView bytes) const {
  const size_t parts = std::max<size_t>(1, (bytes.size() + kPartBytes - 1) / kPartBytes);
  const Json file = Json{}
                        .set("entry_path", path)
                        .set("attachment_path", path)
                        .set("hash", hash.hex())
                        .set("size_bytes", static_cast<uint64_t>(bytes.size()))
                        .set("mime_type", mime_type.empty() ? kBinary : mime_type);
  Json begin = file;
  begin.set("part_size", static_cast<uint64_t>(kPartBytes)).set("total_parts", static_cast<uint64_t>(parts));
  const std::string uploads = workspace_path(workspace_id) + "/attachments/uploads";
  const auto begun = send("POST", uploads, kJson, json_body(begin));
  if (!begun) return std::unexpected(begun.error());
  const auto answer = Json::parse(as_text(*begun));
  if (!answer) return wrong_answer("Invalid upload response");
  if (answer->string_member("status") == "already_exists") return {};
  const auto id = answer->string_member("upload_id");
  if (!id) return wrong_answer("Invalid upload response");

  const std::string upload = uploads + '/' + percent_encoded(*id);
  for (size_t part = 0; part < parts; ++part) {
    const size_t begin_at = part * kPartBytes;
    const ByteView piece = bytes.subspan(begin_at, std::min(kPartBytes, bytes.size() - begin_at));
    const auto sent = send("PUT", upload + "/parts/" + std::to_string(part + 1), kBinary, to_bytes(piece));
    if (!sent) return std::unexpected(sent.error());
  }
  const auto done = send("POST", upload + "/complete", kJson, json_body(file));
  if (!done) return std::unexpected(done.error());
  return {};
}

Answer<Bytes> Remote::download_snapshot(const std::string& workspace_id, bool with_attachments) const {
  return send("GET",
              workspace_path(workspace_id) + "/snapshot?include_attachments=" + (with_attachments ? "true" : "false"),
              {}, {});
}

Answer<void> Remote::upload_snapshot(const std::string& workspace_id, std::string_view mode, bool with_attachments,
                                     ByteView zip) const {
  const auto body = send("POST",
                         workspace_path(workspace_id) + "/snapshot?mode=" + percent_encoded(mode) +
                             "&include_attachments=" + (with_attachments ? "true" : "false"),
                         kZip, to_bytes(zip));
  if (!body) return std::unexpected(body.error());
  return {};
}

}  // namespace diaryx::plugin
