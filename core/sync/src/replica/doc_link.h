// One document on one connection: who knows what, and what is still unacknowledged. A small machine without a socket.
//
//          ask                    server's SyncStep1              server's SyncStep2
//   closed ────► asked ─────────► can_send (we answered it) ────► answered (we have what it had)
//
// The two answers may come in either order. A body doc says nothing of its own before it knows what the server has: the
// key may stand for another file by now, and then our edits go elsewhere. Updates made before `can_send` need no sending:
// the answer to SyncStep1 holds them.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"
#include "diaryx/crdt/doc.h"

namespace diaryx::sync {

class DocLink {
 public:
  /// A workspace doc answers the first SyncStep1 with SyncStep2 and a SyncStep1 of its own, since old servers drop the one
  /// that starts a handshake; a body doc answers only when it has something to give.
  enum class Kind : uint8_t { Workspace, Body };

  explicit DocLink(Kind kind) : kind_(kind) {}

  /// Of a body document that was not asked for, because the server said that it holds what we hold.
  static DocLink in_step();

  /// The server answers the first SyncStep1, whatever the document: no second one is sent, and nothing before its answer.
  void first_ask_is_answered() { kind_ = Kind::Body; }

  bool asked() const { return asked_; }
  bool answered() const { return answered_; }
  /// Everything this connection sent is on the server's disk, and nothing is asked of it.
  bool saved() const { return can_send_ && answered_ && sent_ == saved_ && !barrier_; }
  TimestampMs asked_at() const { return asked_at_; }

  /// The server has dropped what it was sent, which nothing will confirm: to be asked for later, as if it had been asked for now.
  void start_over(TimestampMs now);

  /// Payload to send: our SyncStep1.
  Bytes ask(const crdt::Doc& doc, TimestampMs now);
  /// Payload to send, perhaps empty. Errors: as `StateVector::decode`.
  Result<Bytes> on_step1(const crdt::Doc& doc, ByteView state_vector);
  /// After the update inside was applied to `doc`. Payload to send, perhaps empty.
  Bytes on_step2(const crdt::Doc& doc, ByteView update);
  /// Payload to send for a local update, or for what a merge produced; empty while the server will learn it otherwise.
  Bytes on_local_update(ByteView update);
  /// After an update was applied to `doc`. Payload to send, empty unless it waits for what this document lacks: our SyncStep1 once
  /// more. What the answer does not bring the server has not, and is not asked for again: it comes by itself once somebody sends it.
  Bytes ask_for_base(const crdt::Doc& doc);
  /// A server without receipts: payload that asks for proof that all before it was handled; empty when none is needed.
  Bytes barrier(const crdt::Doc& doc);
  /// Whether `barrier` would give anything: asked first, since opening a document costs more.
  bool wants_barrier() const { return !barrier_ && can_send_ && answered_ && sent_ != saved_; }
  /// The server stored the first `received` of our updates.
  void on_saved(uint64_t received);

 private:
  /// True if `doc` lacks something else than before.
  bool note_lacking(const crdt::Doc& doc);

  Kind kind_;
  bool asked_ = false;
  bool can_send_ = false;
  bool answered_ = false;
  std::optional<crdt::StateVector>
      their_vector_;  // what the server said it has: to be answered once the server's SyncStep2 is here
  uint64_t sent_ = 0;
  uint64_t saved_ = 0;
  std::optional<uint64_t> barrier_;
  Bytes lacking_;  // state vector of what was asked for, or the last answer did not bring; empty: nothing
  TimestampMs asked_at_;
};

}  // namespace diaryx::sync
