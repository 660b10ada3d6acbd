#include "notices.h"

#include "diaryx/sync/path.h"

namespace diaryx::plugin {
namespace {

Json tagged(std::string_view type) { return Json{}.set("type", type); }

Json list_of(std::string_view one) { return Json::array().push(one); }

struct ForEnvelope {
  Json operator()(const sync::StatusChanged& status) const {
    return tagged("statusChanged").set("status", Json{}.set("state", state_name(status.state)));
  }
  Json operator()(const sync::Progress& progress) const {
    return tagged("progress").set("completed", progress.completed).set("total", progress.total);
  }
  Json operator()(const sync::FileChanged& file) const {
    return tagged("filesChanged").set("files", list_of(file.path));
  }
  Json operator()(const sync::BodyChanged& body) const {
    return tagged("bodyChanged").set("file_path", body.path).set("body", body.body);
  }
  Json operator()(const sync::Problem& problem) const { return tagged("error").set("message", problem.message); }
  Json operator()(const sync::PeersChanged& peers) const {
    return tagged(peers.joined ? "peerJoined" : "peerLeft").set("peer_count", peers.peer_count);
  }
  Json operator()(const sync::Settled&) const { return tagged("syncComplete").set("files_synced", 0); }
  Json operator()(const sync::MassChangeHeld& held) const {
    return tagged("error").set("message", describe_held(held));
  }
};

struct ForHost {
  std::optional<Json> operator()(const sync::StatusChanged& status) const {
    return tagged("SyncStatusChanged").set("status", state_name(status.state));
  }
  std::optional<Json> operator()(const sync::Progress& progress) const {
    return tagged("SyncProgress").set("completed", progress.completed).set("total", progress.total);
  }
  std::optional<Json> operator()(const sync::FileChanged& file) const {
    const std::string folder(sync::parent(file.path));
    switch (file.change) {
      case sync::FileChange::Created: return tagged("FileCreated").set("path", file.path).set("parent_path", folder);
      case sync::FileChange::Removed: return tagged("FileDeleted").set("path", file.path).set("parent_path", folder);
      case sync::FileChange::Moved: return tagged("FileRenamed").set("old_path", file.from).set("new_path", file.path);
      case sync::FileChange::MetadataChanged:
      case sync::FileChange::Changed: return tagged("SyncCompleted").set("doc_name", file.path).set("files_synced", 1);
    }
    return std::nullopt;
  }
  std::optional<Json> operator()(const sync::BodyChanged& body) const {
    return tagged("ContentsChanged").set("path", body.path).set("body", body.body);
  }
  std::optional<Json> operator()(const sync::Problem& problem) const {
    return tagged("SyncStatusChanged").set("status", "error").set("error", problem.message);
  }
  std::optional<Json> operator()(const sync::PeersChanged& peers) const {
    return tagged(peers.joined ? "PeerJoined" : "PeerLeft").set("peer_count", peers.peer_count);
  }
  std::optional<Json> operator()(const sync::MassChangeHeld& held) const {
    if (held.deletions + held.truncations == 0) return std::nullopt;
    return tagged("SyncStatusChanged").set("status", "error").set("error", describe_held(held));
  }
  std::optional<Json> operator()(const sync::Settled&) const {
    return tagged("SyncCompleted").set("doc_name", "").set("files_synced", 0);
  }
};

}  // namespace

std::string_view state_name(sync::SyncState state) {
  switch (state) {
    case sync::SyncState::Disconnected: return "disconnected";
    case sync::SyncState::Connecting: return "connecting";
    case sync::SyncState::Connected: return "connected";
    case sync::SyncState::Syncing: return "syncing";
    case sync::SyncState::Synced: return "synced";
    case sync::SyncState::Reconnecting: return "reconnecting";
  }
  return "disconnected";
}

std::string describe_held(const sync::MassChangeHeld& held) {
  if (held.deletions + held.truncations == 0) return "no change is held any more";
  const bool here = held.direction == sync::HeldChange::Direction::Outgoing;
  std::string what;
  if (held.deletions > 0) {
    what = std::to_string(held.deletions) + " of " + std::to_string(held.files) +
           (here ? " files are missing here" : " files were deleted on another device");
  }
  if (held.truncations > 0) {
    if (!what.empty()) what += " and ";
    what += std::to_string(held.truncations) + (here ? " have lost their text here" : " lost their text there");
  }
  return what + (here ? "; nothing was deleted elsewhere" : "; nothing was deleted here") +
         ". Say in the History panel whether that was meant.";
}

Json envelope_event(const sync::Notice& notice) { return std::visit(ForEnvelope{}, notice); }

std::optional<Json> host_event(const sync::Notice& notice) { return std::visit(ForHost{}, notice); }

}  // namespace diaryx::plugin
