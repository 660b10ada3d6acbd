#include "guest.h"

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/path.h"
#include "document_tools.h"
#include "entropy.h"
#include "manifest.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kConfigKey = "sync.extism.config";
constexpr std::string_view kDeviceKey = "sync.device";
constexpr std::string_view kDeviceName = "Diaryx";
constexpr size_t kDeviceDigits = 32;

std::expected<Json, std::string> parsed(std::string_view text) {
  auto json = Json::parse(text);
  if (json) return std::move(*json);
  return std::unexpected("Invalid JSON: " + describe(json.error()));
}

// Hosts send null or nothing when there are no parameters.
Json params_of(const Json& request) {
  const Json* params = request.find("params");
  return params && params->is_object() ? *params : Json::object();
}

std::vector<std::string> paths_of(const Json* list) {
  std::vector<std::string> paths;
  if (!list || !list->as_array()) return paths;
  for (const Json& entry : *list->as_array()) {
    if (const std::string* path = entry.as_string()) paths.push_back(*path);
  }
  return paths;
}

}  // namespace

// --- life -----------------------------------------------------------------------------------------------------------

std::string Guest::manifest() const { return manifest_json(declared_commands()); }

Outcome Guest::init(std::string_view input) {
  const Json options = Json::parse(input).value_or(Json::object());
  begin();
  save();  // a second init must not lose what the first one did
  session_.reset();
  load_config();
  Config given = config_;
  for (const std::string_view name : {"server_url", "auth_token", "workspace_id"}) {
    if (const auto text = options.string_member(name)) given.patch(Json{}.set(std::string(name), *text));
  }
  config_ = given;
  save_config();

  write_to_disk_ = options.bool_member("write_to_disk").value_or(true);
  if (const auto root = options.string_member("workspace_root")) disk_.set_root(*root);
  load_device();
  journal_ = fresh_journal();
  start_session(journal_.load(), config_.workspace_id, write_to_disk_, true);
  reconcile();
  if (is_linked()) session_->begin_scan();
  finish();
  host::log(host::Level::Info, "initialized");
  return {};
}

Outcome Guest::shutdown() {
  if (!session_) {
    host::log(host::Level::Warn, "shutdown: there is nothing to shut down");
    return {};
  }
  begin();
  disconnect();
  session_->feed(sync::FilesSettled{});
  session_->work(nullptr);
  session_->fold();
  session_.reset();
  write_to_disk_ = true;
  host::log(host::Level::Info, "shut down");
  return {};
}

void Guest::begin() {
  if (!session_) return;
  if (session_->options().keep && !journal_.has_stored()) adopt_late_state();
  session_->begin(host::now());
}

void Guest::finish() {
  if (!session_) return;
  session_->work(nullptr);
  if (socket_open_ && is_linked() && session_->has_transfers()) {
    const Endpoint server = endpoint(Json::object());
    const Remote remote(server);
    if (!server.server_url.empty() && !server.auth_token.empty()) session_->work(&remote);
  }
  if (session_->take_reconnect() && requested_) {
    const host::Connection again = *requested_;
    disconnect();
    connect(again);
  }
}

Bytes Guest::finish_with_envelope() {
  finish();
  if (!session_) {
    host::log(host::Level::Warn, "there is no session yet; nothing was done");
    return encode_envelope({}).bytes;
  }
  Envelope envelope = encode_envelope(session_->take_performed());
  if (envelope.dropped > 0) {
    host::log(host::Level::Warn, std::to_string(envelope.dropped) + " performed actions are not in the envelope");
  }
  return std::move(envelope.bytes);
}

void Guest::save() {
  if (session_) session_->fold();
}

void Guest::start_scan() {
  if (session_) session_->begin_scan();
}

void Guest::start_session(const Journal::Stored& stored, std::string workspace_id, bool write_files, bool keep) {
  const std::string& known = stored.workspace_id;
  const bool other_workspace =
      keep && !workspace_id.empty() && !known.empty() && known != kUnlinked && known != workspace_id;
  if (other_workspace) {
    host::log(host::Level::Warn, "the stored state belongs to another workspace and is put away; the files stay");
    journal_.erase_all();
  }
  if (workspace_id.empty()) workspace_id = known.empty() ? std::string(kUnlinked) : known;
  session_.emplace(Session::Options{std::move(workspace_id), fresh_client_id(), device_, write_files, keep},
                   other_workspace ? Journal::Stored{} : stored, disk_, journal_);
  session_->begin(host::now());
}

