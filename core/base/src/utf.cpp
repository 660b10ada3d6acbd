#include "diaryx/base/utf.h"

#include <cstring>

namespace diaryx {
namespace {

constexpr uint64_t kHighBits = 0x8080808080808080ull;

/// How many bytes from `at` are ASCII, in steps of eight.
size_t ascii_run(std::string_view text, size_t at) {
  const size_t start = at;
  while (at + 8 <= text.size()) {
    uint64_t word;
    std::memcpy(&word, text.data() + at, 8);
    if ((word & kHighBits) != 0) break;
    at += 8;
  }
  return at - start;
}

bool continues(std::string_view text, size_t at) { return at < text.size() && is_utf8_continuation(text[at]); }

/// Length of the valid sequence at `at`, or 0.
size_t valid_sequence(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t lead = byte(at);
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;  // continuation, overlong, or above U+10FFFF
  if (!continues(text, at + 1)) return 0;
  if (lead < 0xe0) return 2;
  const uint8_t second = byte(at + 1);
  if (!continues(text, at + 2)) return 0;
  if (lead < 0xf0) {
    if (lead == 0xe0 && second < 0xa0) return 0;  // overlong
    if (lead == 0xed && second > 0x9f) return 0;  // surrogate
    return 3;
  }
  if (!continues(text, at + 3)) return 0;
  if (lead == 0xf0 && second < 0x90) return 0;  // overlong
  if (lead == 0xf4 && second > 0x8f) return 0;  // above U+10FFFF
  return 4;
}

/// UTF-16 units of the character with this lead byte.
constexpr uint32_t utf16_units(char lead) { return static_cast<uint8_t>(lead) >= 0xf0 ? 2 : 1; }

}  // namespace

bool is_valid_utf8(std::string_view text) {
  size_t at = 0;
  while (at < text.size()) {
    at += ascii_run(text, at);
    if (at == text.size()) return true;
    const size_t length = valid_sequence(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

Length utf16_length(std::string_view text) {
  // A character starts at every byte that is no continuation; a lead of four bytes counts twice.
  uint32_t units = 0;
  size_t at = 0;
  while (at < text.size()) {
    const size_t run = ascii_run(text, at);
    units += static_cast<uint32_t>(run);
    at += run;
    const size_t stop = text.size() - at < 8 ? text.size() : at + 8;
    for (; at < stop; ++at) {
      if (!is_utf8_continuation(text[at])) units += utf16_units(text[at]);
    }
  }
  return Length{units};
}

Utf8Offset to_utf8(std::string_view text, Utf16Offset offset) {
  uint32_t units = offset.value();
  size_t at = 0;
  while (at < text.size()) {
    const uint32_t width = utf16_units(text[at]);
    if (units < width) break;
    units -= width;
    at += utf8_sequence_length(text[at]);
  }
  return Utf8Offset{static_cast<uint32_t>(at < text.size() ? at : text.size())};
}

Utf16Offset to_utf16(std::string_view text, Utf8Offset offset) {
  size_t end = offset.value() < text.size() ? offset.value() : text.size();
  while (end > 0 && end < text.size() && is_utf8_continuation(text[end])) --end;
  return Utf16Offset{utf16_length(text.substr(0, end)).value()};
}

void append_utf8(std::string& out, char32_t scalar) {
  if (scalar > 0x10ffff || (scalar >= 0xd800 && scalar <= 0xdfff)) scalar = 0xfffd;
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (scalar < 0x80) {
    put(scalar);
  } else if (scalar < 0x800) {
    put(0xc0 | (scalar >> 6));
    put(0x80 | (scalar & 0x3f));
  } else if (scalar < 0x10000) {
    put(0xe0 | (scalar >> 12));
    put(0x80 | ((scalar >> 6) & 0x3f));
    put(0x80 | (scalar & 0x3f));
  } else {
    put(0xf0 | (scalar >> 18));
    put(0x80 | ((scalar >> 12) & 0x3f));
    put(0x80 | ((scalar >> 6) & 0x3f));
    put(0x80 | (scalar & 0x3f));
  }
}

char32_t scalar_at(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(text[at + i])); };
  switch (utf8_sequence_length(text[at])) {
    case 1: return byte(0);
    case 2: return ((byte(0) & 0x1f) << 6) | (byte(1) & 0x3f);
    case 3: return ((byte(0) & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f);
    default: return ((byte(0) & 0x07) << 18) | ((byte(1) & 0x3f) << 12) | ((byte(2) & 0x3f) << 6) | (byte(3) & 0x3f);
  }
}

}  // namespace diaryx
