#include "notices.h"

#include "diaryx/base/json.h"
#include "diaryx/sync/path.h"

namespace diaryx::plugin {
namespace {

// Written as text at once: these are small, but for the body of a note, which is copied no more often than it must be.
class EventText {
 public:
  explicit EventText(const char* type) { member("type", type); }
  EventText&& with(const char* name, std::string_view value) && { return std::move(member(name, value)); }
  EventText&& with(const char* name, uint64_t value) && {
    begin(name).append(std::to_string(value));
    return std::move(*this);
  }
  EventText&& with_json(const char* name, std::string_view json) && {
    begin(name).append(json);
    return std::move(*this);
  }
  std::string done() && { return std::move(text_) + '}'; }

 private:
  std::string& begin(const char* name) {
    text_ += text_.empty() ? "{\"" : ",\"";
    return text_.append(name).append("\":");
  }
  EventText& member(const char* name, std::string_view value) {
    append_json_string(begin(name), value);
    return *this;
  }

  std::string text_;
};

std::string quoted(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

struct ForEnvelope {
  uint64_t files;
  EventText operator()(const sync::StatusChanged& status) const {
    return EventText("statusChanged").with_json("status", "{\"state\":" + quoted(state_name(status.state)) + "}");
  }
  EventText operator()(const sync::Progress& progress) const {
    return EventText("progress").with("completed", progress.completed).with("total", progress.total);
  }
  EventText operator()(const sync::FileChanged& file) const {
    return EventText("filesChanged").with_json("files", "[" + quoted(file.path) + "]");
  }
  EventText operator()(const sync::BodyChanged& body) const {
    return EventText("bodyChanged").with("file_path", body.path).with("body", body.body);
  }
  EventText operator()(const sync::Problem& problem) const {
    return EventText("error").with("message", text_of(problem));
  }
  EventText operator()(const sync::PeersChanged& peers) const {
    return EventText(peers.joined ? "peerJoined" : "peerLeft").with("peer_count", peers.peer_count);
  }
  EventText operator()(const sync::Settled&) const { return EventText("syncComplete").with("files_synced", files); }
  EventText operator()(const sync::MassChangeHeld& held) const {
    return EventText("error").with("message", describe_held(held));
  }
};

EventText failure(std::string_view message) {
  return EventText("SyncStatusChanged").with("status", "error").with("error", message);
}

struct ForHost {
  uint64_t files;
  EventText operator()(const sync::StatusChanged& status) const {
    return EventText("SyncStatusChanged").with("status", state_name(status.state));
  }
  EventText operator()(const sync::Progress& progress) const {
    return EventText("SyncProgress").with("completed", progress.completed).with("total", progress.total);
  }
  EventText operator()(const sync::FileChanged& file) const {
    const std::string_view folder = sync::parent(file.path);
    switch (file.change) {
      case sync::FileChange::Created:
        return EventText("FileCreated").with("path", file.path).with("parent_path", folder);
      case sync::FileChange::Removed:
        return EventText("FileDeleted").with("path", file.path).with("parent_path", folder);
      case sync::FileChange::Moved:
        return EventText("FileRenamed").with("old_path", file.from).with("new_path", file.path);
      case sync::FileChange::MetadataChanged:
      case sync::FileChange::Changed: break;
    }
    return EventText("SyncCompleted").with("doc_name", file.path).with("files_synced", 1);
  }
  EventText operator()(const sync::BodyChanged& body) const {
    return EventText("ContentsChanged").with("path", body.path).with("body", body.body);
  }
  EventText operator()(const sync::Problem& problem) const { return failure(text_of(problem)); }
  EventText operator()(const sync::PeersChanged& peers) const {
    return EventText(peers.joined ? "PeerJoined" : "PeerLeft").with("peer_count", peers.peer_count);
  }
  EventText operator()(const sync::MassChangeHeld& held) const { return failure(describe_held(held)); }
  EventText operator()(const sync::Settled&) const {
    return EventText("SyncCompleted").with("doc_name", "").with("files_synced", files);
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
    case sync::SyncState::Refused: return "error";
  }
  return "disconnected";
}

std::string sentence(std::string text) {
  if (text.empty()) return text;
  if (text.front() >= 'a' && text.front() <= 'z') text.front() -= 'a' - 'A';
  if (text.back() != '.') text += '.';
  return text;
}

std::string text_of(const sync::Problem& problem) {
  const std::string said = sentence(problem.message);
  return problem.path.empty() ? said : problem.path + ": " + said;
}

std::string describe_held(const sync::MassChangeHeld& held) {
  if (held.deletions + held.truncations == 0) return "No change is held any more.";
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

std::string envelope_event(const sync::Notice& notice, uint64_t files) {
  return std::visit(ForEnvelope{files}, notice).done();
}

std::optional<std::string> host_event(const sync::Notice& notice, uint64_t files) {
  const auto* held = std::get_if<sync::MassChangeHeld>(&notice);
  if (held != nullptr && held->deletions + held->truncations == 0) return std::nullopt;
  return std::visit(ForHost{files}, notice).done();
}

}  // namespace diaryx::plugin
