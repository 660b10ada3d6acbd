// SHA-256: the identity of files and attachments, and the source of deterministic seeds.
//
// Our own, because the core may not depend on a native library and the guest has none (docs/decisions/0003).
// Source: FIPS 180-4.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"

namespace diaryx {

/// A digest; compares and prints as the 32 bytes it is.
struct Sha256 {
  std::array<uint8_t, 32> bytes{};

  /// 64 lower-case hex digits.
  std::string hex() const;
  /// Errors: InvalidMessage unless `text` is exactly 64 hex digits.
  static Result<Sha256> from_hex(std::string_view text);

  friend auto operator<=>(const Sha256&, const Sha256&) = default;
};

/// Hashes what it is given, in pieces of any size.
class Sha256Hasher {
 public:
  Sha256Hasher();
  void update(ByteView bytes);
  void update(std::string_view text) { update(as_bytes(text)); }
  /// The digest of all that was given; the hasher is spent afterwards.
  Sha256 finish();

 private:
  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  uint64_t size_bytes_ = 0;
};

Sha256 sha256(ByteView bytes);
inline Sha256 sha256(std::string_view text) { return sha256(as_bytes(text)); }

}  // namespace diaryx
