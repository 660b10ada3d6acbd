// The stacks of one undo manager. Private to the engine.
#pragma once

#include <vector>

#include "diaryx/crdt/undo.h"
#include "listeners.h"
#include "store.h"

namespace diaryx::crdt {

struct UndoStep {
  DeleteSet deletions;
  DeleteSet insertions;  // ids that the step made, as ranges
  uint64_t number = 0;  // its name for the application
  Any metadata = {};  // of the application
};

struct UndoState {
  enum class Doing : uint8_t { Nothing, Undo, Redo };

  size_t index = 0;  // of the manager
  std::vector<TypeRef> scope;
  bool whole_document = false;
  DurationMs capture_timeout;
  std::vector<std::string> tags;
  bool track_remote = false;
  bool ignore_remote_map_changes = false;
  std::vector<UndoStep> undo_steps;
  std::vector<UndoStep> redo_steps;

  std::vector<UndoStep>& steps(UndoManager::Stack stack) {
    return stack == UndoManager::Stack::Undo ? undo_steps : redo_steps;
  }

  UndoStep* find(uint64_t number) {
    for (std::vector<UndoStep>* stack : {&undo_steps, &redo_steps}) {
      for (UndoStep& step : *stack) {
        if (step.number == number) return &step;
      }
    }
    return nullptr;
  }

  Doing doing = Doing::Nothing;
  TimestampMs last_change{0};
};

}  // namespace diaryx::crdt
