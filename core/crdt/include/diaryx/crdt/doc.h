// A document: shared types that any number of replicas edit at once and that end up equal.
//
//     Doc doc{{.client = ClientId{7}}};
//     Text body = doc.text("body");
//     Transaction txn = doc.transact();
//     DX_TRY_VOID(body.insert(txn, Utf16Offset{0}, "hello"));
//     send(std::move(txn).commit().update_v1());
//
// The format and the merge rule are those of Yjs 13.6: peers may be real Yjs. Pure and single-threaded: no clock, no random
// source, no callback. The client id is given by the caller, 32 random bits that no other replica uses at the same time.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/crdt/array.h"
#include "diaryx/crdt/delete_set.h"
#include "diaryx/crdt/limits.h"
#include "diaryx/crdt/map.h"
#include "diaryx/crdt/state_vector.h"
#include "diaryx/crdt/text.h"
#include "diaryx/crdt/transaction.h"
#include "diaryx/crdt/undo.h"
#include "diaryx/crdt/xml.h"

namespace diaryx::crdt {

/// Whether deleted content is dropped at commit. Disabled keeps it, which snapshots need.
enum class Gc : uint8_t { Enabled, Disabled };

/// Which update bytes a commit carries: v1, v2, both, or none, which saves their cost when nobody listens.
enum class Emit : uint8_t { Nothing = 0, Updates = 1, UpdatesV2 = 2, Both = 3 };

/// What happens to marks that a remote change left without effect. Yjs deletes them and sends the deletion, so it is enough if
/// one peer does: with `Keep` a document shows the same text and converges to the same bytes.
enum class MarksAfterRemote : uint8_t { Keep, CleanUp };

/// What a local call does whose offset lies inside a character of two UTF-16 units. Yjs splits the character into two U+FFFD. If the
/// call makes no item there, it does so on this replica only, and replicas differ.
enum class SurrogatePairs : uint8_t { Keep, Split };

/// When waiting updates are tried again. `Chains`: as soon as any of them can be integrated. Yjs remembers only what the last of a chain
/// of waiting updates lacks, so an update that waits for another waiting one may wait until a later update makes Yjs look again.
enum class WaitingUpdates : uint8_t { Chains, AsYjs };

struct DocOptions {
  ClientId client;  ///< never used by two replicas at once; of more than 53 bits the low ones count
  Gc gc = Gc::Enabled;
  DecodeLimits limits{};
  Emit emit = Emit::Updates;
  MarksAfterRemote marks = MarksAfterRemote::Keep;
  SurrogatePairs pairs = SurrogatePairs::Keep;
  WaitingUpdates waiting = WaitingUpdates::Chains;
};

class Doc {
 public:
  explicit Doc(const DocOptions& options);
  Doc(Doc&&) noexcept;
  Doc& operator=(Doc&&) noexcept;
  ~Doc();

  ClientId client() const;
  /// For the caller who learns that `client()` is in use elsewhere (see `client_is_taken`). Not inside a transaction.
  void set_client(ClientId client);
  /// True once an update brought structs of our own client id that we did not write: choose a new id with `set_client`.
  bool client_is_taken() const;

  /// The root type of that name, which is UTF-8 (else the process ends); made if there is none. Handles are cheap, and valid as long as
  /// the Doc (also when it is moved).
  /// Asking for one name as two kinds is the caller's mistake; both handles work on the same items.
  Text text(std::string_view root);
  Map map(std::string_view root);
  Array array(std::string_view root);
  XmlFragment xml_fragment(std::string_view root);
  XmlElement xml_element(std::string_view root);
  XmlText xml_text(std::string_view root);

  /// All root types, in order of first mention; those that only an update mentioned have kind Undeclared.
  std::vector<Shared> roots() const;
  /// The root of that name, if there is one.
  std::optional<Shared> root(std::string_view name) const;

