#include "share_code.h"

#include "diaryx/native/random.h"

namespace diaryx::server {
namespace {

constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
constexpr size_t kHalf = 8;
constexpr size_t kLength = 2 * kHalf + 1;

}  // namespace

std::string make_share_code() {
  // Bytes at or above the last whole multiple of 36 are thrown away, so that every letter is equally likely.
  constexpr unsigned kFair = 256 / kLetters.size() * kLetters.size();
  std::string code;
  while (code.size() < kLength) {
    for (const uint8_t byte : native::random_bytes(32)) {
      if (byte >= kFair || code.size() == kLength) continue;
      if (code.size() == kHalf) code.push_back('-');
      code.push_back(kLetters[byte % kLetters.size()]);
    }
  }
  return code;
}

std::optional<std::string> normal_share_code(std::string_view given) {
  if (given.size() != kLength) return std::nullopt;
  std::string code(given);
  for (size_t i = 0; i < code.size(); ++i) {
    if (code[i] >= 'a' && code[i] <= 'z') code[i] = static_cast<char>(code[i] - 'a' + 'A');
    const bool good = i == kHalf ? code[i] == '-' : kLetters.find(code[i]) != std::string_view::npos;
    if (!good) return std::nullopt;
  }
  return code;
}

}  // namespace diaryx::server
