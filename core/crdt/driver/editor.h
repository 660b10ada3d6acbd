// Operations of test benches, performed on a document exactly as Yjs performs them.
#pragma once

#include <string>
#include <vector>

#include "store.h"

namespace diaryx::crdt::driver {

/// A document and its root types.
class Editor {
 public:
  struct Root {
    std::string kind;
    std::string name;
  };

  Editor(ClientId client, Gc gc)
      : doc_({.client = client, .gc = gc, .emit = Emit::Both, .marks = MarksAfterRemote::CleanUp}),
        store_(DocInternals::store(doc_)) {
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
  /// Updates emitted since the last call, in order.
  std::vector<Bytes> take_updates() { return std::move(updates_); }
  std::vector<Bytes> take_updates_v2() { return std::move(updates_v2_); }
  void note(const Commit& commit);

  /// `{"text:t":{…},…}`; only roots that hold any item when `used_only`.
  Any dump(bool used_only = false) const;

  Doc& doc() { return doc_; }

 private:
  bool run_undo(const std::string& name, const Any& op, std::string& error);
  std::string edit(const Any& op);
  std::string edit_text(const Any& op, TypeRef type);
  std::string edit_list(const Any& op, TypeRef type);
  std::string edit_keys(const Any& op, TypeRef type);
  std::string apply_delta(const Any& delta, TypeRef type);
  std::string resolve(const Any& target, TypeRef& type);
  std::string insert_values(TypeRef type, Gap gap, const Any& values);
  std::string set_key(TypeRef type, std::string_view key, const Any& value);
  std::string fill(TypeRef type, const Any& init);

  Doc doc_;
  Store& store_;
  std::vector<Root> roots_;
  std::optional<UndoManager> undo_;
  std::vector<Bytes> updates_;
  std::vector<Bytes> updates_v2_;
};

}  // namespace diaryx::crdt::driver
