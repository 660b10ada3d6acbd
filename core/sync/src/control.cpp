#include "diaryx/sync/control.h"

#include "diaryx/base/base64.h"
#include "diaryx/base/json.h"

namespace diaryx::sync {
namespace {

using Parsed = Result<ControlMessage>;

Result<std::string> required_text(const Json& json, const char* key) {
  const auto text = json.string_member(key);
  if (!text) return fail(ErrorCode::InvalidMessage);
  return std::string(*text);
}

Result<uint64_t> required_count(const Json& json, const char* key) {
  const auto number = json.integer_member(key);
  if (!number || *number < 0) return fail(ErrorCode::InvalidMessage);
  return static_cast<uint64_t>(*number);
}

Result<bool> required_bool(const Json& json, const char* key) {
  const auto value = json.bool_member(key);
  if (!value) return fail(ErrorCode::InvalidMessage);
  return *value;
}

Result<std::vector<std::string>> required_texts(const Json& json, const char* key) {
  const Json* const list = json.find(key);
  if (list == nullptr || !list->is_array()) return fail(ErrorCode::InvalidMessage);
  std::vector<std::string> texts;
  for (const Json& item : *list->as_array()) {
    if (!item.is_string()) return fail(ErrorCode::InvalidMessage);
    texts.push_back(*item.as_string());
  }
  return texts;
}

std::string text_or_empty(const Json& json, const char* key) {
  return std::string(json.string_member(key).value_or(std::string_view{}));
}

std::optional<std::string> optional_text(const Json& json, const char* key) {
  const auto text = json.string_member(key);
  return text ? std::optional<std::string>(*text) : std::nullopt;
}

uint64_t count_or_zero(const Json& json, const char* key) {
  return static_cast<uint64_t>(std::max<int64_t>(0, json.integer_member(key).value_or(0)));
}

Parsed parse_session_joined(const Json& json) {
  DX_TRY(std::string code, required_text(json, "joinCode"));
  DX_TRY(std::string workspace, required_text(json, "workspaceId"));
  return SessionJoined{std::move(code), std::move(workspace), json.bool_member("readOnly").value_or(false)};
}

Parsed parse_file_manifest(const Json& json) {
  FileManifest manifest;
  manifest.client_is_new = json.bool_member("client_is_new").value_or(false);
  const Json* const files = json.find("files");
  if (files == nullptr || !files->is_array()) return manifest;
  for (const Json& file : *files->as_array()) {
    ManifestFile entry{text_or_empty(file, "doc_id"), text_or_empty(file, "filename"), optional_text(file, "title"),
                       optional_text(file, "part_of"), file.bool_member("deleted").value_or(false)};
    if (!entry.doc_id.empty() && !entry.filename.empty()) manifest.files.push_back(std::move(entry));
  }
  return manifest;
}

Parsed parse_crdt_state(const Json& json) {
  DX_TRY(const std::string text, required_text(json, "state"));
  DX_TRY(Bytes state, from_base64(text));
  return CrdtState{std::move(state)};
}

Parsed parse_sync_complete(const Json& json) {
  DX_TRY(const uint64_t count, required_count(json, "files_synced"));
  return SyncComplete{count};
}

Parsed parse_peer_joined(const Json& json) {
  return PeerJoined{text_or_empty(json, "guestId"), count_or_zero(json, "peer_count")};
}

Parsed parse_peer_left(const Json& json) {
  return PeerLeft{text_or_empty(json, "guestId"), count_or_zero(json, "peer_count")};
}

Parsed parse_session_ended(const Json&) { return SessionEnded{}; }

Parsed parse_read_only_changed(const Json& json) {
  DX_TRY(const bool read_only, required_bool(json, "read_only"));
  return ReadOnlyChanged{read_only};
}

Parsed parse_sync_progress(const Json& json) {
  DX_TRY(const uint64_t completed, required_count(json, "completed"));
  DX_TRY(const uint64_t total, required_count(json, "total"));
  return SyncProgress{completed, total};
}

Parsed parse_focus_list(const Json& json) {
  DX_TRY(auto files, required_texts(json, "files"));
  return FocusListChanged{std::move(files)};
}

Parsed parse_server_hello(const Json& json) {
  return ServerHello{text_or_empty(json, "name"), text_or_empty(json, "version"),
                     json.bool_member("receipts").value_or(false), text_or_empty(json, "lineage"),
                     json.bool_member("changes").value_or(false)};
}

Parsed parse_client_hello(const Json& json) { return ClientHello{json.bool_member("handshake").value_or(true)}; }

Parsed parse_changes_wanted(const Json& json) {
  DX_TRY(std::string workspace, required_text(json, "workspace"));
  return ChangesWanted{std::move(workspace), text_or_empty(json, "cursor")};
}

Parsed parse_changes(const Json& json) {
  DX_TRY(std::string workspace, required_text(json, "workspace"));
  DX_TRY(const bool known, required_bool(json, "known"));
  DX_TRY(auto keys, required_texts(json, "keys"));
  return Changes{std::move(workspace), text_or_empty(json, "cursor"), known, std::move(keys)};
}

Parsed parse_saved(const Json& json) {
  DX_TRY(std::string doc, required_text(json, "doc"));
  DX_TRY(const uint64_t received, required_count(json, "received"));
  return Saved{std::move(doc), received};
}

Parsed parse_error(const Json& json) {
  return DocError{text_or_empty(json, "doc"), text_or_empty(json, "code"), text_or_empty(json, "message")};
}

Parsed parse_files_ready(const Json&) { return FilesReady{}; }

Parsed parse_focus(const Json& json) {
  DX_TRY(auto files, required_texts(json, "files"));
  return Focus{std::move(files)};
}

Parsed parse_unfocus(const Json& json) {
  DX_TRY(auto files, required_texts(json, "files"));
  return Unfocus{std::move(files)};
}

struct Kind {
  std::string_view type;
  Parsed (*parse)(const Json&);
};

constexpr Kind kKinds[] = {
    {"session_joined", parse_session_joined},
    {"file_manifest", parse_file_manifest},
    {"crdt_state", parse_crdt_state},
    {"sync_complete", parse_sync_complete},
    {"peer_joined", parse_peer_joined},
    {"peer_left", parse_peer_left},
    {"session_ended", parse_session_ended},
    {"read_only_changed", parse_read_only_changed},
    {"sync_progress", parse_sync_progress},
    {"focus_list_changed", parse_focus_list},
    {"server_hello", parse_server_hello},
    {"saved", parse_saved},
    {"error", parse_error},
    {"changes", parse_changes},
    {"client_hello", parse_client_hello},
    {"changes_wanted", parse_changes_wanted},
    {"FilesReady", parse_files_ready},
    {"files_ready", parse_files_ready},
    {"focus", parse_focus},
    {"unfocus", parse_unfocus},
};

Parsed parse_action(const Json& json, std::string_view action) {
  if (action != "leave" && action != "save") return Ignored{std::string(action)};
  DX_TRY(std::string doc, required_text(json, "doc"));
  if (action == "leave") return Leave{std::move(doc)};
  return Save{std::move(doc)};
}

Json of_type(const char* type) {
  Json json = Json::object();
  json.set("type", type);
  return json;
}

Json text_list(const std::vector<std::string>& texts) {
  Json list = Json::array();
  for (const std::string& text : texts) list.push(text);
  return list;
}

Json optional_json(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

struct Formatter {
  Json operator()(const SessionJoined& m) const {
    Json json = of_type("session_joined");
    return json.set("joinCode", m.join_code).set("workspaceId", m.workspace_id).set("readOnly", m.read_only);
  }
  Json operator()(const FileManifest& m) const {
    Json files = Json::array();
    for (const ManifestFile& file : m.files) {
      Json entry = Json::object();
      entry.set("doc_id", file.doc_id).set("filename", file.filename).set("title", optional_json(file.title));
      entry.set("part_of", optional_json(file.part_of)).set("deleted", file.deleted);
      files.push(std::move(entry));
    }
    Json json = of_type("file_manifest");
    return json.set("files", std::move(files)).set("client_is_new", m.client_is_new);
  }
  Json operator()(const CrdtState& m) const { return of_type("crdt_state").set("state", to_base64(m.state)); }
  Json operator()(const SyncComplete& m) const { return of_type("sync_complete").set("files_synced", m.files_synced); }
  Json operator()(const PeerJoined& m) const {
    return of_type("peer_joined").set("guestId", m.guest_id).set("peer_count", m.peer_count);
  }
  Json operator()(const PeerLeft& m) const {
    return of_type("peer_left").set("guestId", m.guest_id).set("peer_count", m.peer_count);
  }
  Json operator()(const SessionEnded&) const { return of_type("session_ended"); }
  Json operator()(const ReadOnlyChanged& m) const { return of_type("read_only_changed").set("read_only", m.read_only); }
  Json operator()(const SyncProgress& m) const {
    return of_type("sync_progress").set("completed", m.completed).set("total", m.total);
  }
  Json operator()(const FocusListChanged& m) const {
    return of_type("focus_list_changed").set("files", text_list(m.files));
  }
  Json operator()(const ServerHello& m) const {
    Json hello = of_type("server_hello").set("name", m.name).set("version", m.version).set("receipts", m.receipts);
    if (!m.lineage.empty()) hello.set("lineage", m.lineage);
    return m.changes ? hello.set("changes", true) : hello;
  }
  Json operator()(const Saved& m) const { return of_type("saved").set("doc", m.doc).set("received", m.received); }
  Json operator()(const DocError& m) const {
    return of_type("error").set("doc", m.doc).set("code", m.code).set("message", m.message);
  }
  Json operator()(const Changes& m) const {
    Json json = of_type("changes");
    json.set("workspace", m.workspace).set("cursor", m.cursor).set("known", m.known);
    return json.set("keys", text_list(m.keys));
  }
  Json operator()(const ClientHello& m) const { return of_type("client_hello").set("handshake", m.handshake); }
  Json operator()(const ChangesWanted& m) const {
    Json json = of_type("changes_wanted").set("workspace", m.workspace);
    return m.cursor.empty() ? json : json.set("cursor", m.cursor);
  }
  Json operator()(const FilesReady&) const { return of_type("FilesReady"); }
  Json operator()(const Focus& m) const { return of_type("focus").set("files", text_list(m.files)); }
  Json operator()(const Unfocus& m) const { return of_type("unfocus").set("files", text_list(m.files)); }
  Json operator()(const Leave& m) const { return action("leave", m.doc); }
  Json operator()(const Save& m) const { return action("save", m.doc); }
  Json operator()(const Ignored& m) const { return of_type(m.type.c_str()); }

 private:
  static Json action(const char* name, const std::string& doc) {
    Json json = Json::object();
    return json.set("action", name).set("doc", doc);
  }
};

}  // namespace

Result<ControlMessage> parse_control(std::string_view text) {
  if (text.size() > kMaxControlBytes) return fail(ErrorCode::TooLarge);
  DX_TRY(const Json json, Json::parse(text));
  if (const auto action = json.string_member("action")) return parse_action(json, *action);
  const auto type = json.string_member("type");
  if (!type) return Ignored{};
  for (const Kind& kind : kKinds)
    if (kind.type == *type) return kind.parse(json);
  return Ignored{std::string(*type)};
}

std::string format_control(const ControlMessage& message) { return std::visit(Formatter{}, message).dump(); }

}  // namespace diaryx::sync
