#include "sign_in.h"

#include <algorithm>

#include "diaryx/base/utf.h"
#include "diaryx/native/random.h"
#include "request_text.h"

namespace diaryx::server {
namespace {

constexpr uint32_t kMaxPerHour = 3;
constexpr size_t kMaxDeviceName = 200;

/// Each of the million codes equally likely.
std::string random_code() {
  constexpr uint64_t kCodes = 1'000'000;
  constexpr uint64_t kFair = UINT64_MAX - UINT64_MAX % kCodes;
  uint64_t number = native::random_u64();
  while (number >= kFair) number = native::random_u64();
  std::string code = std::to_string(number % kCodes);
  return std::string(6 - code.size(), '0') + code;
}

}  // namespace

std::optional<std::string> normal_email(std::string_view given) {
  while (!given.empty() && (given.front() == ' ' || given.front() == '\t')) given.remove_prefix(1);
  while (!given.empty() && (given.back() == ' ' || given.back() == '\t')) given.remove_suffix(1);
  if (given.size() < 5 || given.size() > 254 || !is_valid_utf8(given)) return std::nullopt;
  const size_t at = given.find('@');
  if (at == std::string_view::npos || at == 0 || at + 1 == given.size()) return std::nullopt;
  std::string email(given);
  for (char& c : email) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) return std::nullopt;
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return email;
}

std::string clean_device_name(std::string_view given) {
  std::string name;
  while (!given.empty()) {
    const std::string_view one = given.substr(0, utf8_sequence_length(given[0]));
    const bool is_character = is_valid_utf8(one);
    given.remove_prefix(is_character ? one.size() : 1);
    if (!is_character || has_control_characters(one)) continue;
    if (name.size() + one.size() > kMaxDeviceName) break;
    name += one;
  }
  return name;
}

SignInSecrets make_sign_in(const std::string& email, TimestampMs now, DurationMs lifetime) {
  SignInSecrets secrets;
  secrets.token = native::random_token();
  secrets.code = random_code();
  const Bytes salt = native::random_bytes(16);
  secrets.stored = {.email = email,
                    .link_hash = sha256(secrets.token),
                    .salt = salt,
                    .code_hash = hash_code(salt, secrets.code),
                    .now = now,
                    .expires = now + lifetime,
                    .new_users = false,
                    .max_per_hour = kMaxPerHour};
  return secrets;
}

std::string own_url(const Options& options, uint16_t port) {
  const bool v6 = options.address.find(':') != std::string::npos;
  // Nobody can open 0.0.0.0; the machine itself can open this.
  const bool any = options.address == "0.0.0.0" || options.address == "::";
  const std::string host = any ? "localhost" : v6 ? "[" + options.address + "]" : options.address;
  return std::string(options.tls_certificate.empty() ? "http" : "https") + "://" + host + ":" + std::to_string(port);
}

std::string sign_in_link(const std::string& base_url, const std::string& own_url, const std::string& token) {
  if (!base_url.empty()) return base_url + "?token=" + token;
  return own_url + "/sign-in#" + token;
}

}  // namespace diaryx::server