Journal::Stored Guest::present_state() const {
  Journal::Stored state;
  if (!session_) return state;
  state.workspace_id = session_->workspace_id();
  for (const std::string& doc : session_->replica().documents()) {
    state.updates.push_back({doc, session_->replica().document_state(doc)});
  }
  if (session_->options().keep) state.records = journal_.records();
  return state;
}

// A web host may run `init` before it knows which plugin this is; storage looks empty then. Before anything is written
// over it, a later call looks again and puts both states together.
void Guest::adopt_late_state() {
  if (!config_found_) load_config();
  load_device();
  Journal late = fresh_journal();
  Journal::Stored stored = late.load();
  if (stored.empty()) return;
  host::log(host::Level::Info, "stored state was found after init");
  journal_ = std::move(late);
  for (Journal::Update& update : present_state().updates) {
    journal_.add_update({update.doc, update.bytes}, host::now());
    stored.updates.push_back(std::move(update));
  }
  start_session(stored, config_.workspace_id, write_to_disk_, true);
  reconcile();
  if (is_linked()) session_->begin_scan();
}

void Guest::absorb(std::string_view doc, ByteView update, const Origin& origin) {
  if (session_) session_->feed(sync::UpdateMade{doc, update, origin.kind, origin.note});
}

// --- config and transport -------------------------------------------------------------------------------------------

void Guest::load_config() {
  const auto bytes = host::storage_get(kConfigKey);
  if (!bytes) return;
  config_found_ = true;
  if (const auto json = Json::parse(as_text(*bytes))) config_ = Config::from_json(*json);
}

void Guest::load_device() {
  if (const auto bytes = host::storage_get(kDeviceKey)) {
    const auto json = Json::parse(as_text(*bytes));
    const auto id = json ? json->string_member("id") : std::nullopt;
    const auto name = json ? json->string_member("name") : std::nullopt;
    if (id && !id->empty()) {
      device_ = {std::string(*id), std::string(name.value_or(kDeviceName))};
      return;
    }
  }
  if (!device_.id.empty()) return;
  device_ = {fresh_bits().hex().substr(0, kDeviceDigits), std::string(kDeviceName)};
  rename_device(host::runtime_context().string_member("device_name").value_or(kDeviceName));
}

void Guest::rename_device(std::string_view name) {
  if (device_.id.empty()) load_device();  // before `init`: a name without an id would not be found again
  device_.name = name;
  const Json stored = Json{}.set("id", device_.id).set("name", device_.name);
  host::storage_set(kDeviceKey, as_bytes(stored.dump()));
}

Journal Guest::fresh_journal() const {
  Journal journal;
  journal.history().set_device(device_);
  return journal;
}

void Guest::save_config() {
  host::storage_set(kConfigKey, as_bytes(config_.to_json().dump()));
  config_found_ = true;
}

const Config& Guest::config() {
  if (!config_found_) load_config();
  return config_;
}

void Guest::change_config(const Config& config) {
  config_ = config;
  save_config();
  reconcile();
}

Endpoint Guest::endpoint(const Json& params) { return Endpoint::resolve(params, config(), host::runtime_context()); }

void Guest::reconcile() {
  const Endpoint server = endpoint(Json::object());
  if (server.server_url.empty() || server.auth_token.empty() || !is_linked()) return disconnect();
  connect({.server_url = socket_server(server.server_url),
           .workspace_id = config_.workspace_id,
           .auth_token = server.auth_token,
           .session_code = {},
           .write_to_disk = write_to_disk_});
}

void Guest::connect(const host::Connection& connection) {
  const bool same = requested_ == connection;
  if (!same) {
    if (session_ && session_->is_connected()) session_->disconnected();
    socket_open_ = was_open_ = false;
  }
  requested_ = connection;
  transport_problem_ = host::ws_connect(connection);
  if (!transport_problem_.empty()) host::log(host::Level::Warn, "[sync_transport] " + transport_problem_);
  // The same connection again is nothing new to the host, so it will not call `on_connected` for a new session.
  if (same && socket_open_ && session_ && !session_->is_connected()) session_->connected();
}

void Guest::disconnect() {
  requested_.reset();
  socket_open_ = was_open_ = false;
  transport_problem_.clear();
  host::ws_disconnect();
  if (session_ && session_->is_connected()) session_->disconnected();
}

void Guest::link(std::string_view workspace_id) {
  Config linked = config();
  linked.workspace_id = workspace_id;
  config_ = linked;
  save_config();
  write_to_disk_ = true;
  save();
  if (!session_) journal_ = fresh_journal();
  start_session(session_ ? present_state() : journal_.load(), linked.workspace_id, true, true);
  session_->begin_scan();
  reconcile();
}

