// Binary frames of the socket: `[u8 length][document id][messages]`, and the messages inside them.
//
// Invariants
// 1. A payload is read to its end: every message, in order, whole (T6). One bad message refuses the whole payload.
// 2. A frame made here has at most one SyncStep2 or Update, and it comes first: old servers store only the first.
// 3. Views returned by the readers point into the frame that was read and live as long as it does.
// Source: docs/protocol.md, "Frames".
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"
#include "diaryx/base/units.h"

namespace diaryx::sync {

/// A frame beyond this is refused before it is looked at. Shells give their socket the same limit.
inline constexpr size_t kMaxFrameBytes = 64u << 20;
/// A payload has one to three messages in practice.
inline constexpr size_t kMaxMessagesPerPayload = 64;
/// Clients in one awareness update.
inline constexpr size_t kMaxAwarenessClients = 4096;

struct Frame {
  std::string_view doc_id;  // valid UTF-8, at most 255 bytes; see doc_id.h for what it says
  ByteView payload;
};

/// Errors: Truncated, InvalidUtf8 (in the id), TooLarge.
Result<Frame> decode_frame(ByteView bytes);

/// "This is what I have": a state vector, v1.
struct SyncStep1 {
  ByteView state_vector;
};
/// "This is what you lack": an update, v1; the answer to SyncStep1. `00 00` when there is nothing.
struct SyncStep2 {
  ByteView update;
};
/// A change as it happens: an update, v1.
struct Update {
  ByteView update;
};
/// Presence of clients; see `parse_awareness`.
struct Awareness {
  ByteView update;
};
struct AwarenessQuery {};
/// The other side denies access.
struct PermissionDenied {
  std::string_view reason;
};

using Message = std::variant<SyncStep1, SyncStep2, Update, Awareness, AwarenessQuery, PermissionDenied>;

/// All messages of a payload, in order. An empty payload has none.
///
/// payload  not trusted; updates and state vectors inside are cut out, not checked.
/// Errors   Truncated, VarUintTooLong, UnknownTag, InvalidUtf8, TooLarge (too many messages).
Result<std::vector<Message>> parse_messages(ByteView payload);

void write_message(Writer& out, const Message& message);

/// Errors: InvalidDocId when empty, DocIdTooLong, TooLarge. Breaking invariant 2 is our own bug.
Result<Bytes> encode_frame(std::string_view doc_id, std::initializer_list<Message> messages);

/// Puts a payload that is already encoded, e.g. one to relay, behind an id. Errors: as above.
Result<Bytes> encode_frame(std::string_view doc_id, ByteView payload);

/// True for an update that says nothing: `00 00`.
bool is_empty_update(ByteView update);
inline constexpr uint8_t kEmptyStateVector[] = {0};
inline constexpr uint8_t kEmptyUpdate[] = {0, 0};
/// The awareness update without clients, which a server sends when a document is opened.
inline constexpr uint8_t kEmptyAwareness[] = {0};

struct AwarenessEntry {
  uint64_t client;
  uint64_t clock;
  std::string_view state;  // JSON text, not parsed; `null` means the client left
};

/// Errors: Truncated, VarUintTooLong, InvalidUtf8, TrailingBytes, TooLarge.
Result<std::vector<AwarenessEntry>> parse_awareness(ByteView update);

}  // namespace diaryx::sync
