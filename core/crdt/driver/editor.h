// Operations of test benches, performed on a document through the public headers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt::driver {

/// A document and its root types.
class Editor {
 public:
  struct Root {
    std::string kind;
    std::string name;
  };

  /// Cleans up marks and splits characters as Yjs does, so that the bytes can be compared.
  Editor(ClientId client, Gc gc)
      : doc_({.client = client,
              .gc = gc,
              .emit = Emit::Both,
              .marks = MarksAfterRemote::CleanUp,
              .pairs = SurrogatePairs::Split,
              .waiting = WaitingUpdates::AsYjs}) {
    doc_.set_now(TimestampMs{1});
  }

  /// False if the kind is unknown.
  bool declare(const std::string& kind, const std::string& name);
  /// Performs one operation. Returns an empty string, or a sentence saying why it cannot be done.
  std::string run(const Any& op);
  /// Tracks undo from now on; without a scope in `request`, over all roots. Returns as `run`.
  std::string track_undo(const Any& request);
  /// Over all roots, unless undo is tracked already.
  void track_undo_once() {
    if (!undo_) (void)track_undo({});
  }
  /// Observes all roots, deep, from now on.
  void observe();
  bool is_observing() const { return !observers_.empty(); }
  /// Updates emitted since the last call, in order.
  std::vector<Bytes> take_updates() { return std::move(updates_); }
  std::vector<Bytes> take_updates_v2() { return std::move(updates_v2_); }
  /// Events since the last call, in the order in which Yjs would call observers.
  Any::Array take_events() { return std::move(events_); }
  /// What undo managers did to their stacks since the last call, as `undo added`, `redo cleared` and so on.
  Any::Array take_stack_events() { return std::move(stack_events_); }
  /// Drops what the takers would give: it belongs to an operation that was refused halfway.
  void forget_changes() {
    (void)take_updates();
    (void)take_updates_v2();
    (void)take_events();
    (void)take_stack_events();
  }
  void note(const Commit& commit);

  /// `{"text:t":{…},…}`; only roots that hold any item when `used_only`.
  Any dump(bool used_only = false);

  Doc& doc() { return doc_; }

 private:
  std::optional<Shared> root(const std::string& kind, const std::string& name);
  bool run_undo(const std::string& name, const Any& op, std::string& error);
  std::string edit(Transaction& txn, const Any& op);
  std::string edit_text(Transaction& txn, const Any& op, Text text);
  std::string apply_delta(Transaction& txn, const Any& delta, Text text);
  std::string edit_keys(Transaction& txn, const Any& op, const Shared& target);
  std::string resolve(const Any& target, std::optional<Shared>& found);

  Doc doc_;
  std::vector<Root> roots_;
  std::optional<UndoManager> undo_;
  std::vector<std::pair<Observer, std::string>> observers_;  // and the root, "kind:name"
  std::vector<Bytes> updates_;
  std::vector<Bytes> updates_v2_;
  Any::Array events_;
  Any::Array stack_events_;
};

}  // namespace diaryx::crdt::driver
