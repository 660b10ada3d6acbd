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

std::string to_base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const size_t have = bytes.size() - at;
    uint32_t group = uint32_t{bytes[at]} << 16;
    if (have > 1) group |= uint32_t{bytes[at + 1]} << 8;
    if (have > 2) group |= bytes[at + 2];
    out.push_back(kAlphabet[group >> 18]);
    out.push_back(kAlphabet[(group >> 12) & 63]);
    out.push_back(have > 1 ? kAlphabet[(group >> 6) & 63] : '=');
    out.push_back(have > 2 ? kAlphabet[group & 63] : '=');
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  size_t size = text.size();
  for (int padding = 0; padding < 2 && size > 0 && size % 4 != 1 && text[size - 1] == '='; ++padding) --size;
  if (size % 4 == 1) return fail(ErrorCode::InvalidBase64, size);
  if (size != text.size() && text.size() % 4 != 0) return fail(ErrorCode::InvalidBase64, size);
  Bytes out;
  out.reserve(size / 4 * 3 + 2);
  uint32_t group = 0;
  unsigned bits = 0;
  for (size_t at = 0; at < size; ++at) {
    const uint8_t digit = kDigits[static_cast<uint8_t>(text[at])];
    if (digit == kNoDigit) return fail(ErrorCode::InvalidBase64, at);
    group = (group << 6) | digit;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<uint8_t>(group >> bits));
    }
  }
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
