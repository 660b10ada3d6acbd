// The handshake of a workspace document: manifest, FilesReady, state. Everything is derived from the document itself, so
// it is never behind it.
#include "diaryx/sync/control.h"
#include "diaryx/sync/metadata.h"
#include "machine.h"
#include "roots.h"

namespace diaryx::sync::relay {

void Machine::make_manifest(Room& room) {
  if (room.manifest != nullptr) return;
  FileManifest manifest;
  const std::string prefix = "body:" + std::string(room.workspace) + "/";
  work_on(room).map(kFilesRoot).for_each([&](std::string_view key, const crdt::Any& value) {
    const std::string* const json = value.as_string();
    if (json == nullptr) return;
    const auto metadata = parse_metadata(*json);
    if (!metadata || metadata->value.deleted) return;
    manifest.files.push_back({.doc_id = prefix + std::string(key),
                              .filename = std::string(key),
                              .title = metadata->value.title,
                              .part_of = metadata->value.part_of,
                              .deleted = false});
  });
  room.live_files = manifest.files.size();
  room.manifest = std::make_shared<const std::string>(format_control(manifest));
}

bool Machine::needs_handshake(const Connection& connection, Room& room) {
  if (room.kind != DocKind::Workspace || connection.handshake != Handshake::Full) return false;
  make_manifest(room);
  return room.live_files > 0 || connection.principal->guest;
}

/// Guests are told what they joined, before anything else about the workspace.
void Machine::send_joined(Connection& connection, Room& room) {
  if (room.kind != DocKind::Workspace || !connection.principal->guest) return;
  const auto access = connection.workspaces.find(room.workspace);
  const bool writes = access != connection.workspaces.end() && access->second.access == Access::ReadWrite;
  const SessionJoined joined{connection.principal->join_code, std::string(room.workspace), !writes};
  send(room, SendText{{connection.id}, std::make_shared<const std::string>(format_control(joined))});
}

void Machine::send_manifest(Connection& connection, Room& room) {
  make_manifest(room);
  send(room, SendText{{connection.id}, room.manifest});
}

void Machine::send_workspace_state(Connection& connection, Room& room) {
  make_manifest(room);
  if (!room.doc.is_empty()) {
    const CrdtState state{room.doc.encode()};
    send(room, SendText{{connection.id}, std::make_shared<const std::string>(format_control(state))});
  }
  const SyncComplete complete{room.live_files};
  send(room, SendText{{connection.id}, std::make_shared<const std::string>(format_control(complete))});
}

void Machine::files_ready(Connection& connection) {
  if (!connection.handshakes.empty()) {
    const SharedDocId document = connection.handshakes.front();
    connection.handshakes.erase(connection.handshakes.begin());
    Room& entered = *room(document->view());
    std::erase(entered.shaking, connection.id);
    send_workspace_state(connection, entered);
    return open_seat(connection, entered, connection.seats.at(document));
  }
  // Nothing is pending: answered all the same, from an open workspace document if there is one; nothing is reopened.
  for (const auto& [workspace, access] : connection.workspaces) {
    const auto seat = connection.seats.find(std::string_view("workspace:" + std::string(workspace)));
    if (seat == connection.seats.end() || seat->second.state != Seat::State::Open) continue;
    Room& open = room_for(seat->first);
    if (open.life != Life::Open) return open.asking.push_back(connection.id);
    return send_workspace_state(connection, open);
  }
  out_->push_back(SendText{{connection.id}, std::make_shared<const std::string>(format_control(SyncComplete{0}))});
}

}  // namespace diaryx::sync::relay
