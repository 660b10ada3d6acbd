// Sync messages for a host that brings its own transport: made, read and answered, one message at a time.
//
// A message that is read here goes into the same documents as one that came over the socket.

#include <algorithm>
#include <array>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/path.h"
#include "document_tools.h"

namespace diaryx::plugin {
namespace {

// --- making messages ------------------------------------------------------------------------------------------------

Reply create_step1(Guest& guest, const std::string& doc, const Json&) {
  return data_reply(step1_message(document_of(*guest.session(), doc).state_vector().encode()));
}

Reply create_workspace_update(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  crdt::StateVector known;
  if (const Json* since = params.find("since_state_vector"); since && !since->is_null()) {
    const auto bytes = bytes_param(params, "since_state_vector");
    if (!bytes) return command_failed(bytes.error());
    const auto vector = crdt::StateVector::decode(*bytes);
    if (!vector) return command_failed(describe(vector.error()));
    known = *vector;
  }
  return data_reply(update_message(document_of(session, kWorkspaceDoc).encode_update_v1(known)));
}

Reply create_update(Guest&, const Json& params) {
  const auto update = bytes_param(params, "update");
  if (!update) return command_failed(update.error());
  return data_reply(update_message(*update));
}

Reply trigger_sync(Guest& guest, const Json&) {
  Session& session = *guest.session();
  if (session.options().alone) return Json{}.set("emitted", false);
  return data_reply(update_message(session.replica().document_state(kWorkspaceDoc))).set("emitted", true);
}

// --- reading messages -----------------------------------------------------------------------------------------------

struct Handled {
  Bytes response;   // empty: nothing to say
  bool got_step2 = false;
  bool changed = false;
};

// Answers every SyncStep1 with what the other side lacks and a SyncStep1 of our own; takes in updates.
std::expected<Handled, std::string> handle_message(Guest& guest, Session& session, const std::string& doc,
                                                   ByteView payload) {
  const auto messages = sync::parse_messages(payload);
  if (!messages) return std::unexpected(describe(messages.error()));
  Handled handled;
  const Bytes before = session.replica().document_state(doc);
  const crdt::Doc document = document_of(before);
  std::vector<ByteView> updates;
  for (const sync::Message& message : *messages) {
    if (const auto* step1 = std::get_if<sync::SyncStep1>(&message)) {
      const auto known = crdt::StateVector::decode(step1->state_vector);
      if (!known) return std::unexpected(describe(known.error()));
      handled.response = step2_message(document.encode_update_v1(*known));
      const Bytes ask = step1_message(document.state_vector().encode());
      handled.response.insert(handled.response.end(), ask.begin(), ask.end());
    } else if (const auto* step2 = std::get_if<sync::SyncStep2>(&message)) {
      updates.push_back(step2->update);
      handled.got_step2 = true;
    } else if (const auto* update = std::get_if<sync::Update>(&message)) {
      updates.push_back(update->update);
    }
  }
  for (const ByteView update : updates) {
    const auto summary = crdt::summarize_update_v1(update);
    if (!summary) return std::unexpected(describe(summary.error()));
    if (summary->is_known(document.state_vector(), document.delete_set())) continue;
    guest.absorb(doc, update, {sync::HistoryOrigin::Remote});
    handled.changed = true;
  }
  return handled;
}

Json response_of(const Handled& handled) {
  return handled.response.empty() ? Json{} : Json{to_base64(handled.response)};
}

Reply handle_workspace_message(Guest& guest, const Json& params) {
  Session& session = *guest.session();
  const auto message = bytes_param(params, "message");
  if (!message) return command_failed(message.error());
  const Effects effects(guest, std::string(kWorkspaceDoc), params);
  const auto handled = handle_message(guest, session, std::string(kWorkspaceDoc), *message);
  if (!handled) return command_failed(handled.error());

  Json changed = Json::array();
  if (handled->changed) {
    for (std::string& path : effects.changed()) changed.push(std::move(path));
    effects.write();
  }
  return Json{}
      .set("response", response_of(*handled))
      .set("changed_files", std::move(changed))
      .set("sync_complete", handled->got_step2);
}

Reply handle_sync_message(Guest& guest, const std::string& doc, const Json& params) {
  Session& session = *guest.session();
  const auto message = bytes_param(params, "message");
  if (!message) return command_failed(message.error());
  const Effects effects(guest, doc, params);
  const auto handled = handle_message(guest, session, doc, *message);
  if (!handled) return command_failed(handled.error());
  if (handled->changed) effects.write();
  if (handled->response.empty()) return Json{};
  return data_reply(handled->response);
}

Reply handle_body_message(Guest& guest, const std::string& doc, const Json& params) {
  Session& session = *guest.session();
  const auto message = bytes_param(params, "message");
  if (!message) return command_failed(message.error());
  const Effects effects(guest, doc, params);
  const auto handled = handle_message(guest, session, doc, *message);
  if (!handled) return command_failed(handled.error());

  Json content;
  bool is_echo = false;
  if (handled->changed) {
    const std::string text = document_of(*guest.session(), doc).text("body").to_string();
    const auto tracked = guest.helper().tracked.find(doc.substr(doc.find(':') + 1));
    is_echo = tracked != guest.helper().tracked.end() && tracked->second == sha256(text);
    content = text;
    effects.write();
  }
  return Json{}.set("response", response_of(*handled)).set("content", std::move(content)).set("is_echo", is_echo);
}

Reply handle_crdt_state(Guest& guest, const Json& params) {
  const auto state = bytes_param(params, "state");
  if (!state) return command_failed(state.error());
  if (const auto valid = crdt::validate_update_v1(*state); !valid) return command_failed(describe(valid.error()));
  guest.absorb(kWorkspaceDoc, *state, {sync::HistoryOrigin::Sync});
  return Json{};
}

Reply create_body_update(Guest& guest, const std::string& doc, const Json& params) {
  const Reply set = run_command(guest, "SetBodyContent", params);
  if (!set) return set;
  return data_reply(update_message(guest.session()->replica().document_state(doc)));
}

// --- how far ---------------------------------------------------------------------------------------------------------

bool is_complete(Guest& guest) { return guest.helper().marked_complete || guest.session()->status().settled; }

Reply completeness(Guest& guest, std::string member) { return Json{}.set(std::move(member), is_complete(guest)); }

Reply is_sync_complete(Guest& guest, const Json&) { return completeness(guest, "complete"); }

Reply is_workspace_synced(Guest& guest, const Json&) { return completeness(guest, "synced"); }

Reply is_body_synced(Guest& guest, const std::string& doc, const Json&) {
  Session& session = *guest.session();
  const std::string path = doc.substr(doc.find(':') + 1);
  return Json{}.set("synced", session.is_connected() && session.replica().file_text(path).has_value());
}

Reply mark_complete(Guest& guest, const Json&) {
  guest.helper().marked_complete = true;
  return Json{};
}

Reply reset_sync(Guest& guest, const Json&) {
  guest.helper() = HelperState{.guest_prefix = guest.helper().guest_prefix};
  return Json{};
}

Reply active_syncs(Guest& guest, const Json&) {
  Json names = Json::array();
  const Session& session = *guest.session();
  if (!session.is_connected()) return names;
  for (const std::string& path : session.replica().text_files()) {
    if (session.replica().file_text(path)) names.push(path);
  }
  return names;
}

// --- echoes and paths -----------------------------------------------------------------------------------------------

Reply track_content(Guest& guest, const Json& params) {
  const auto path = text_param(params, "path");
  const auto content = text_param(params, "content");
  if (!path) return command_failed(path.error());
  if (!content) return command_failed(content.error());
  guest.helper().tracked[guest.disk().to_workspace(*path)] = sha256(*content);
  return Json{};
}

Reply clear_tracked(Guest& guest, const Json& params) {
  const auto path = text_param(params, "path");
  if (!path) return command_failed(path.error());
  guest.helper().tracked.erase(guest.disk().to_workspace(*path));
  return Json{};
}

Reply is_echo(Guest& guest, const Json& params) {
  const auto path = text_param(params, "path");
  const auto content = text_param(params, "content");
  if (!path) return command_failed(path.error());
  if (!content) return command_failed(content.error());
  const auto tracked = guest.helper().tracked.find(guest.disk().to_workspace(*path));
  return Json{}.set("is_echo", tracked != guest.helper().tracked.end() && tracked->second == sha256(*content));
}

Reply configure_handler(Guest& guest, const Json& params) {
  const auto code = params.string_member("guest_join_code");
  const bool prefixed = code && flag_param(params, "uses_opfs", false);
  guest.helper().guest_prefix = prefixed ? "guest/" + std::string(*code) + '/' : std::string{};
  return Json{};
}

Reply storage_path(Guest& guest, const Json& params) {
  const auto path = text_param(params, "canonical_path");
  if (!path) return command_failed(path.error());
  const std::string key = guest.helper().guest_prefix + sync::normalize_key(*path);
  return Json{}.set("path", guest.disk().to_host(key));
}

Reply canonical_path(Guest& guest, const Json& params) {
  const auto path = text_param(params, "storage_path");
  if (!path) return command_failed(path.error());
  std::string key = guest.disk().to_workspace(*path);
  if (const std::string& prefix = guest.helper().guest_prefix; !prefix.empty() && key.starts_with(prefix)) {
    key.erase(0, prefix.size());
  }
  return Json{}.set("path", key);
}

Reply only_named(Guest&, const std::string&, const Json&) { return Json{}; }

constexpr std::array kCommands{
    Command{"CreateWorkspaceUpdate", create_workspace_update},
    Command{"TriggerWorkspaceSync", trigger_sync},
    Command{"CreateWorkspaceSyncStep1", of_workspace<create_step1>},
    Command{"HandleWorkspaceSyncMessage", handle_workspace_message},
    Command{"HandleCrdtState", handle_crdt_state},
    Command{"CreateSyncStep1", of_named<create_step1>},
    Command{"HandleSyncMessage", of_named<handle_sync_message>},
    Command{"CreateUpdateMessage", create_update},
    Command{"InitBodySync", of_body<only_named>},
    Command{"CloseBodySync", of_body<only_named>},
    Command{"HandleBodySyncMessage", of_body<handle_body_message>},
    Command{"CreateBodySyncStep1", of_body<create_step1>},
    Command{"CreateBodyUpdate", of_body<create_body_update>},
    Command{"IsSyncComplete", is_sync_complete},
    Command{"IsWorkspaceSynced", is_workspace_synced},
    Command{"IsBodySynced", of_body<is_body_synced>},
    Command{"MarkSyncComplete", mark_complete},
    Command{"ResetSyncState", reset_sync},
    Command{"GetActiveSyncs", active_syncs},
    Command{"TrackContent", track_content},
    Command{"ClearTrackedContent", clear_tracked},
    Command{"IsEcho", is_echo},
    Command{"ConfigureSyncHandler", configure_handler},
    Command{"GetStoragePath", storage_path},
    Command{"GetCanonicalPath", canonical_path},
};

}  // namespace

std::span<const Command> protocol_commands() { return kCommands; }

}  // namespace diaryx::plugin
