// Undo and redo of what this replica did, without touching what others did meanwhile.
//
// Source: Yjs 13.6 src/utils/UndoManager.js; docs/protocol.md.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/crdt/transaction.h"

namespace diaryx::crdt {

struct UndoOptions {
  std::vector<std::string> roots;  ///< what is tracked: changes of these root types and of everything in them
  DurationMs capture_timeout{500};  ///< changes closer to each other than this are undone together
  std::vector<std::string> tags = {""};  ///< transactions with one of these tags are tracked
  bool track_remote = false;  ///< also undo what arrived as updates, as Yjs does when applyUpdate gets no origin
  bool ignore_remote_map_changes = false;  ///< undo a map value even if another replica set the key since
};

/// A handle: cheap to copy, valid as long as the Doc, which owns the stacks. What was deleted and may come back is not collected.
///
///     UndoManager undo = doc.track_undo({.roots = {"body"}});
///     ...
///     if (const Commit commit = undo.undo(); commit.changed()) send(commit.update_v1());
class UndoManager {
 public:
  /// Undoes (redoes) the last change that still has an effect, as a transaction of its own. Nothing may be open.
  /// Returns what changed; nothing when the stack has no such change.
  Commit undo();
  Commit redo();
  bool can_undo() const;
  bool can_redo() const;

  /// The next change starts a step of its own, whatever the time.
  void stop_capturing();
  /// Forgets both stacks; what they kept may be collected by later transactions that touch it.
  void clear();

 private:
  friend class Doc;
  friend class Store;
  UndoManager(Store* store, size_t index) : store_(store), index_(index) {}

  Store* store_;  // owned by the Doc
  size_t index_;
};

}  // namespace diaryx::crdt
