// Randomness from the operating system: seeds, identifiers, tokens.
#pragma once

#include <cstdint>
#include <string>

#include "diaryx/base/bytes.h"

namespace diaryx::native {

/// Ends the process if the operating system has no randomness to give: nothing made after that could be trusted.
Bytes random_bytes(size_t count);
uint64_t random_u64();

/// A random UUID in its canonical form, 36 characters.
std::string uuid_v4();
/// True for text in that form (any version, lower-case hex).
bool is_uuid(std::string_view text);

/// 32 random bytes in URL-safe base64 without padding: 43 characters.
std::string random_token();

}  // namespace diaryx::native
