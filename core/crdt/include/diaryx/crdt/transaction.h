// A transaction groups edits; its commit says what happened.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/delete_set.h"

namespace diaryx::crdt {

class Store;

/// Who caused a transaction.
enum class TransactionOrigin : uint8_t { Local, Remote, Restore, Import };

/// What one transaction did. Owns its data: the document may change or go away.
class Commit {
 public:
  /// True if a struct was added or something was deleted.
  bool changed() const { return changed_; }

  /// The bytes of Yjs's `update` event: the new structs and deletions, v1. Empty when nothing changed, or when the document
  /// was not made to emit v1. Pending structs that could now be integrated are in it.
  const Bytes& update_v1() const { return update_v1_; }

  /// The same in encoding v2, for documents made with `Emit::UpdatesV2` or `Both`.
  const Bytes& update_v2() const { return update_v2_; }

  /// A second update, made here: the deletion of marks that the transaction left without effect. Empty unless the document was
  /// made with `MarksAfterRemote::CleanUp`; send it to the peers as well.
  const Bytes& clean_up_v1() const { return clean_up_v1_; }

  /// Deleted by this transaction.
  const DeleteSet& deletions() const { return deletions_; }

  TransactionOrigin origin() const { return origin_; }

  /// True if the root type `root` or a type inside it changed.
  bool touched(std::string_view root) const;
  /// Names of the root types that changed, themselves or inside, in order of first change.
  std::span<const std::string> touched_roots() const { return touched_roots_; }

  /// Keys of the root map `root_map` that were set or erased, and keys whose nested value changed inside; each once, in
  /// order of first change.
  std::vector<std::string> changed_keys(std::string_view root_map) const;

 private:
  friend class Store;
  struct KeyChange {
    uint32_t root;  // index into touched_roots_
    std::string key;
  };

  bool changed_ = false;
  TransactionOrigin origin_ = TransactionOrigin::Local;
  Bytes update_v1_;
  Bytes update_v2_;
  Bytes clean_up_v1_;
  DeleteSet deletions_;
  InlineVector<std::string, 1> touched_roots_;
  std::vector<KeyChange> changed_keys_;
};

/// An open transaction; edits take it as their first argument. At most one is open per document, and no update can be applied
/// meanwhile. The destructor commits as well (and the Commit is lost).
///
///     Transaction txn = doc.transact();
///     DX_TRY_VOID(text.insert(txn, Utf16Offset{0}, "hello"));
///     const Commit commit = std::move(txn).commit();
class Transaction {
 public:
  Transaction(Transaction&& other) noexcept : store_(other.store_) { other.store_ = nullptr; }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  /// Ends the transaction: collects what may be collected, merges neighbours, encodes the update.
  /// Cost: in proportion to what was changed, not to the document.
  Commit commit() &&;

 private:
  friend class Doc;
  friend class Store;
  explicit Transaction(Store* store) : store_(store) {}

  Store* store_;  // owned by the Doc, which must outlive the transaction; null once committed
};

}  // namespace diaryx::crdt
