// A transaction groups edits; its commit says what happened.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/inline_vector.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/event.h"

namespace diaryx::crdt {

class Store;

/// Who caused a transaction.
enum class TransactionOrigin : uint8_t { Local, Remote, Restore, Import };

/// What one transaction did. Owns its data: the document may change or go away (but see Notice). Moves, does not copy.
class Commit {
 public:
  Commit() {}  // not defaulted: who makes one in a Result would have all of it zeroed first

  /// True if a struct was added or something was deleted.
  bool changed() const { return changed_; }

  /// The bytes of Yjs's `update` event: the new structs and deletions, v1. Empty when nothing changed, or when the document
  /// was not made to emit v1. Pending structs that could now be integrated are in it.
  const Bytes& update_v1() const& { return update_v1_; }
  Bytes update_v1() && { return std::move(update_v1_); }

  /// The same in encoding v2, for documents made with `Emit::UpdatesV2` or `Both`.
  const Bytes& update_v2() const& { return details_ ? details_->update_v2 : no_bytes(); }
  Bytes update_v2() && { return details_ ? std::move(details_->update_v2) : Bytes{}; }

  /// A second update, made here: the deletion of marks that the transaction left without effect. Empty unless the document was
  /// made with `MarksAfterRemote::CleanUp`; send it to the peers as well.
  const Bytes& clean_up_v1() const { return details_ ? details_->clean_up_v1 : no_bytes(); }

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

  /// What the observers of the document are told, in the order in which Yjs calls them: first each changed type's own observers,
  /// types in order of first change; then the deep ones. Empty when nobody observes what changed.
  ///
  /// Cost     none without observers. Else one event per observer that sees it: the changed items, and of a text with marks or a
  ///          list with many changes all items up to the last change.
  std::span<const Notice> notices() const {
    return details_ ? std::span<const Notice>(details_->notices) : std::span<const Notice>();
  }
  /// The events that one observer is told; empty if none.
  std::span<const Event> events(Observer observer) const;
  /// What the observers are told of the transaction behind `clean_up_v1`. What is seen does not change there, but as in Yjs a delta
  /// may name once more the attribute that a text has already.
  std::span<const Notice> clean_up_notices() const {
    return details_ ? std::span<const Notice>(details_->clean_up_notices) : std::span<const Notice>();
  }

  /// Subdocuments that came, went or are to be loaded.
  SubdocumentChanges subdocuments() const { return details_ ? details_->subdocuments : SubdocumentChanges{}; }
  /// What the transaction, and then its clean-up, did to the stacks of undo managers, in order.
  std::span<const UndoEvent> undo_events() const {
    return details_ ? std::span<const UndoEvent>(details_->undo_events) : std::span<const UndoEvent>();
  }

 private:
  friend class Store;
  struct KeyOfRoot {
    uint32_t root;  // index into touched_roots_
    size_t end;  // of the key in Details::key_texts; it begins where the one before ends
  };
  /// What a keystroke in a text does not have.
  struct Details {
    Bytes update_v2;
    Bytes clean_up_v1;
    std::vector<KeyOfRoot> changed_keys;
    std::string key_texts;  // one string, as a workspace that is loaded changes a hundred thousand keys
    std::vector<Notice> notices;
    std::vector<Notice> clean_up_notices;
    SubdocumentChanges subdocuments;
    std::vector<UndoEvent> undo_events;
  };
  void add_clean_up(Details& of_clean_up);
  Details& details() {
    if (!details_) details_ = std::make_unique<Details>();
    return *details_;
  }
  static const Bytes& no_bytes();

  bool changed_ = false;
  TransactionOrigin origin_ = TransactionOrigin::Local;
  Bytes update_v1_;
  DeleteSet deletions_;
  InlineVector<std::string, 1> touched_roots_;
  std::unique_ptr<Details> details_;  // null when there is nothing to tell
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

  /// No undo manager captures this transaction, whatever it tracks (Yjs: `captureTransaction`).
  void leave_out_of_undo();

 private:
  friend class Doc;
  friend class Store;
  explicit Transaction(Store* store) : store_(store) {}

  Store* store_;  // owned by the Doc, which must outlive the transaction; null once committed
};

}  // namespace diaryx::crdt
