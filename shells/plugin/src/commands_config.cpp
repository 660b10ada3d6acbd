// Settings, panels, the status line, and who this device is.

#include <array>

#include "commands.h"
#include "notices.h"
#include "panels.h"

namespace diaryx::plugin {
namespace {

constexpr size_t kMaxDeviceName = 100;

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

std::string left_to_do(const sync::ReplicaStatus& status) {
  std::string text;
  const auto add = [&text](uint64_t count, std::string_view what) {
    if (count == 0) return;
    if (!text.empty()) text += ", ";
    text.append(what).append(std::to_string(count));
  };
  add(status.waiting_documents, "documents to ask for: ");
  add(status.unsaved_documents, "not yet on the server: ");
  add(status.uploads, "attachments to send: ");
  add(status.downloads, "attachments to fetch: ");
  add(status.pending_writes, "files to write: ");
  return sentence(text);
}

std::string waiting_for_a_person(const sync::ReplicaStatus& status) {
  std::string text;
  if (status.held_outgoing > 0) text = std::to_string(status.held_outgoing) + " files vanished or lost their text here";
  if (status.held_incoming > 0) {
    if (!text.empty()) text += ", ";
    text += std::to_string(status.held_incoming) + " were deleted or lost their text elsewhere";
  }
  return text + ". Say in the History panel whether that was meant.";
}

struct StatusLine {
  const char* state;
  const char* label;
  std::string detail = {};  // empty: there is none
};

StatusLine line_of_session(Guest& guest, const SessionStatus& status) {
  if (status.replica.state == sync::SyncState::Refused) return {"error", "Sync error", status.problem};
  if (!guest.is_open()) {
    if (guest.was_open()) return {"reconnecting", "Reconnecting", status.problem};
    return {"connecting", "Connecting", status.problem};
  }
  const char* const state = status.settled ? "synced" : "syncing";
  if (status.replica.held_outgoing + status.replica.held_incoming > 0)
    return {state, "Changes held", waiting_for_a_person(status.replica)};
  if (status.settled) return {state, "Synced", status.problem};
  return {state, "Syncing", status.problem.empty() ? left_to_do(status.replica) : status.problem};
}

StatusLine status_line(Guest& guest, const Json& params, SessionStatus& status) {
  const Session* session = guest.session();
  if (!session || session->options().alone) {
    if (guest.config().workspace_id != guest.workspace())
      return {"error", "Sync error", std::string(kUnusableWorkspace)};
    return {"idle", "Idle"};
  }
  guest.notice_sign_in();
  if (!guest.is_requested() && !guest.is_open()) return {"idle", "Idle", guest.endpoint(params).missing()};
  if (!guest.transport_problem().empty()) return {"error", "Sync error", guest.transport_problem()};
  status = session->status();
  return line_of_session(guest, status);
}

Reply sync_status(Guest& guest, const Json& params) {
  SessionStatus status;
  const StatusLine line = status_line(guest, params, status);
  // How far it is counts while it goes on.
  const bool is_counted = line.label == std::string_view("Syncing") && status.total > 0;
  return Json{}
      .set("state", line.state)
      .set("label", line.label)
      .set("detail", text_or_null(line.detail))
      .set("progress", is_counted ? Json{}.set("completed", status.completed).set("total", status.total) : Json{});
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

// --- this device ----------------------------------------------------------------------------------------------------

Reply get_device(Guest& guest, const Json&) {
  return Json{}.set("device_id", guest.device().id).set("device_name", guest.device().name);
}

Reply set_device_name(Guest& guest, const Json& params) {
  const auto name = text_param(params, "name");
  if (!name) return refused(name.error());
  const std::string_view text = trimmed(*name);
  if (text.empty() || text.size() > kMaxDeviceName)
    return refused("The name of a device is text of at most 100 bytes.");
  guest.rename_device(text);
  return get_device(guest, params);
}

constexpr std::array kCommands{
    Command{"get_component_html", component_html},
    Command{"get_config", get_config},
    Command{"set_config", set_config, Declared::Yes, Stores::Yes},
    Command{"GetSyncStatus", sync_status},
    Command{"SyncFocusedFileNow", sync_focused_file},
    Command{"GetDevice", get_device},
    Command{"SetDeviceName", set_device_name, Declared::Yes, Stores::Yes},
};

}  // namespace

std::span<const Command> config_commands() { return kCommands; }

}  // namespace diaryx::plugin
