// Reads deflated data.
#pragma once

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

/// Unpacks a raw deflate stream (no zlib header).
///
/// packed     not trusted.
/// max_bytes  refuses more output than this; nothing is reserved up front.
/// out        what is there already: the stream may refer back to it, and what is unpacked is appended to it.
/// Errors     Truncated, InvalidMessage (a bad block, code or distance), TooLarge.
/// Source     RFC 1951.
Result<Bytes> inflate(ByteView packed, size_t max_bytes, Bytes out = {});

}  // namespace diaryx::plugin
