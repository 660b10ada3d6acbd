#include "diaryx/crdt/sync_message.h"

namespace diaryx::crdt {

void SyncMessage::encode(Writer& out) const {
  out.var_uint(static_cast<uint64_t>(kind));
  out.var_bytes(payload);
}

Bytes SyncMessage::encode() const {
  Writer out;
  encode(out);
  return out.take();
}

Result<SyncMessage> SyncMessage::decode(Reader& in) {
  const size_t start = in.position();
  DX_TRY(const uint64_t kind, in.var_uint());
  if (kind > static_cast<uint64_t>(Kind::Update)) return fail(ErrorCode::UnknownTag, start);
  DX_TRY(const ByteView payload, in.var_bytes());
  return SyncMessage{static_cast<Kind>(kind), payload};
}

Result<SyncMessage> SyncMessage::decode(ByteView bytes) {
  Reader in(bytes);
  DX_TRY(const SyncMessage message, decode(in));
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return message;
}

Bytes sync_step1(const Doc& doc) {
  const Bytes vector = doc.state_vector().encode();
  return SyncMessage{SyncMessage::Kind::Step1, vector}.encode();
}

Bytes sync_step2(const Doc& doc, const StateVector& known) {
  const Bytes update = doc.encode_update_v1(known);
  return SyncMessage{SyncMessage::Kind::Step2, update}.encode();
}

Bytes sync_update(ByteView update) { return SyncMessage{SyncMessage::Kind::Update, update}.encode(); }

Result<SyncAnswer> handle_sync(Doc& doc, const SyncMessage& message) {
  SyncAnswer answer;
  if (message.kind == SyncMessage::Kind::Step1) {
    DX_TRY(const StateVector known, StateVector::decode(message.payload));
    answer.reply = sync_step2(doc, known);
  } else {
    DX_TRY(answer.commit, doc.apply_update_v1(message.payload));
  }
  return answer;
}

void AuthMessage::encode(Writer& out) const {
  out.var_uint(static_cast<uint64_t>(kind));
  if (kind == Kind::Denied) out.var_string(reason);
}

Bytes AuthMessage::encode() const {
  Writer out;
  encode(out);
  return out.take();
}

Result<AuthMessage> AuthMessage::decode(Reader& in) {
  const size_t start = in.position();
  DX_TRY(const uint64_t kind, in.var_uint());
  AuthMessage message;
  if (kind > static_cast<uint64_t>(Kind::Granted)) return fail(ErrorCode::UnknownTag, start);
  message.kind = static_cast<Kind>(kind);
  if (message.kind == Kind::Denied) {
    DX_TRY(message.reason, in.var_string());
  }
  return message;
}

Result<AuthMessage> AuthMessage::decode(ByteView bytes) {
  Reader in(bytes);
  DX_TRY(const AuthMessage message, decode(in));
  if (!in.at_end()) return fail(ErrorCode::TrailingBytes, in.position());
  return message;
}

}  // namespace diaryx::crdt
