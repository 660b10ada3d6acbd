// Base64 (standard alphabet, padded) and lower-case hex.
#pragma once

#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx {

/// Standard alphabet with `=` padding.
std::string to_base64(ByteView bytes);
/// The same at the end of a text.
void append_base64(std::string& out, ByteView bytes);

/// Standard alphabet; padding may be missing, nothing else is forgiven. Errors: InvalidBase64 at the bad character.
Result<Bytes> from_base64(std::string_view text);

/// Two lower-case digits per byte.
std::string to_hex(ByteView bytes);

/// Errors: InvalidMessage at the first character that is no hex digit, or at the end when the length is odd.
Result<Bytes> from_hex(std::string_view text);

}  // namespace diaryx