void Guest::unlink() {
  Config unlinked = config();
  unlinked.workspace_id.clear();
  change_config(unlinked);
  save();
}

void Guest::open_session(std::string_view workspace_id, bool write_files) {
  write_to_disk_ = write_files;
  const bool own = !session_ || session_->workspace_id() == workspace_id || session_->workspace_id() == kUnlinked;
  const bool keep = own && (config().workspace_id.empty() || config_.workspace_id == workspace_id);
  save();
  start_session(keep ? present_state() : Journal::Stored{}, std::string(workspace_id), write_files, keep);
  if (write_files && keep && is_linked()) session_->begin_scan();
  if (socket_open_ && requested_ && requested_->workspace_id == workspace_id) session_->connected();
}

// --- JSON exports ---------------------------------------------------------------------------------------------------

Outcome Guest::handle_command(std::string_view request) {
  const auto json = parsed(request);
  if (!json) return std::unexpected(json.error());
  const auto name = json->string_member("command");
  if (!name) return std::unexpected("Invalid JSON: the request has no command");
  begin();
  const Reply reply = run_command(*this, *name, params_of(*json));
  finish();
  const Json response = Json{}
                            .set("success", reply.has_value())
                            .set("data", reply ? *reply : Json{})
                            .set("error", reply ? Json{} : Json{reply.error()});
  return response.dump();
}

Outcome Guest::execute_typed_command(std::string_view request) {
  const auto json = parsed(request);
  if (!json) return std::unexpected(json.error());
  const auto name = json->string_member("type");
  if (!name) return std::unexpected("Invalid JSON: the request has no type");
  begin();
  const Reply reply = run_command(*this, *name, params_of(*json));
  finish();
  if (reply) return Json{}.set("type", "PluginResult").set("data", *reply).dump();
  if (reply.error().starts_with(kUnknownCommand)) return {};  // not ours: the host asks its own backend
  return std::unexpected(reply.error());
}

Outcome Guest::component_html(std::string_view request) {
  const auto json = parsed(request);
  if (!json) return std::unexpected(json.error());
  const Reply html = run_command(*this, "get_component_html", *json);
  if (!html) return std::unexpected(html.error());
  return *html->as_string();
}

Outcome Guest::get_config() { return config().to_public_json().dump(); }

Outcome Guest::set_config(std::string_view patch) {
  const auto json = parsed(patch);
  if (!json) return std::unexpected(json.error());
  begin();
  const Reply done = run_command(*this, "set_config", *json);
  finish();
  if (!done) return std::unexpected(done.error());
  return {};
}

Outcome Guest::on_event(std::string_view event) {
  const auto json = parsed(event);
  if (!json) return std::unexpected(json.error());
  const auto type = json->string_member("event_type");
  const Json* payload = json->find("payload");
  if (!type || !payload || !session_) {
    host::log(host::Level::Warn,
              session_ ? "an event without a type or payload was ignored" : "an event before init was ignored");
    return {};
  }
  begin();
  handle_event(*type, *payload);
  finish();
  return {};
}

void Guest::handle_event(std::string_view type, const Json& payload) {
  const auto path_of = [&](std::string_view member) -> std::string {
    const auto path = payload.string_member(member);
    return path ? disk_.to_workspace(*path) : std::string{};
  };
  if (type == "workspace_opened") {
    if (const auto root = payload.string_member("workspace_root")) disk_.set_root(*root);
    if (is_linked()) session_->begin_scan();
  } else if (type == "file_saved" || type == "file_created" || type == "file_deleted") {
    const std::string path = path_of("path");
    if (path.empty()) return;
    // Where reading is denied, web hosts say that nothing is there. Somebody saved it a moment ago, so it is not gone; if it is, the
    // next event says so.
    if (type != "file_deleted" && !disk_.exists(path)) {
      return host::log(host::Level::Warn,
                       path + " was saved but cannot be seen; it is left as it is until it can be read");
    }
    const bool was_known = session_->replica().known_hash(path).has_value();
    session_->report(path);
    session_->settle();
    if (type == "file_deleted" && !was_known && !disk_.exists(path)) delete_entry(*this, *session_, path);
  } else if (type == "file_moved" || type == "file_renamed") {
    const std::string from = path_of("old_path");
    const std::string to = path_of("new_path");
    if (!from.empty() && !to.empty()) file_moved(from, to);
  } else if (type == "file_opened") {
    if (const std::string path = path_of("path"); !path.empty()) session_->feed(sync::FocusFiles{{path}});
  }
}

