// The stacks of one undo manager. Private to the engine.
#pragma once

#include <vector>

#include "diaryx/crdt/undo.h"
#include "store.h"

namespace diaryx::crdt {

struct UndoStep {
  DeleteSet deletions;
  DeleteSet insertions;  // ids that the step made, as ranges
};

struct UndoState {
  enum class Doing : uint8_t { Nothing, Undo, Redo };

  std::vector<TypeRef> scope;
  DurationMs capture_timeout;
  std::vector<std::string> tags;
  bool track_remote = false;
  bool ignore_remote_map_changes = false;
  std::vector<UndoStep> undo_steps;
  std::vector<UndoStep> redo_steps;
  Doing doing = Doing::Nothing;
  TimestampMs last_change{0};
};

}  // namespace diaryx::crdt
