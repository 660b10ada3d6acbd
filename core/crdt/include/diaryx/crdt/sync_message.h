// The messages of the Yjs sync and auth protocols: how two peers tell each other what they lack, and that one may not.
//
//     send(sync_step1(doc));                                        // what I have; the peer answers with the rest
//     ...
//     DX_TRY(const SyncMessage message, SyncMessage::decode(bytes));
//     DX_TRY(SyncAnswer answer, handle_sync(doc, message));
//     if (!answer.reply.empty()) send(answer.reply);
//
// A client sends its step 1; the server answers with step 2 and sends its own step 1, which the client answers. From then on
// both send updates. All updates in here are v1; the protocol has no messages for v2.
//
// Source: y-protocols 1.0.7 sync.js and auth.js; docs/protocol.md.
#pragma once

#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/doc.h"

namespace diaryx::crdt {

/// One sync message. A view: valid as long as the bytes it was read from.
struct SyncMessage {
  enum class Kind : uint8_t {
    Step1 = 0,  ///< the payload is the sender's state vector; asks for what it lacks
    Step2 = 1,  ///< the payload is an update: the answer to step 1
    Update = 2,  ///< the payload is an update
  };

  Kind kind = Kind::Step1;
  ByteView payload;

  /// `varUint kind`, `varUint8Array payload`.
  void encode(Writer& out) const;
  Bytes encode() const;

  /// Not trusted. The payload is not looked into; `handle_sync` does. Bytes after the message are refused.
  /// Errors: Truncated, VarUintTooLong, UnknownTag, TrailingBytes.  Memory: none.
  static Result<SyncMessage> decode(ByteView bytes);
  /// The same from the middle of an input; bytes after the message are left in `in`.
  static Result<SyncMessage> decode(Reader& in);
};

/// What `doc` has, as a step 1 message.
Bytes sync_step1(const Doc& doc);
/// What a peer with `known` lacks, as a step 2 message.
Bytes sync_step2(const Doc& doc, const StateVector& known);
/// An update v1, as of Commit::update_v1, as an update message. It is not looked into.
Bytes sync_update(ByteView update);

/// What came of a sync message.
struct SyncAnswer {
  Bytes reply;  ///< to send back; empty unless the message was a step 1
  Commit commit;  ///< what an update changed
};

/// Answers a step 1, or applies the update of the others.
///
/// message  not trusted.
/// Errors   as StateVector::decode for step 1, as Doc::apply_update_v1 else. A refused message changes nothing.
Result<SyncAnswer> handle_sync(Doc& doc, const SyncMessage& message);

/// One auth message. A view: valid as long as the bytes it was read from.
struct AuthMessage {
  enum class Kind : uint8_t {
    Denied = 0,  ///< with a reason for people
    Granted = 1,  ///< only yrs sends it; without a reason
  };

  Kind kind = Kind::Denied;
  std::string_view reason;

  void encode(Writer& out) const;
  Bytes encode() const;
  /// Not trusted. Errors: Truncated, VarUintTooLong, InvalidUtf8, UnknownTag; TrailingBytes for the first form.
  static Result<AuthMessage> decode(ByteView bytes);
  static Result<AuthMessage> decode(Reader& in);
};

}  // namespace diaryx::crdt