  /// Observes a type: from the next commit on, commits carry events for its changes by local transactions, updates, undo and
  /// clean-ups. Several observers of one type get theirs in the order of registration. Deep: also changes of everything inside the
  /// type. Reading a text delta never deletes marks that became redundant, as Yjs may do.
  Observer observe(const Shared& type);
  Observer observe_deep(const Shared& type);

  /// The subdocuments of this document, in the order in which they came here. See Subdocument.
  std::vector<Subdocument> subdocuments() const;
  /// Says whether this replica wants the content of a subdocument. The commit reports a load among `loaded` and an unload, as in
  /// Yjs, among `added` and `removed`, so that its Doc can be dropped. Nothing is reported if nothing changes.
  void load(Transaction& txn, const Subdocument& subdocument);
  void unload(Transaction& txn, const Subdocument& subdocument);

  /// Opens a transaction; at most one at a time. `tag` says who edits, for undo managers that track only some.
  Transaction transact(TransactionOrigin origin = TransactionOrigin::Local, std::string_view tag = {});

  /// Tracks local changes from now on, to undo them.
  UndoManager track_undo(const UndoOptions& options);
  /// The time that undo managers see; only differences count. 0 (never set): nothing is captured together.
  void set_now(TimestampMs now);

  /// Integrates `update`; structs and deletions whose base is missing wait inside the document (`has_pending`).
  ///
  /// update   v1 bytes, not trusted; any order, duplicates are fine.
  /// tag      as in `transact`, for undo managers with `track_remote`.
  /// Returns  what changed; nothing when all of it was known or has to wait.
  /// Errors   Truncated, VarUintTooLong, ClockOverflow, InvalidUtf8, InvalidJson, UnknownTag, BadReference, TooLarge,
  ///          TooDeep. A refused update leaves the document as it was.
  /// Cost     in proportion to the update; a document is loaded in one pass. What is put at one place concurrently is compared with
  ///          what is there: `n` such structs take up to n^2 steps, as in Yjs and whatever follows its merge rule (see DecodeLimits).
  Result<Commit> apply_update_v1(ByteView update, TransactionOrigin origin = TransactionOrigin::Remote,
                                 std::string_view tag = {});
  /// The same for a caller that is done with the bytes: `take_update_v1(std::move(update))`. An empty document frees those of a long update
  /// before it makes its own structs of them, which needs less memory and takes a little longer.
  /// In a document with update events the bytes become the event instead, if they equal it.
  Result<Commit> take_update_v1(Bytes update, TransactionOrigin origin = TransactionOrigin::Remote,
                                std::string_view tag = {});

  /// Everything (or what a peer with `known` lacks) as one update; what is pending is included.
  /// Returns  the bytes of Yjs `encodeStateAsUpdate`, never empty.
  Bytes encode_update_v1(const StateVector& known = {}) const;

  /// The same in encoding v2: smaller, and slower to write.
  Result<Commit> apply_update_v2(ByteView update, TransactionOrigin origin = TransactionOrigin::Remote,
                                 std::string_view tag = {});
  Bytes encode_update_v2(const StateVector& known = {}) const;

  /// Pending structs do not count.
  StateVector state_vector() const;
  DeleteSet delete_set() const;

  /// True while structs or deletions wait for something that has not arrived.
  bool has_pending() const;
  /// Per client, the state that the pending structs wait for at least; empty when none wait.
  StateVector missing() const;
  /// True if there is no struct at all (pending ones do not count).
  bool is_empty() const;
  /// Transactions begun so far, updates included: while it stays the same, nothing changed.
  uint32_t transaction_count() const;
  /// Structs in the store: items and collected ranges.
  size_t struct_count() const;
  /// Bytes held by this document, as far as it counts them itself (allocator overhead is left out).
  size_t memory_bytes() const;

  /// Ends the process if an invariant of the store is broken. For tests. Cost: the whole document.
  void check_invariants() const;

 private:
  friend struct DocInternals;
  std::unique_ptr<Store> store_;
};

}  // namespace diaryx::crdt
