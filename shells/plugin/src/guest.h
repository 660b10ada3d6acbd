// The plugin: what each export does, and the state that lives between exports.
//
// Invariants
//  1. `manifest` touches no state and calls no host function. `shutdown` before `init` writes nothing.
//  2. Every export that may change something begins with `begin` and ends with `finish`: whatever the call caused is
//     stored, sent and written before the host gets its answer, commands included (A8).
//  3. A socket belongs to the guest, not to a session: a session that is made while the socket is open is told so (A4), and gets another
//     one if a session was told of this one before: the server has greeted that, and counts what it sent.
#pragma once

#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "config.h"
#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"
#include "disk.h"
#include "host.h"
#include "journal.h"
#include "session.h"
#include "spaces.h"

namespace diaryx::plugin {

/// Output of an export, or the text of its error.
using Outcome = std::expected<std::string, std::string>;
using BinaryOutcome = std::expected<Bytes, std::string>;
/// Result of a command, or the text of its error.
using Reply = std::expected<Json, std::string>;

/// A request of the host as JSON, or the text of its error.
std::expected<Json, std::string> parse_request(std::string_view text);

/// The phrase that hosts look for.
inline constexpr std::string_view kNotInitialized = "Plugin state not initialized";

/// What the protocol commands remember for a host that has a transport of its own.
struct HelperState {
  std::map<std::string, Sha256> tracked;  // last content the host wrote, by path
  bool marked_complete = false;
  std::string guest_prefix;  // `guest/<code>/` in front of storage paths, or empty
};

class Guest {
 public:
  // --- exports ----------------------------------------------------------------------------------------------------

  std::string manifest() const;
  Outcome init(std::string_view input);
  Outcome shutdown();
  Outcome handle_command(std::string_view request);
  Outcome execute_typed_command(std::string_view request);
  Outcome component_html(std::string_view request);
  Outcome on_event(std::string_view event);
  Outcome get_config();
  Outcome set_config(std::string_view patch);
  BinaryOutcome on_binary(ByteView frame);
  BinaryOutcome on_text(std::string_view text);
  BinaryOutcome on_connected(std::string_view input);
  BinaryOutcome on_disconnected();
  BinaryOutcome queue_local_update(std::string_view input);
  BinaryOutcome on_snapshot_imported();
  BinaryOutcome sync_body_files(std::string_view input);

  // --- for commands -----------------------------------------------------------------------------------------------

  /// Null before `init`.
  Session* session() { return session_.get(); }
  /// The session whose files are in this folder; null when there is none, or when it is a guest that writes none.
  Session* folder_session();
  const Disk& disk() const { return disk_; }
  /// The files are in this folder from now on. Another one has a session of its own: what is known of files is true of one folder.
  void open_folder(const Disk& folder);
  const Config& config();
  /// Stores the changed config and brings the socket in line with it.
  void change_config(const Config& config);
  /// Server and token for a command.
  Endpoint endpoint(const Json& params);
  /// Stores the link of a folder, starts the session of that workspace and connects.
  void link(const std::string& workspace_id, const Disk& folder);
  void unlink();
  /// Shares what is in this folder. One that is linked to nothing lends its documents: they are the same before, in and after the
  /// share, so that no text is twice in it.
  void lend_folder(const std::string& workspace_id);
  /// The session for a shared workspace. That of this folder is put aside meanwhile, unless it is the one that is shared.
  void open_share(const std::string& workspace_id, bool write_files);
  void close_share();
  void connect(const host::Connection& connection);
  void disconnect();
  /// Brings the socket in line with the config.
  void reconcile();
  /// The same where the host's context changed, which no event tells: somebody signed in, out, or anew while no line is open. A line that
  /// is asked for already is not asked for again, since that would end the host's wait between two attempts.
  void notice_sign_in();
  /// What this folder is linked to: empty for nothing, and for an id that no document can have.
  const std::string& workspace();
  bool is_linked() { return !workspace().empty(); }
  /// Whether the host was asked to keep a socket open.
  bool is_requested() const { return !requested_.workspace_id.empty(); }
  bool is_open() const { return socket_open_; }
  bool was_open() const { return was_open_; }
  const std::string& transport_problem() const { return transport_problem_; }
  /// Puts an update that was made here into a document: stored, and sent when there is a connection.
  void absorb(std::string_view doc, ByteView update, const Origin& origin = {});
  /// Stores whole states now.
  void save();
  void start_scan();
  HelperState& helper() { return helper_; }
  Journal& journal() { return journal_; }
  /// Who this device is in the history of all devices.
  const sync::HistoryDevice& device() const { return device_; }
  void rename_device(std::string_view name);

 private:
  Reply carry_out(std::string_view command, const Json& params);
  void begin();
  void finish();
  Bytes finish_with_envelope();
  void load_config();
  void load_device();
  void use_journal(uint64_t space);
  void save_config();
  void find_settings();
  std::string folder_name() const;
  host::Connection own_line();
  void leave_line();
  void take_line();
  void renew_line();
  bool is_own_line(const std::string& id);
  /// Whether files are written: the host wants that, and has said where.
  bool writes_files() const { return write_to_disk_ && disk_.has_root(); }
  void start_session(const Journal::Stored& stored, Session::Options options);
  void open_own(std::string id);
  void note_folder(Journal::Stored& stored);
  void follow_config();
  void restart_session();
  void end_share();
  Session* online();
  Journal::Stored present_state() const;
  void adopt_late_state();
  void greet(const Json& options);
  void hear_of_line();
  void fetch_snapshot();
  void handle_event(Session& session, std::string_view type, const Json& payload);
  void file_moved(Session& session, const std::string& from, const std::string& to, bool has_left);

  Config config_;
  sync::HistoryDevice device_;
  bool config_found_ = false;  // false: what is stored was not seen yet, nor written
  bool device_found_ = false;  // the same
  Disk disk_;
  Spaces spaces_;
  Journal journal_;  // of this folder's own session
  std::unique_ptr<Session> session_;
  std::unique_ptr<Session> aside_;  // this folder's own, while `session_` is a guest elsewhere
  bool write_to_disk_ = true;
  host::Connection requested_;  // what the host was asked to keep open; of no workspace: nothing
  std::string left_;  // the workspace of the line that it was asked to close last
  bool socket_open_ = false;
  bool was_open_ = false;  // since it was requested
  bool line_taken_ = false;  // a session was told of it
  bool unheard_ =
      false;  // the socket told of something once, and the host ended that export: another line tells it all again
  bool goodbye_due_ = false;  // perhaps: native hosts say it of a line that they were asked to close, too
  std::string transport_problem_;
  TimestampMs try_again_at_;  // where no line is open by then
  HelperState helper_;
};

}  // namespace diaryx::plugin
