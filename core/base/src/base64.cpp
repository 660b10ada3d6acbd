#include "diaryx/base/base64.h"

#include <array>

namespace diaryx {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i) digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return digits;
}
constexpr std::array<uint8_t, 256> kDigits = make_digits();

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

// Both go by whole groups into room that is there already: files and journals pass through here on their way to and from hosts.
void append_base64(std::string& out, ByteView bytes) {
  const size_t before = out.size();
  out.resize(before + (bytes.size() + 2) / 3 * 4, '=');
  char* to = out.data() + before;
  size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3, to += 4) {
    const uint32_t group = (uint32_t{bytes[at]} << 16) | (uint32_t{bytes[at + 1]} << 8) | bytes[at + 2];
    to[0] = kAlphabet[group >> 18];
    to[1] = kAlphabet[(group >> 12) & 63];
    to[2] = kAlphabet[(group >> 6) & 63];
    to[3] = kAlphabet[group & 63];
  }
  if (at == bytes.size()) return;
  const bool has_two = at + 2 == bytes.size();
  const uint32_t group = (uint32_t{bytes[at]} << 16) | (has_two ? uint32_t{bytes[at + 1]} << 8 : 0);
  to[0] = kAlphabet[group >> 18];
  to[1] = kAlphabet[(group >> 12) & 63];
  if (has_two) to[2] = kAlphabet[(group >> 6) & 63];
}

std::string to_base64(ByteView bytes) {
  std::string out;
  append_base64(out, bytes);
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  size_t size = text.size();
  for (int padding = 0; padding < 2 && size > 0 && size % 4 != 1 && text[size - 1] == '='; ++padding) --size;
  if (size % 4 == 1) return fail(ErrorCode::InvalidBase64, size);
  if (size != text.size() && text.size() % 4 != 0) return fail(ErrorCode::InvalidBase64, size);
  Bytes out(size * 3 / 4);
  const auto digit = [&](size_t at) -> uint32_t { return kDigits[static_cast<uint8_t>(text[at])]; };
  uint8_t* to = out.data();
  size_t at = 0;
  for (; at + 4 <= size; at += 4, to += 3) {
    const uint32_t digits[] = {digit(at), digit(at + 1), digit(at + 2), digit(at + 3)};
    if (((digits[0] | digits[1] | digits[2] | digits[3]) & ~uint32_t{63}) != 0) [[unlikely]]
      break;
    const uint32_t group = (digits[0] << 18) | (digits[1] << 12) | (digits[2] << 6) | digits[3];
    to[0] = static_cast<uint8_t>(group >> 16);
    to[1] = static_cast<uint8_t>(group >> 8);
    to[2] = static_cast<uint8_t>(group);
  }
  // What is left are the two or three digits of a last byte or two, or a group with something in it that is no digit.
  uint32_t group = 0;
  for (size_t i = at; i < size; ++i) {
    if (digit(i) == kNoDigit) return fail(ErrorCode::InvalidBase64, i);
    group = (group << 6) | digit(i);
  }
  if (size - at >= 2) to[0] = static_cast<uint8_t>(size - at == 3 ? group >> 10 : group >> 4);
  if (size - at == 3) to[1] = static_cast<uint8_t>(group >> 2);
  return out;
}

std::string to_hex(ByteView bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const uint8_t byte : bytes) {
    out.push_back(kHex[byte >> 4]);
    out.push_back(kHex[byte & 15]);
  }
  return out;
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes out;
  out.reserve(text.size() / 2);
  for (size_t at = 0; at < text.size(); at += 2) {
    const int high = hex_digit(text[at]);
    if (high < 0) return fail(ErrorCode::InvalidMessage, at);
    const int low = at + 1 < text.size() ? hex_digit(text[at + 1]) : -1;
    if (low < 0) return fail(ErrorCode::InvalidMessage, at + 1);
    out.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  return out;
}

}  // namespace diaryx
