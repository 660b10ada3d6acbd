#include "guest.h"

#include <algorithm>

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "document_tools.h"
#include "entropy.h"
#include "manifest.h"
#include "notices.h"
#include "snapshot.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kConfigKey = "sync.extism.config";
constexpr std::string_view kDeviceKey = "sync.device";
constexpr std::string_view kFolderRecord = "folder";  // where the files are that the records tell of
constexpr std::string_view kDeviceName = "Diaryx";
constexpr size_t kDeviceDigits = 32;
constexpr DurationMs kConnectAgain{30'000};  // after the host refused

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

// Whether the file is what we made of an entry and nobody wrote in: it has no text, and the host, which says that it is gone, knows of
// it by us alone. Where disks ignore case, a listing tells that it is this very name that is there and not one that took its place.
bool is_made_here(const Session& session, const Disk& disk, const std::string& path) {
  const Look look = disk.look(path);
  if (look.state != Look::State::Read || look.hash() != session.replica().known_hash(path)) return false;
  if (!sync::split_frontmatter(as_text(look.bytes)).body.empty()) return false;
  const std::vector<std::string> listed = disk.list();
  return std::ranges::find(listed, path) != listed.end();
}

// Files that are known to be in a folder. Some hosts name the folder that was moved or deleted, and none of its files.
std::vector<std::string> files_below(const Session& session, std::string_view folder) {
  std::vector<std::string> paths = session.replica().known_files();
  std::erase_if(paths, [&](const std::string& path) {
    return !path.starts_with(folder) || path.size() <= folder.size() || path[folder.size()] != '/';
  });
  return paths;
}

// The file that is now at `path`, which nobody knew, was known in another folder and is there no more: some hosts tell of a move by the
// new name alone (A39). Its frontmatter may have changed with the move; a file without text must be the same to the byte.
std::optional<std::string> moved_from(const Session& session, const Disk& disk, const std::string& path) {
  const Look look = disk.look(path);
  if (look.state != Look::State::Read) return std::nullopt;
  const std::optional<Sha256> hash = look.hash();
  const std::string_view text = sync::split_frontmatter(as_text(look.bytes)).body;
  const sync::Replica& replica = session.replica();
  for (const std::string& other : replica.known_files()) {
    if (sync::file_name(other) != sync::file_name(path)) continue;
    const std::optional<std::string> before = text.empty() ? std::nullopt : replica.file_text(other);
    const bool is_same = replica.known_hash(other) == hash || (before && sync::split_frontmatter(*before).body == text);
    if (is_same && !disk.exists(other)) return other;
  }
  return std::nullopt;
}

}  // namespace

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
  if (!transport_problem_.empty() && try_again_at_ <= host::now()) connect(host::Connection(requested_));
  if ((session_->take_reconnect() || unheard_) && is_requested()) {
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

Session* Guest::folder_session() {
  if (!session_ || session_->options().keep || session_->options().write_files) return session_.get();
  return aside_.get();
}

Session* Guest::online() { return session_ && !session_->options().alone ? session_.get() : nullptr; }

std::string Guest::folder_name() const {
  const std::string root = disk_.root();
  return std::string(kUnlinked) + (root == "." ? std::string() : ':' + root);
}

void Guest::use_journal(uint64_t space) {
  journal_ = Journal(Space(space));
  journal_.history().set_device(device_);
}

void Guest::start_session(const Journal::Stored& stored, Session::Options options) {
  options.client = fresh_client_id();
  options.write_files = writes_files();
  options.device = device_;
  session_ = std::make_unique<Session>(std::move(options), stored, disk_, journal_);
  session_->begin(host::now());
  if (session_->options().alone) session_->connected();
}

// This folder's session from what is stored of that workspace. id: empty for a folder that is linked to none.
void Guest::open_own(std::string id) {
  session_.reset();
  if (id.empty()) id = spaces_.workspace_of(folder_name());  // unlinked, and otherwise as it was
  const bool alone = id.empty();
  if (alone) id = folder_name();
  use_journal(spaces_.claim(id));
  Journal::Stored stored = journal_.load();
  note_folder(stored);
  start_session(stored, {.workspace_id = id, .alone = alone});
}

// Which files are here is true of one folder. Opened in another one, those that are not there are not deleted files but files that
// have yet to come. A folder that only has another name by now (it was moved; or where apps are installed anew under one) still has
// most of them.
void Guest::note_folder(Journal::Stored& stored) {
  if (!disk_.has_root()) return;
  const std::string before = std::exchange(stored.records[std::string(kFolderRecord)], disk_.root());
  if (before == disk_.root()) return;
  journal_.add_record(kFolderRecord, disk_.root());
  if (before.empty()) return;
  const std::vector<std::string> present = disk_.list();
  size_t known = 0;
  size_t found = 0;
  for (const auto& [key, value] : stored.records) {
    if (!key.starts_with(sync::kFileRecordPrefix)) continue;
    ++known;
    if (std::ranges::binary_search(present, key.substr(sync::kFileRecordPrefix.size()))) ++found;
  }
  if (2 * found >= known) return;
  host::log(host::Level::Warn,
            "this workspace was in " + before + " and is opened in another folder; its files will be there too");
  std::erase_if(stored.records, [this](const auto& record) {
    if (!sync::is_about_disk(record.first)) return false;
    journal_.add_record(record.first, {});
    return true;
  });
}

void Guest::open_folder(const Disk& folder) {
  // What a folder without a name and a workspace has is for the first that is named.
  const bool is_elsewhere = session_ && (disk_.has_root() || is_linked()) && folder != disk_;
  if (is_elsewhere) {
    end_share();
    save();
  }
  disk_ = folder;
  if (!is_elsewhere) return;
  open_own(workspace());
  reconcile();
}

// The same session once more, from what it has.
void Guest::restart_session() {
  const Session::Options now = session_->options();
  start_session(present_state(), {.workspace_id = now.workspace_id, .stored_as = now.stored_as, .keep = now.keep});
}

// Brings this folder's session in line with the workspace that the config names. What a folder had before it was linked for the
// first time goes along; what belongs to another workspace stays where it is, for when it is linked again.
void Guest::follow_config() {
  end_share();
  if (!session_) {
    load_device();
    spaces_.load();
    return open_own(workspace());
  }
  save();
  const std::string own = session_->workspace_id();
  const std::string& linked = workspace();
  if (linked.empty()) {
    if (const auto space = spaces_.find(own); space && !session_->options().alone) spaces_.share(folder_name(), *space);
  } else if (own == linked) {
    if (session_->options().write_files != writes_files()) restart_session();
  } else if (session_->options().alone && !spaces_.find(linked)) {
    const Journal::Stored state = present_state();
    spaces_.rename(own, linked);
    start_session(state, {.workspace_id = linked});
  } else {
    open_own(linked);
  }
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
// over it, a later call looks again and puts both states together. That costs a dozen reads in each call, so once nothing was found
// the first change is stored at the end of the call that brings it.
void Guest::adopt_late_state() {
  spaces_.load();
  const std::string& linked = workspace();
  Journal late(Space(spaces_.claim(linked.empty() ? session_->stored_as() : linked)));
  if (late.load().empty()) return journal_.wait_no_longer();
  host::log(host::Level::Info, "stored state was found after init");
  const Journal::Stored present = present_state();
  open_own(linked);
  for (const Journal::Update& update : present.updates) absorb(update.doc, update.bytes);
  reconcile();
  if (is_linked()) session_->begin_scan();
}

void Guest::absorb(std::string_view doc, ByteView update, const Origin& origin) {
  if (session_) session_->absorb(doc, update, origin);
}

// --- config and transport -------------------------------------------------------------------------------------------

void Guest::load_config() {
  const auto json = stored_json(Space(), kConfigKey);
  if (!json) return;
  config_found_ = true;
  config_ = Config::from_json(*json);
}

void Guest::load_device() {
  if (const auto json = stored_json(Space(), kDeviceKey)) {
    const auto id = json->string_member("id");
    const auto name = json->string_member("name");
    if (id && !id->empty()) {
      device_ = {std::string(*id), std::string(name.value_or(kDeviceName))};
      device_found_ = true;
      return;
    }
  }
  if (!device_.id.empty()) return;
  device_ = {fresh_bits().hex().substr(0, kDeviceDigits),
             std::string(host::runtime_context().string_member("device_name").value_or(kDeviceName))};
}

// What `init` did not find may only not have been there to be seen yet (A11): it is looked for again before anything is written
// in its place.
void Guest::find_settings() {
  if (!config_found_) {
    Config all = config_;
    load_config();
    all.fill_from(config_);
    const bool is_known = config_found_ && all == config_;
    config_ = std::move(all);
    if (!is_known) save_config();
  }
  if (device_found_) return;
  load_device();
  if (!device_found_) rename_device(device_.name);
}

void Guest::rename_device(std::string_view name) {
  if (device_.id.empty()) load_device();  // before `init`: a name without an id would not be found again
  device_.name = name;
  device_found_ = true;
  const Json stored = Json{}.set("id", device_.id).set("name", device_.name);
  host::storage_set(kDeviceKey, as_bytes(stored.dump()));
}

void Guest::save_config() {
  host::storage_set(kConfigKey, as_bytes(config_.to_json().dump()));
  config_found_ = true;
}

const Config& Guest::config() {
  if (!config_found_ && !session_) load_config();
  return config_;
}

void Guest::change_config(const Config& config) {
  const bool is_other = session_ && config.workspace_id != config_.workspace_id;
  config_ = config;
  save_config();
  if (is_other) follow_config();
  if (is_other && is_linked()) session_->begin_scan();
  reconcile();
}

const std::string& Guest::workspace() {
  static const std::string kNone;
  const std::string& id = config().workspace_id;
  return is_usable_workspace(id) ? id : kNone;
}

Endpoint Guest::endpoint(const Json& params) { return Endpoint::resolve(params, config(), host::runtime_context()); }

// Of no workspace when something is missing for it.
host::Connection Guest::own_line() {
  Endpoint server = endpoint(Json::object());
  if (server.server_url.empty() || server.auth_token.empty() || !is_linked()) return {};
  return {.server_url = std::move(server.server_url),
          .workspace_id = config_.workspace_id,
          .auth_token = std::move(server.auth_token),
          .session_code = {},
          .write_to_disk = write_to_disk_};
}

void Guest::reconcile() {
  const host::Connection line = own_line();
  line.workspace_id.empty() ? disconnect() : connect(line);
}

void Guest::notice_sign_in() {
  const bool is_share = !requested_.session_code.empty();
  if (!is_share && !socket_open_ && own_line() != requested_) reconcile();
}

void Guest::connect(const host::Connection& connection) {
  const bool same = requested_ == connection;
  if (!same) leave_line();
  requested_ = connection;
  const std::string before = std::exchange(transport_problem_, host::ws_connect(connection));
  if (!transport_problem_.empty()) {
    host::log(host::Level::Warn, "[sync_transport] " + transport_problem_);
    if (transport_problem_ != before) host::emit_event(*host_event(sync::Problem{{}, transport_problem_}, 0));
    try_again_at_ = host::now() + kConnectAgain;
  }
  // The same connection again is nothing new to the host, so it will not call `on_connected` for a new session.
  if (same && socket_open_ && session_ && !session_->is_connected()) take_line();
}

void Guest::disconnect() {
  leave_line();
  requested_ = {};
  transport_problem_.clear();
  host::ws_disconnect();
}

void Guest::leave_line() {
  if (is_requested()) left_ = requested_.workspace_id;
  goodbye_due_ = goodbye_due_ || socket_open_;
  socket_open_ = was_open_ = line_taken_ = false;
  if (session_ && session_->is_connected()) session_->disconnected();
}

// For a session that was not told yet. A line that the host opened by itself is all there is.
void Guest::take_line() {
  if (line_taken_ && is_requested()) return renew_line();
  line_taken_ = true;
  session_->connected();
}

void Guest::renew_line() {
  const host::Connection again = requested_;
  disconnect();
  connect(again);
}

// Native hosts let go of a line in their own time, so the greeting of one that was left may still be on its way (A24). A line that
// nobody asked for is one that the host opened by itself.
bool Guest::is_own_line(const std::string& id) {
  if (is_requested()) return id == requested_.workspace_id || id == session_->workspace_id();
  return is_usable_workspace(id) && (id != left_ || id == workspace());
}

void Guest::link(const std::string& workspace_id, const Disk& folder) {
  end_share();
  save();
  const bool is_elsewhere = session_ && folder.root() != disk_.root();
  disk_ = folder;
  (void)config();
  config_.workspace_id = workspace_id;
  save_config();
  write_to_disk_ = true;
  if (is_elsewhere)
    open_own(std::string(workspace_id));
  else
    follow_config();
  session_->begin_scan();
  reconcile();
}

void Guest::unlink() {
  Config unlinked = config();
  unlinked.workspace_id.clear();
  change_config(unlinked);
  save();
}

void Guest::lend_folder(const std::string& workspace_id) {
  left_.clear();
  if (session_ && session_->workspace_id() != workspace_id && !is_linked()) end_share();
  if (is_linked() || !session_ || !session_->options().keep) return open_share(workspace_id, true);
  write_to_disk_ = true;
  if (session_->workspace_id() != workspace_id) {
    save();
    journal_.add_record(sync::kCursorRecord, {});
    start_session(present_state(), {.workspace_id = workspace_id, .stored_as = session_->workspace_id()});
  } else if (session_->options().write_files != writes_files()) {
    restart_session();
  }
  session_->begin_scan();
  if (socket_open_ && requested_.workspace_id == workspace_id) take_line();
}

void Guest::open_share(const std::string& workspace_id, bool write_files) {
  left_.clear();
  write_to_disk_ = write_files;
  if (config().workspace_id == workspace_id) {
    follow_config();
    if (write_files) session_->begin_scan();
  } else if (session_ && session_->is_lent() && session_->workspace_id() == workspace_id) {
    if (session_->options().write_files != writes_files()) restart_session();
  } else {
    save();
    if (session_ && session_->is_connected()) session_->disconnected();
    if (!aside_ && session_ && session_->options().keep) aside_ = std::move(session_);
    load_device();
    start_session({}, {.workspace_id = workspace_id, .keep = false});
  }
  if (socket_open_ && requested_.workspace_id == workspace_id) take_line();
}

// Back to this folder's own session, if another one is open.
void Guest::end_share() {
  if (session_ && session_->is_lent()) {
    if (session_->is_connected()) session_->disconnected();
    journal_.add_record(sync::kCursorRecord, {});
    save();
    open_own({});
  } else if (aside_) {
    session_ = std::move(aside_);
  } else if (session_ && !session_->options().keep) {
    session_.reset();
  }
}

void Guest::close_share() {
  disconnect();
  write_to_disk_ = true;
  end_share();
  if (is_linked()) {
    follow_config();
    session_->begin_scan();
  }
  reconcile();
}

// --- JSON exports ---------------------------------------------------------------------------------------------------

Reply Guest::carry_out(std::string_view command, const Json& params) {
  begin();
  Reply reply = run_command(*this, command, params);
  finish();
  return reply;
}

Outcome Guest::handle_command(std::string_view request) {
  const auto json = parsed(request);
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
  const auto json = parsed(request);
  if (!json) return std::unexpected(json.error());
  const auto name = json->string_member("type");
  if (!name) return std::unexpected("Invalid JSON: the request has no type");
  const Reply reply = carry_out(*name, params_of(*json));
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
  const Reply done = carry_out("set_config", *json);
  if (!done) return std::unexpected(done.error());
  return {};
}

Outcome Guest::on_event(std::string_view event) {
  const auto json = parsed(event);
  if (!json) return std::unexpected(json.error());
  const auto type = json->string_member("event_type");
  const Json* payload = json->find("payload");
  if (!type || !payload || !folder_session()) {
    host::log(host::Level::Warn,
              session_ ? "an event without a type or payload was ignored" : "an event before init was ignored");
    return {};
  }
  begin();
  handle_event(*folder_session(), *type, *payload);
  finish();
  return {};
}

void Guest::handle_event(Session& session, std::string_view type, const Json& payload) {
  const auto path_of = [&](std::string_view member) -> std::string {
    const auto path = payload.string_member(member);
    return path ? disk_.to_workspace(*path) : std::string{};
  };
  if (type == "workspace_opened") {
    Disk folder = disk_;
    if (const auto root = payload.string_member("workspace_root")) folder.set_root(*root);
    open_folder(folder);
    if (is_linked()) start_scan();
  } else if (type == "file_saved" || type == "file_created" || type == "file_deleted") {
    const std::string path = path_of("path");
    if (path.empty()) return;
    // Where reading is denied, web hosts say that nothing is there. Somebody saved it a moment ago, so it is not gone; if it is, the
    // next event says so.
    if (type != "file_deleted" && !disk_.exists(path)) {
      return host::log(host::Level::Warn,
                       path + " was saved but cannot be seen; it is left as it is until it can be read");
    }
    const bool was_known = session.replica().known_hash(path).has_value();
    if (type != "file_deleted" && !was_known) {
      session.expect(path);
      if (const auto from = moved_from(session, disk_, path)) return file_moved(session, *from, path, false);
    }
    session.report(path);
    if (type == "file_deleted" && !was_known) {
      for (const std::string& inside : files_below(session, path)) {
        if (!disk_.exists(inside)) session.report(inside);
      }
    }
    session.settle();
    if (type == "file_deleted" && (disk_.exists(path) ? is_made_here(session, disk_, path) : !was_known))
      delete_entry(session, path);
  } else if (type == "file_moved" || type == "file_renamed") {
    const std::string from = path_of("old_path");
    const std::string to = path_of("new_path");
    // Absolute, and the root was not what it began with.
    const std::string_view there = payload.string_member("new_path").value_or("");
    const bool has_left = there.starts_with('/') && there.substr(1) == to;
    if (!from.empty() && !to.empty()) file_moved(session, from, to, has_left);
  } else if (type == "file_opened") {
    if (const std::string path = path_of("path"); !path.empty()) session.focus({path});
  }
}

// One event names one file or folder, and an index takes its folder along (A47): whoever is known below the old folder and is now
// below the new one moved too. What cannot be seen where it went was moved on, which the next event says, or looking is denied; only
// what left the folder is gone.
void Guest::file_moved(Session& session, const std::string& from, const std::string& to, bool has_left) {
  std::vector<std::pair<std::string, std::string>> moved;
  const bool was_file = session.replica().known_hash(from).has_value();
  const std::vector<std::string> inside = was_file ? std::vector<std::string>{} : files_below(session, from);
  if (inside.empty() && !disk_.exists(from)) moved.emplace_back(from, to);
  const auto follow = [&](const std::vector<std::string>& paths, size_t old_folder, std::string_view new_folder) {
    for (const std::string& path : paths) {
      if (path == from || disk_.exists(path)) continue;
      const std::string there = sync::join(new_folder, path.substr(old_folder + 1));
      if (disk_.exists(there)) moved.emplace_back(path, there);
    }
  };
  follow(inside, from.size(), to);
  const std::string_view old_folder = sync::parent(from);
  const std::string_view new_folder = sync::parent(to);
  if (inside.empty() && !old_folder.empty() && old_folder != new_folder)
    follow(files_below(session, old_folder), old_folder.size(), new_folder);
  for (const auto& [old_path, new_path] : moved) session.feed(sync::FileMoved{old_path, new_path});
  if (moved.empty()) moved.emplace_back(from, to);
  for (const auto& [old_path, new_path] : moved) {
    if (has_left || disk_.exists(new_path)) session.report(new_path);
  }
  session.settle();
}

// --- binary exports -------------------------------------------------------------------------------------------------

BinaryOutcome Guest::on_connected(std::string_view input) {
  unheard_ = true;
  begin();
  greet(Json::parse(input).value_or(Json::object()));
  unheard_ = false;
  return finish_with_envelope();
}

void Guest::greet(const Json& options) {
  const std::string id(options.string_member("workspace_id").value_or(""));
  // Before `init` and after `shutdown` nobody has said which folder this is, and no session may look at whatever is there. `init` finds
  // that the line is open.
  const bool is_named = session_ && !id.empty();
  if (is_named && !is_own_line(id)) {
    return host::log(host::Level::Warn, "a line to another workspace than this one is open; it is ignored");
  }
  if (is_named && session_->workspace_id() != id) {
    const bool write_files = options.bool_member("write_to_disk").value_or(true);
    if (is_linked() || !requested_.session_code.empty()) {
      open_share(id, write_files);
    } else {
      // A host that knows the workspace of this folder by itself.
      write_to_disk_ = write_files;
      end_share();
      save();
      if (!session_) spaces_.load();
      open_own(id);
    }
  }
  socket_open_ = was_open_ = true;
  line_taken_ = false;
  if (online()) take_line();
}

BinaryOutcome Guest::on_disconnected() {
  const bool is_late = std::exchange(goodbye_due_, false) && socket_open_;  // and of a line that was left (A24)
  if (!is_late) socket_open_ = false;
  begin();
  if (is_late) return finish_with_envelope();
  if (online()) {
    session_->disconnected();
    save();
  }
  return finish_with_envelope();
}

// A late goodbye of an old socket may have told us wrongly that there is none (A24).
void Guest::hear_of_line() {
  if (was_open_) socket_open_ = true;
  if (socket_open_ && !session_->is_connected()) take_line();
}

BinaryOutcome Guest::on_binary(ByteView frame) {
  const bool was_unheard = std::exchange(unheard_, true);
  begin();
  if (online()) {
    hear_of_line();
    session_->feed(sync::BinaryReceived{frame});
  }
  unheard_ = was_unheard;
  return finish_with_envelope();
}

BinaryOutcome Guest::on_text(std::string_view text) {
  const bool was_unheard = std::exchange(unheard_, true);
  begin();
  if (online()) {
    hear_of_line();
    session_->hear(text);
  }
  unheard_ = was_unheard;
  if (session_ && session_->wants_snapshot()) fetch_snapshot();
  return finish_with_envelope();
}

// What is on this disk already is not touched. Should the host end the call in here, the next one goes on without the snapshot.
void Guest::fetch_snapshot() {
  session_->work(nullptr);  // what was made here is stored before files are written
  const auto zip = Remote(endpoint(Json::object())).download_snapshot(session_->workspace_id(), true);
  const auto unpacked = zip ? unpack_into(disk_, *zip, true, Present::Kept) : std::unexpected(zip.error().text);
  session_->snapshot_done(unpacked ? std::string()
                                   : "The snapshot of the server was not unpacked: " + unpacked.error());
  start_scan();
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
  const auto json = parsed(input);
  if (!json) return std::unexpected(json.error());
  begin();
  if (session_) session_->focus(paths_param(*this, *json, "file_paths"));
  return finish_with_envelope();
}

}  // namespace diaryx::plugin
