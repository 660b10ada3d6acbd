// What a commit tells those who observe: which types changed, where they lie, and how.
//
//     const Observer notes = doc.observe_deep(doc.map("notes"));
//     const Commit commit = ...;
//     for (const Notice& notice : commit.notices()) {
//       for (const Event& event : notice.events) show(event.path, event.delta, event.keys);
//     }
//
// The notices, and the events in each, come in the order in which Yjs calls observers. Nothing is ever called here.
// Source: Yjs 13.6 src/utils/YEvent.js, Transaction.js, and YTextEvent in src/types/YText.js; docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/crdt/value.h"

namespace diaryx::crdt {

/// A handle: cheap to copy, valid as long as the Doc. Stands for one registration, which lasts until `stop()` or the Doc ends.
class Observer {
 public:
  /// Nothing is told from the next commit on. Stopping twice does nothing.
  void stop();
  friend bool operator==(const Observer&, const Observer&) = default;

 private:
  friend class Store;
  Observer(Store* store, uint32_t number) : store_(store), number_(number) {}

  Store* store_;  // owned by the Doc
  uint32_t number_;
};

/// One step of a delta: from the old content to the new, from left to right.
struct DeltaOp {
  enum class Kind : uint8_t { Retain, Insert, Delete };

  Kind kind = Kind::Retain;
  Length length{0};  ///< in UTF-16 units of a text, in elements of a list
  std::string text;  ///< Insert in a text: what was inserted, unless it is an embed
  std::vector<Value> values;  ///< Insert in a list: its elements. In a text: one embedded value or type
  /// In a text. Insert: what the new content has. Retain: what changed for the old content; null means it was taken away.
  Attributes attributes;
};
using Delta = std::vector<DeltaOp>;

/// What happened to one key of a map, or to one attribute.
struct KeyChange {
  enum class Action : uint8_t { Add, Update, Delete };

  std::string key;
  Action action = Action::Add;
  /// The value before the transaction; nothing for Add. A type is a handle that is not live any more.
  std::optional<Value> old_value;
};

/// A key, or an index in a list: visible elements left of it, after the transaction.
using PathStep = std::variant<uint32_t, std::string>;

/// How one type changed in one transaction. Both lists may be empty: what was inserted and deleted again is a change as well.
struct Event {
  Shared target;
  std::vector<PathStep> path;  ///< from the observed type to `target`; empty when they are the same
  Delta delta;  ///< the list or text; a last Retain that changes nothing is left out
  std::vector<KeyChange> keys;  ///< map entries or attributes, in order of first change
};

/// What one observer is told of one transaction: one event from `observe`, any number from `observe_deep`, targets with short
/// paths first. Owns its data; the handles in it are valid as long as the Doc.
struct Notice {
  Observer observer;
  Shared observed;
  std::vector<Event> events;
};

/// Subdocuments that came, went, or are wanted from now on: what Yjs tells in its `subdocs` event. What comes and goes in one
/// transaction is in none of the first two.
struct SubdocumentChanges {
  std::vector<Subdocument> added;
  std::vector<Subdocument> removed;
  std::vector<Subdocument> loaded;  ///< make or fetch a Doc for each
};

/// What happened to the stacks of an undo manager.
struct UndoEvent {
  enum class Kind : uint8_t { StepAdded, StepExtended, StepUsed, Cleared };
  enum class Stack : uint8_t { Undo, Redo };

  size_t manager = 0;  ///< UndoManager::number()
  Kind kind = Kind::StepAdded;
  Stack stack = Stack::Undo;
  uint64_t step = 0;  ///< names the step as long as it lives; 0 for Cleared
  Any metadata;  ///< StepUsed: what was attached to the step
};

}  // namespace diaryx::crdt
