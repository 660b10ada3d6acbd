// One connection and its place at each document it named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/relay_event.h"

namespace diaryx::sync::relay {

/// One connection at one document.
struct Seat {
  enum class State : uint8_t {
    Waiting,    // for authorisation or for the document; payloads are held
    Handshake,  // the manifest was sent; frames are dropped until FilesReady
    Open,
  };
  State state = State::Waiting;
  std::vector<Bytes> held;           // payloads
  uint64_t received = 0;            // update-bearing messages since it opened
  bool told_read_only = false;
  bool told_full = false;
};

/// What the shell answered for one workspace; nothing while the question is out.
struct WorkspaceAccess {
  std::optional<Access> access;
  std::vector<DocId> waiting;  // documents to go on with after the answer, in order of asking
};

struct Connection {
  ConnectionId id;
  Principal principal;
  Handshake handshake = Handshake::Full;
  std::map<std::string, WorkspaceAccess> workspaces;
  std::map<DocId, Seat> seats;
  std::vector<DocId> handshakes;  // seats in state Handshake, oldest first
  size_t held_bytes = 0;          // payloads held, and updates not yet stored
  uint32_t bad_frames = 0;
  bool paused = false;
  bool closing = false;           // a close was asked for: nothing it sends counts any more
};

}  // namespace diaryx::sync::relay
