// The line to the server: what the host is asked to keep open, and what it tells of it.
#include "guest.h"

#include <utility>

#include "notices.h"
#include "snapshot.h"

namespace diaryx::plugin {
namespace {

constexpr DurationMs kConnectAgain{30'000};  // after the host refused
// Hosts try again after half a minute at the latest, and say how it went. One that is silent for so long does not try any more, or
// has a line that it told of when nobody could hear.
constexpr DurationMs kSilence{120'000};

}  // namespace

Session* Guest::online() { return session_ && !session_->options().alone ? session_.get() : nullptr; }

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
  }
  try_again_at_ = host::now() + (transport_problem_.empty() ? kSilence : kConnectAgain);
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
  unheard_ = true;  // native hosts never call again after an error in here
  begin();
  if (session_) try_again_at_ = session_->now() + kSilence;
  if (!is_late && online()) {
    session_->disconnected();
    save();
  }
  unheard_ = false;
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

}  // namespace diaryx::plugin
