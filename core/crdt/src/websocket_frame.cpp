#include "diaryx/crdt/websocket_frame.h"

namespace diaryx::crdt {
namespace {

void write_type(Writer& out, FrameType type) { out.var_uint(static_cast<uint64_t>(type)); }

struct Encoder {
  Writer& out;
  void operator()(const SyncMessage& message) const {
    write_type(out, FrameType::Sync);
    message.encode(out);
  }
  void operator()(const WebSocketFrame::AwarenessUpdate& awareness) const {
    write_type(out, FrameType::Awareness);
    out.var_bytes(awareness.update);
  }
  void operator()(const AuthMessage& message) const {
    write_type(out, FrameType::Auth);
    message.encode(out);
  }
  void operator()(WebSocketFrame::QueryAwareness) const { write_type(out, FrameType::QueryAwareness); }
  void operator()(WebSocketFrame::Unknown unknown) const { out.var_uint(unknown.type); }
};

Result<WebSocketFrame> read_content(Reader& in) {
  DX_TRY(const uint64_t type, in.var_uint());
  switch (type) {
    case static_cast<uint64_t>(FrameType::Sync): {
      DX_TRY(const SyncMessage message, SyncMessage::decode(in));
      return WebSocketFrame{message};
    }
    case static_cast<uint64_t>(FrameType::Awareness): {
      DX_TRY(const ByteView update, in.var_bytes());
      return WebSocketFrame{WebSocketFrame::AwarenessUpdate{update}};
    }
    case static_cast<uint64_t>(FrameType::Auth): {
      DX_TRY(const AuthMessage message, AuthMessage::decode(in));
      return WebSocketFrame{message};
    }
    case static_cast<uint64_t>(FrameType::QueryAwareness): return WebSocketFrame{WebSocketFrame::QueryAwareness{}};
    default: return WebSocketFrame{WebSocketFrame::Unknown{type}};
  }
}

struct Handler {
  Doc& doc;
  Awareness& here;
  TimestampMs now;
  FrameAnswer answer;

  Result<void> operator()(const SyncMessage& message) {
    DX_TRY(SyncAnswer sync, handle_sync(doc, message));
    answer.commit = std::move(sync.commit);
    if (!sync.reply.empty()) answer.reply = frame_of_sync(sync.reply);
    return {};
  }
  Result<void> operator()(const WebSocketFrame::AwarenessUpdate& awareness) {
    DX_TRY(answer.awareness, here.apply_update(awareness.update, now));
    return {};
  }
  Result<void> operator()(const AuthMessage& message) {
    if (message.kind == AuthMessage::Kind::Denied) answer.denied = std::string(message.reason);
    return {};
  }
  Result<void> operator()(WebSocketFrame::QueryAwareness) {
    answer.reply = frame_of_awareness(here.encode_all());
    return {};
  }
  Result<void> operator()(WebSocketFrame::Unknown) { return {}; }
};

}  // namespace

Bytes WebSocketFrame::encode() const {
  Writer out;
  std::visit(Encoder{out}, content);
  return out.take();
}

Result<WebSocketFrame> WebSocketFrame::decode(ByteView bytes) {
  Reader in(bytes);
  DX_TRY(WebSocketFrame frame, read_content(in));
  if (!in.at_end() && !std::holds_alternative<Unknown>(frame.content))
    return fail(ErrorCode::TrailingBytes, in.position());
  return frame;
}

Bytes frame_of_sync(ByteView message) {
  Writer out;
  write_type(out, FrameType::Sync);
  out.raw(message);
  return out.take();
}

Bytes frame_of_awareness(ByteView update) { return WebSocketFrame{WebSocketFrame::AwarenessUpdate{update}}.encode(); }

Result<FrameAnswer> handle_frame(Doc& doc, Awareness& awareness, ByteView bytes, TimestampMs now) {
  DX_TRY(const WebSocketFrame frame, WebSocketFrame::decode(bytes));
  Handler handler{doc, awareness, now, {}};
  DX_TRY_VOID(std::visit(handler, frame.content));
  return std::move(handler.answer);
}

}  // namespace diaryx::crdt
