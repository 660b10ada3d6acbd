// One connection and its place at each document it named.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/relay_event.h"
#include "document_name.h"

namespace diaryx::sync::relay {

/// One connection at one document. Small: a device has one for each note.
struct Seat {
  enum class State : uint8_t {
    Waiting,    // for authorisation or for the document; payloads are held
    Handshake,  // the manifest was sent; frames are dropped until FilesReady
    Open,
  };
  void hold(Bytes payload) {
    if (held == nullptr) held = std::make_unique<std::vector<Bytes>>();
    held->push_back(std::move(payload));
  }
  std::vector<Bytes> take_held() {
    const auto taken = std::exchange(held, nullptr);
    return taken != nullptr ? std::move(*taken) : std::vector<Bytes>();
  }

  std::unique_ptr<std::vector<Bytes>> held;  // payloads; null: none
  uint64_t received = 0;            // update-bearing messages since it opened
  State state = State::Waiting;
  bool approached = false;  // access was granted
  bool told_read_only = false;
  bool told_full = false;
};

/// What the shell answered for one workspace; nothing while the question is out.
struct WorkspaceAccess {
  SharedDocId named_by;  // the document whose id has the workspace's name, the key of this
  std::optional<Access> access = std::nullopt;
  std::vector<SharedDocId> waiting = {};  // documents to go on with after the answer, in order of asking
};

struct Connection {
  ConnectionId id;
  SharedPrincipal principal;
  std::map<std::string_view, WorkspaceAccess> workspaces;  // keys lie in `named_by`
  std::map<SharedDocId, Seat, ById> seats;
  std::vector<SharedDocId> handshakes;  // seats in state Handshake, oldest first
  size_t held_bytes = 0;          // payloads held, and updates not yet stored
  uint32_t bad_frames = 0;
  Handshake handshake = Handshake::Full;
  bool paused = false;
  bool closing = false;           // a close was asked for: nothing it sends counts any more
};

}  // namespace diaryx::sync::relay