// One event names one file, but an index takes its folder along (A47): whoever is known below the old folder and is now
// below the new one moved too.
void Guest::file_moved(const std::string& from, const std::string& to) {
  const std::string old_folder(sync::parent(from));
  const std::string new_folder(sync::parent(to));
  std::vector<std::pair<std::string, std::string>> moved;
  if (!disk_.exists(from)) moved.emplace_back(from, to);
  if (!old_folder.empty() && old_folder != new_folder) {
    for (const std::string& path : session_->replica().known_files()) {
      if (path == from || !path.starts_with(old_folder + '/') || disk_.exists(path)) continue;
      const std::string there = sync::join(new_folder, path.substr(old_folder.size() + 1));
      if (disk_.exists(there)) moved.emplace_back(path, there);
    }
  }
  for (const auto& [old_path, new_path] : moved) session_->feed(sync::FileMoved{old_path, new_path});
  for (const auto& [old_path, new_path] : moved) session_->report(new_path);
  if (moved.empty()) session_->report(to);
  session_->settle();
}

// --- binary exports -------------------------------------------------------------------------------------------------

BinaryOutcome Guest::on_connected(std::string_view input) {
  const Json options = Json::parse(input).value_or(Json::object());
  socket_open_ = was_open_ = true;
  begin();
  const auto workspace = options.string_member("workspace_id");
  if (workspace && !workspace->empty() && (!session_ || session_->workspace_id() != *workspace)) {
    if (!session_) {
      load_device();
      journal_ = fresh_journal();
      start_session(journal_.load(), std::string(*workspace), options.bool_member("write_to_disk").value_or(true),
                    true);
    } else {
      open_session(*workspace, options.bool_member("write_to_disk").value_or(true));
    }
  }
  if (session_) session_->connected();
  return finish_with_envelope();
}

BinaryOutcome Guest::on_disconnected() {
  socket_open_ = false;
  begin();
  if (session_) {
    session_->disconnected();
    save();
  }
  return finish_with_envelope();
}

BinaryOutcome Guest::on_binary(ByteView frame) {
  begin();
  if (session_) {
    // A late goodbye of an old socket may have told us wrongly that there is none (A24).
    if (!session_->is_connected()) session_->connected();
    session_->feed(sync::BinaryReceived{frame});
  }
  return finish_with_envelope();
}

BinaryOutcome Guest::on_text(std::string_view text) {
  begin();
  if (session_) {
    if (!session_->is_connected()) session_->connected();
    session_->feed(sync::TextReceived{text});
  }
  return finish_with_envelope();
}

BinaryOutcome Guest::queue_local_update(std::string_view input) {
  const auto json = parsed(input);
  if (!json) return std::unexpected(json.error());
  begin();
  const auto id = sync::parse_doc_id(json->string_member("doc_id").value_or(""));
  const auto data = from_base64(json->string_member("data").value_or(""));
  const auto messages = data ? sync::parse_messages(*data) : fail(ErrorCode::InvalidBase64);
  if (session_ && id && messages && id->workspace == session_->workspace_id()) {
    const std::string doc = id->kind == sync::DocKind::Workspace ? "workspace" : "body:" + std::string(id->key);
    for (const sync::Message& message : *messages) {
      if (const auto* update = std::get_if<sync::Update>(&message)) absorb(doc, update->update);
      if (const auto* step2 = std::get_if<sync::SyncStep2>(&message)) absorb(doc, step2->update);
    }
  } else {
    host::log(host::Level::Warn, "queue_local_update was given no update of this workspace; nothing was done");
  }
  return finish_with_envelope();
}

BinaryOutcome Guest::on_snapshot_imported() {
  begin();
  if (!session_) return finish_with_envelope();
  // The host imported files by itself: look at them, then tell the server that the handshake may go on.
  session_->begin_scan();
  constexpr std::string_view kReady = R"({"type":"FilesReady"})";
  if (socket_open_) host::ws_send_text(kReady);
  finish();
  std::vector<EnvelopeAction> actions{{ActionType::SendText, to_bytes(as_bytes(kReady))}};
  for (EnvelopeAction& action : session_->take_performed()) actions.push_back(std::move(action));
  return encode_envelope(actions).bytes;
}

BinaryOutcome Guest::sync_body_files(std::string_view input) {
  const auto json = parsed(input);
  if (!json) return std::unexpected(json.error());
  begin();
  if (session_) {
    std::vector<std::string> paths = paths_of(json->find("file_paths"));
    for (std::string& path : paths) path = disk_.to_workspace(path);
    session_->feed(sync::FocusFiles{std::move(paths)});
  }
  return finish_with_envelope();
}

}  // namespace diaryx::plugin
