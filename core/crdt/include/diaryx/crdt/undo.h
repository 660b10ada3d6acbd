// Undo and redo of what this replica did, without touching what others did meanwhile.
//
// Source: Yjs 13.6 src/utils/UndoManager.js; docs/protocol.md.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/crdt/transaction.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

struct UndoOptions {
  std::vector<std::string> roots;  ///< what is tracked: changes of these root types and of everything in them
  std::vector<Shared> types;  ///< the same for types of any kind, at any depth
  bool whole_document = false;  ///< track everything
  DurationMs capture_timeout{500};  ///< changes closer to each other than this are undone together
  std::vector<std::string> tags = {""};  ///< transactions with one of these tags are tracked
  bool track_remote = false;  ///< also undo what arrived as updates, as Yjs does when applyUpdate gets no origin
  bool ignore_remote_map_changes = false;  ///< undo a map value even if another replica set the key since
};

/// Something that undoing (redoing) an insertion is about to delete.
struct UndoDeletion {
  Id id;
  Length length{1};  ///< units
  Shared parent;
  std::optional<std::string> key;  ///< when it is a map entry or attribute
  std::optional<Shared> type;  ///< when it is a shared type
};

/// A handle: cheap to copy, valid as long as the Doc, which owns the stacks. What was deleted and may come back is not collected.
///
/// A step holds what one transaction (or several in a row, see `capture_timeout`) deleted and inserted. Transactions that are
/// captured: those with one of the tags, local unless `track_remote`, that changed something in the scope, and were not left out
/// by `Transaction::leave_out_of_undo`. What became of the stacks stands in `Commit::undo_events`. Unlike in Yjs, a transaction
/// that changed nothing makes no step when the scope is the whole document.
///
///     UndoManager undo = doc.track_undo({.roots = {"body"}});
///     ...
///     if (const Commit commit = undo.undo(); commit.changed()) send(commit.update_v1());
class UndoManager {
 public:
  using Stack = UndoEvent::Stack;

  /// Undoes (redoes) the last change that still has an effect, as a transaction of its own. Nothing may be open.
  /// Returns what changed; nothing when the stack has no such change.
  Commit undo() { return run(Stack::Undo, {}); }
  Commit redo() { return run(Stack::Redo, {}); }
  /// The same, sparing some of what would be deleted (Yjs: `deleteFilter`): `may_delete(const UndoDeletion&)` is asked during the
  /// call for each item, what was inserted last first, and must not touch the document. E.g. a type that has content by now.
  template <typename MayDelete>
  Commit undo(MayDelete&& may_delete) {
    return run(Stack::Undo, filter(may_delete));
  }
  template <typename MayDelete>
  Commit redo(MayDelete&& may_delete) {
    return run(Stack::Redo, filter(may_delete));
  }
  bool can_undo() const;
  bool can_redo() const;

  /// Names of the steps, oldest first.
  std::vector<uint64_t> steps(Stack stack) const;
  /// Attaches something to a step, e.g. where the cursor stood; given back when the step is used. False if the step is gone.
  bool set_metadata(uint64_t step, Any metadata);
  /// What is attached; undefined if nothing is, or the step is gone.
  Any metadata(uint64_t step) const;

  /// Tracks one more type, from now on.
  void add_to_scope(const Shared& type);
  /// Tracks transactions with one more tag, or not any longer.
  void add_tag(std::string_view tag);
  void remove_tag(std::string_view tag);

  /// The next change starts a step of its own, whatever the time.
  void stop_capturing();
  /// Forgets both stacks; what they kept may be collected by later transactions that touch it. Nothing may be open.
  /// Returns what happened to the stacks; nothing in the document changes.
  Commit clear();
  /// Forgets both stacks and tracks nothing from now on; handles of this manager do nothing any more. Nothing may be open.
  void stop();

  /// Which manager of its document this is: `UndoEvent::manager`.
  size_t number() const { return index_; }

 private:
  friend class Doc;
  friend class Store;
  UndoManager(Store* store, size_t index) : store_(store), index_(index) {}

  /// A predicate of the caller, for the length of one call.
  struct Filter {
    const void* predicate = nullptr;
    bool (*ask)(const void* predicate, const UndoDeletion& deletion) = nullptr;
  };
  template <typename MayDelete>
  static Filter filter(MayDelete& may_delete) {
    return {std::addressof(may_delete), [](const void* predicate, const UndoDeletion& deletion) -> bool {
              return (*static_cast<MayDelete*>(const_cast<void*>(predicate)))(deletion);
            }};
  }
  Commit run(Stack stack, Filter filter);

  Store* store_;  // owned by the Doc
  size_t index_;
};

}  // namespace diaryx::crdt
