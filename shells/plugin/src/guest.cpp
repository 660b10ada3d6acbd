#include "guest.h"

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "manifest.h"

namespace diaryx::plugin {
namespace {

// Hosts send null or nothing when there are no parameters.
Json params_of(const Json& request) {
  const Json* params = request.find("params");
  return params && params->is_object() ? *params : Json::object();
}

}  // namespace

std::expected<Json, std::string> parse_request(std::string_view text) {
  auto json = Json::parse(text);
  if (json) return std::move(*json);
  return std::unexpected("Invalid JSON: " + describe(json.error()));
}

// --- life -----------------------------------------------------------------------------------------------------------

std::string Guest::manifest() const { return manifest_json(declared_commands()); }

Outcome Guest::init(std::string_view input) {
  const Json options = Json::parse(input).value_or(Json::object());
  begin();
  end_share();
  save();  // a second init must not lose what the first one did
  session_.reset();
  load_config();
  for (const std::string_view name : {"server_url", "auth_token", "workspace_id"}) {
    if (const auto text = options.string_member(name)) config_.patch(Json{}.set(std::string(name), *text));
  }
  if (config_found_) save_config();

  write_to_disk_ = options.bool_member("write_to_disk").value_or(true);
  if (const auto root = options.string_member("workspace_root")) disk_.set_root(*root);
  load_device();
  spaces_.load();
  open_own(workspace());
  reconcile();
  if (is_linked()) session_->begin_scan();
  finish();
  host::log(host::Level::Info, "initialized");
  return {};
}

Outcome Guest::shutdown() {
  if (!session_) {
    if (is_requested()) disconnect();
    host::log(host::Level::Warn, "shutdown: there is nothing to shut down");
    return {};
  }
  begin();
  disconnect();
  end_share();
  if (session_) {
    session_->feed(sync::FilesSettled{});
    session_->work(nullptr);
    session_->fold();
  }
  session_.reset();
  write_to_disk_ = true;
  host::log(host::Level::Info, "shut down");
  return {};
}

void Guest::begin() {
  if (!session_) return;
  if (!config_found_ || !device_found_) find_settings();
  if (session_->options().keep && !journal_.has_stored()) adopt_late_state();
  session_->begin(host::now());
  if (aside_) aside_->begin(host::now());
}

void Guest::finish() {
  if (aside_) aside_->work(nullptr);
  if (!session_) return;
  session_->work(nullptr);
  if (socket_open_ && session_->has_transfers()) {
    const bool is_share = !requested_.session_code.empty();
    const Endpoint server =
        is_share ? Endpoint{requested_.server_url, requested_.auth_token} : endpoint(Json::object());
    const Remote remote(server, requested_.session_code);
    if (!server.server_url.empty() && (is_share || !server.auth_token.empty())) session_->work(&remote);
  }
  const bool is_due = !socket_open_ && try_again_at_ <= session_->now();
  if (is_due && !transport_problem_.empty()) return connect(host::Connection(requested_));
  if ((session_->take_reconnect() || unheard_ || is_due) && is_requested()) {
    unheard_ = false;
    renew_line();
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
  if (aside_) aside_->fold();
}

void Guest::start_scan() {
  if (Session* session = folder_session()) session->begin_scan();
}

void Guest::absorb(std::string_view doc, ByteView update, const Origin& origin) {
  if (session_) session_->absorb(doc, update, origin);
}

// --- JSON exports ---------------------------------------------------------------------------------------------------

Reply Guest::carry_out(std::string_view command, const Json& params) {
  begin();
  Reply reply = run_command(*this, command, params);
  finish();
  return reply;
}

Outcome Guest::handle_command(std::string_view request) {
  const auto json = parse_request(request);
  if (!json) return std::unexpected(json.error());
  const auto name = json->string_member("command");
  if (!name) return std::unexpected("Invalid JSON: the request has no command");
  const Reply reply = carry_out(*name, params_of(*json));
  const Json response = Json{}
                            .set("success", reply.has_value())
                            .set("data", reply ? *reply : Json{})
                            .set("error", reply ? Json{} : Json{reply.error()});
  return response.dump();
}

Outcome Guest::execute_typed_command(std::string_view request) {
  const auto json = parse_request(request);
  if (!json) return std::unexpected(json.error());
  const auto name = json->string_member("type");
  if (!name) return std::unexpected("Invalid JSON: the request has no type");
  const Reply reply = carry_out(*name, params_of(*json));
  if (reply) return Json{}.set("type", "PluginResult").set("data", *reply).dump();
  if (reply.error().starts_with(kUnknownCommand)) return {};  // not ours: the host asks its own backend
  return std::unexpected(reply.error());
}

Outcome Guest::component_html(std::string_view request) {
  const auto json = parse_request(request);
  if (!json) return std::unexpected(json.error());
  const Reply html = run_command(*this, "get_component_html", *json);
  if (!html) return std::unexpected(html.error());
  return *html->as_string();
}

Outcome Guest::get_config() { return config().to_public_json().dump(); }

Outcome Guest::set_config(std::string_view patch) {
  const auto json = parse_request(patch);
  if (!json) return std::unexpected(json.error());
  const Reply done = carry_out("set_config", *json);
  if (!done) return std::unexpected(done.error());
  return {};
}

// --- binary exports -------------------------------------------------------------------------------------------------

BinaryOutcome Guest::queue_local_update(std::string_view input) {
  const auto json = parse_request(input);
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
      if (std::holds_alternative<sync::SyncStep1>(message)) session_->send(doc, message);
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
  start_scan();
  constexpr std::string_view kReady = R"({"type":"FilesReady"})";
  if (socket_open_) host::ws_send_text(kReady);
  finish();
  std::vector<EnvelopeAction> actions{{ActionType::SendText, to_bytes(as_bytes(kReady))}};
  for (EnvelopeAction& action : session_->take_performed()) actions.push_back(std::move(action));
  return encode_envelope(actions).bytes;
}

BinaryOutcome Guest::sync_body_files(std::string_view input) {
  const auto json = parse_request(input);
  if (!json) return std::unexpected(json.error());
  begin();
  if (session_) session_->focus(paths_param(*this, *json, "file_paths"));
  return finish_with_envelope();
}

}  // namespace diaryx::plugin
