// The frames of y-websocket: one document per connection, its sync messages and its awareness in one stream.
//
//     on open:     send(frame_of_sync(sync_step1(doc))); send(frame_of_awareness(here.encode_all()));
//     on message:  DX_TRY(FrameAnswer answer, handle_frame(doc, here, bytes, now));
//                  if (!answer.reply.empty()) send(answer.reply);
//
// The name of the document is the path of the URL and not in here. y-websocket closes a connection that was silent for 30 s,
// and takes close codes 4400 to 4499 for "do not come back"; both are the shell's business.
//
// Source: y-websocket 2 (src/y-websocket.js); docs/protocol.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "diaryx/base/bytes.h"
#include "diaryx/crdt/awareness.h"
#include "diaryx/crdt/sync_message.h"

namespace diaryx::crdt {

/// The first number of a frame.
enum class FrameType : uint8_t { Sync = 0, Awareness = 1, Auth = 2, QueryAwareness = 3 };

/// One frame. A view: valid as long as the bytes it was read from.
struct WebSocketFrame {
  struct AwarenessUpdate {
    ByteView update;  ///< for Awareness::apply_update
  };
  struct QueryAwareness {};
  /// A type that is not known; such frames are ignored.
  struct Unknown {
    uint64_t type;
  };
  std::variant<SyncMessage, AwarenessUpdate, AuthMessage, QueryAwareness, Unknown> content;

  Bytes encode() const;
  /// Not trusted. Bytes after the frame are refused, except after an unknown type.
  /// Errors: Truncated, VarUintTooLong, UnknownTag (inside a sync or auth message), InvalidUtf8, TrailingBytes.
  /// Memory: none.
  static Result<WebSocketFrame> decode(ByteView bytes);
};

/// A frame around a message of sync_message.h, or around an awareness update. They are not looked into.
Bytes frame_of_sync(ByteView message);
Bytes frame_of_awareness(ByteView update);

/// What came of a frame.
struct FrameAnswer {
  Bytes reply;  ///< a frame to send back; empty: nothing to say
  Commit commit;  ///< what it changed in the document
  AwarenessChange awareness;  ///< what it changed in who is here
  std::optional<std::string> denied;  ///< the peer refuses, with this reason
};

/// Does what a y-websocket peer does with a frame: answers step 1 with step 2 and a query with everybody who is here, applies
/// updates and awareness, and ignores what it does not know.
/// Errors: as WebSocketFrame::decode, handle_sync and Awareness::apply_update. A refused frame changes nothing.
Result<FrameAnswer> handle_frame(Doc& doc, Awareness& awareness, ByteView frame, TimestampMs now);

}  // namespace diaryx::crdt
