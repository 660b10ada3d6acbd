#include "diaryx/native/random.h"

#include <sys/random.h>

#include <cerrno>
#include <cstring>

#include "diaryx/base/base64.h"
#include "diaryx/base/result.h"

namespace diaryx::native {

Bytes random_bytes(size_t count) {
  Bytes bytes(count);
  size_t filled = 0;
  while (filled < count) {
    const ssize_t got = ::getrandom(bytes.data() + filled, count - filled, 0);
    if (got < 0 && errno == EINTR) continue;
    DX_ASSERT(got > 0);
    filled += static_cast<size_t>(got);
  }
  return bytes;
}

uint64_t random_u64() {
  uint64_t value = 0;
  std::memcpy(&value, random_bytes(sizeof value).data(), sizeof value);
  return value;
}

std::string uuid_v4() {
  Bytes bytes = random_bytes(16);
  bytes[6] = static_cast<uint8_t>((bytes[6] & 0x0f) | 0x40);  // version 4
  bytes[8] = static_cast<uint8_t>((bytes[8] & 0x3f) | 0x80);  // variant of RFC 9562
  std::string text = to_hex(bytes);
  for (const size_t at : {8, 13, 18, 23}) text.insert(at, 1, '-');
  return text;
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (dash ? c != '-' : !hex) return false;
  }
  return true;
}

std::string random_token() {
  std::string text = to_base64(random_bytes(32));
  while (!text.empty() && text.back() == '=') text.pop_back();
  for (char& c : text) {
    if (c == '+') c = '-';
    if (c == '/') c = '_';
  }
  // On a command line it would be taken for an option.
  return text.front() == '-' ? random_token() : text;
}

}  // namespace diaryx::native
