// UTF-8 and UTF-16: validity, lengths and offsets between the two.
//
// Text is held as UTF-8; clocks, indices and lengths of the CRDT count UTF-16 units. The conversion happens once, at
// the edge, through the functions here.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "diaryx/base/units.h"

namespace diaryx {

/// Strict: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut. Cost: one pass, 8 ASCII bytes a step.
bool is_valid_utf8(std::string_view text);

/// True if every byte is below 0x80, so that both kinds of offset are the same number.
inline bool is_ascii(std::string_view text) {
  constexpr uint64_t kHighBits = 0x8080808080808080ull;
  const char* at = text.data();
  size_t left = text.size();
  uint64_t seen = 0;
  if (left >= 8) {
    for (; left > 8; left -= 8, at += 8) {
      std::memcpy(&seen, at, 8);
      // Looked at once per step: text that is not ASCII usually shows it soon.
      if ((seen & kHighBits) != 0) return false;
    }
    std::memcpy(&seen, at + left - 8, 8);  // again some that were seen
  } else if (left >= 4) {
    uint32_t first;
    uint32_t last;
    std::memcpy(&first, at, 4);
    std::memcpy(&last, at + left - 4, 4);
    seen = first | last;
  } else if (left > 0) {
    seen = static_cast<uint8_t>(at[0] | at[left / 2] | at[left - 1]);
  }
  return (seen & kHighBits) == 0;
}

/// UTF-16 units of valid UTF-8.
Length utf16_length(std::string_view text);

/// The same for text that is not trusted; nothing if it is not valid UTF-8. Cost: one pass over ASCII, two over other text.
inline std::optional<Length> utf16_length_if_valid(std::string_view text) {
  if (is_ascii(text)) [[likely]]
    return Length{static_cast<uint32_t>(text.size())};
  if (!is_valid_utf8(text)) return std::nullopt;
  return utf16_length(text);
}

/// The byte offset of UTF-16 unit `offset`; inside a surrogate pair, the start of that character; past the end, the end.
Utf8Offset to_utf8(std::string_view text, Utf16Offset offset);

/// The UTF-16 offset of byte `offset`; inside a character, the start of that character; past the end, the end.
Utf16Offset to_utf16(std::string_view text, Utf8Offset offset);

/// True for a byte that continues a character (10xxxxxx).
constexpr bool is_utf8_continuation(char byte) { return (static_cast<uint8_t>(byte) & 0xc0) == 0x80; }

/// Bytes of the character that starts with `lead`; 1 for a byte that starts none.
constexpr uint32_t utf8_sequence_length(char lead) {
  const auto byte = static_cast<uint8_t>(lead);
  if (byte < 0xc0) return 1;
  if (byte < 0xe0) return 2;
  if (byte < 0xf0) return 3;
  return 4;
}

/// Appends a scalar value; a surrogate or a value above U+10FFFF becomes U+FFFD.
void append_utf8(std::string& out, char32_t scalar);

/// The scalar value that starts at `at` in valid UTF-8; `at` must be the start of a character.
char32_t scalar_at(std::string_view text, size_t at);

}  // namespace diaryx
