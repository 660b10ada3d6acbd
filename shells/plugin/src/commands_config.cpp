// Settings, panels and the status line.

#include <array>

#include "commands.h"
#include "notices.h"
#include "panels.h"

namespace diaryx::plugin {
namespace {

Reply component_html(Guest&, const Json& params) {
  const auto id = text_param(params, "component_id");
  if (!id) return refused(id.error());
  if (*id == "sync.snapshots") return Json{snapshots_panel()};
  if (*id == "sync.history") return Json{history_panel()};
  return refused("Unknown sync component: " + *id);
}

Reply get_config(Guest& guest, const Json&) { return guest.config().to_public_json(); }

Reply set_config(Guest& guest, const Json& params) {
  Config config = guest.config();
  config.patch(params);
  const std::string& id = config.workspace_id;
  if (!id.empty() && id != guest.config().workspace_id && !is_usable_workspace(id)) return refused(kUnusableWorkspace);
  guest.change_config(config);
  return Json{};
}

Json status_line(const char* state, const char* label, Json detail = {}, Json progress = {}) {
  return Json{}
      .set("state", state)
      .set("label", label)
      .set("detail", std::move(detail))
      .set("progress", std::move(progress));
}

// Counts what is left, when the replica has not told how far it is.
Json progress_of(const SessionStatus& status) {
  if (status.total > 0) return Json{}.set("completed", status.completed).set("total", status.total);
  return {};
}

std::string left_to_do(const sync::ReplicaStatus& status) {
  std::string text;
  const auto add = [&text](uint64_t count, std::string_view what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text.append(std::to_string(count)).append(" ").append(what);
  };
  add(status.waiting_documents, "documents to ask for");
  add(status.unsaved_documents, "not yet stored on the server");
  add(status.uploads, "attachments to send");
  add(status.downloads, "attachments to fetch");
  add(status.pending_writes, "files to write");
  return text;
}

std::string waiting_for_a_person(const sync::ReplicaStatus& status) {
  std::string text;
  if (status.held_outgoing > 0) text = std::to_string(status.held_outgoing) + " files vanished or lost their text here";
  if (status.held_incoming > 0) {
    if (!text.empty()) text += ", ";
    text += std::to_string(status.held_incoming) + " were deleted or lost their text elsewhere";
  }
  return text + "; say in the History panel whether that was meant";
}

Reply sync_status(Guest& guest, const Json& params) {
  Session* session = guest.session();
  if (!session || session->options().alone) {
    if (guest.config().workspace_id != guest.workspace()) return status_line("error", "Sync error", kUnusableWorkspace);
    return status_line("idle", "Idle");
  }
  guest.notice_sign_in();
  if (!guest.is_requested() && !guest.is_open()) return status_line("idle", "Idle", guest.endpoint(params).missing());
  if (!guest.transport_problem().empty()) return status_line("error", "Sync error", guest.transport_problem());
  const SessionStatus status = session->status();
  const Json problem = status.problem.empty() ? Json{} : Json{status.problem};
  if (status.replica.state == sync::SyncState::Refused) return status_line("error", "Sync error", problem);
  if (!guest.is_open()) {
    if (guest.was_open()) return status_line("reconnecting", "Reconnecting", problem);
    return status_line("connecting", "Connecting", problem);
  }
  if (status.replica.held_outgoing + status.replica.held_incoming > 0)
    return status_line(status.settled ? "synced" : "syncing", "Changes held", waiting_for_a_person(status.replica));
  if (status.settled) return status_line("synced", "Synced", problem);
  return status_line("syncing", "Syncing", problem.is_null() ? Json{left_to_do(status.replica)} : problem,
                     progress_of(status));
}

Reply sync_focused_file(Guest& guest, const Json& params) {
  Session* session = guest.folder_session();
  if (!session) return Json{};
  std::vector<std::string> paths = paths_param(guest, params, "file_paths");
  if (const auto path = params.string_member("path")) paths.push_back(guest.disk().to_workspace(*path));
  if (paths.empty()) paths = session->focused();
  if (paths.empty()) return Json{};
  // What cannot be seen may be denied; that it is deleted is said by events.
  for (const std::string& path : paths) {
    if (guest.disk().exists(path)) session->report(path);
  }
  session->settle();
  session->focus(std::move(paths));
  return Json{};
}

constexpr std::array kCommands{
    Command{"get_component_html", component_html},
    Command{"get_config", get_config},
    Command{"set_config", set_config, Declared::Yes, Stores::Yes},
    Command{"GetSyncStatus", sync_status},
    Command{"SyncFocusedFileNow", sync_focused_file},
};

}  // namespace

std::span<const Command> config_commands() { return kCommands; }

}  // namespace diaryx::plugin
