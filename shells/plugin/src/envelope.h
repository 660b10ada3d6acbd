// The binary action envelope: what an export answers to tell the host what it did.
//
// The guest performs the actions itself; the envelope is a copy for information (docs of the exports, README.md).
//
// Shape   u16 count, then per action u8 type, u32 payload length, payload; little-endian throughout.
// Limits  65,535 actions and 4 GiB each. A count never wraps: beyond the limit the copy drops progress events first,
//         then other events, then the latest entries, and says so; nothing that was performed is undone by that.
#pragma once

#include <vector>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

enum class ActionType : uint8_t { SendBinary = 0, SendText = 1, EmitEvent = 2, DownloadSnapshot = 3 };

/// One entry: a raw frame, a text, the JSON of an event, or a workspace id.
struct EnvelopeAction {
  ActionType type;
  Bytes payload;
  /// May be left out of the copy before anything else.
  bool is_progress = false;

  friend bool operator==(const EnvelopeAction&, const EnvelopeAction&) = default;
};

inline constexpr size_t kMaxEnvelopeActions = 65'535;

struct Envelope {
  Bytes bytes;
  size_t dropped = 0;  // entries that did not fit
};

Envelope encode_envelope(const std::vector<EnvelopeAction>& actions);

/// The host's side, strict as hosts are. Errors: Truncated, UnknownTag, InvalidUtf8. Bytes after the last action are fine.
Result<std::vector<EnvelopeAction>> decode_envelope(ByteView bytes);

}  // namespace diaryx::plugin
