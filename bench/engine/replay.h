// Edits as an editor makes them, shared by the native programs and the wasm module.
#pragma once

#include <span>

#include "diaryx/crdt/doc.h"
#include "input.h"

namespace diaryx::bench {

/// Deletes and inserts in one open transaction. False when the engine refuses an edit.
inline bool edit(crdt::Transaction& txn, crdt::Text& text, const Patch& patch) {
  if (patch.deleted != 0 && !text.erase(txn, Utf16Offset{patch.position}, Length{patch.deleted})) return false;
  return patch.inserted.empty() || text.insert(txn, Utf16Offset{patch.position}, patch.inserted).has_value();
}

/// Every edit in a transaction of its own; `on_commit(Commit&&)` sees each.
template <typename OnCommit>
bool replay_each(crdt::Doc& doc, std::span<const Patch> patches, OnCommit&& on_commit) {
  crdt::Text text = doc.text("t");
  for (const Patch& patch : patches) {
    if (patch.deleted != 0) {
      crdt::Transaction txn = doc.transact();
      if (!text.erase(txn, Utf16Offset{patch.position}, Length{patch.deleted})) return false;
      on_commit(std::move(txn).commit());
    }
    if (!patch.inserted.empty()) {
      crdt::Transaction txn = doc.transact();
      if (!text.insert(txn, Utf16Offset{patch.position}, patch.inserted)) return false;
      on_commit(std::move(txn).commit());
    }
  }
  return true;
}

/// All edits in one transaction.
inline bool replay_in_one(crdt::Doc& doc, std::span<const Patch> patches) {
  crdt::Text text = doc.text("t");
  crdt::Transaction txn = doc.transact();
  for (const Patch& patch : patches) {
    if (!edit(txn, text, patch)) return false;
  }
  return true;
}

}  // namespace diaryx::bench
