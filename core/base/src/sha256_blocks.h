// The inner function of SHA-256 (FIPS 180-4, 6.2.2): whole blocks into the state, as plain C++ or by the processor's own instructions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace diaryx {

using Sha256State = std::array<uint32_t, 8>;

inline constexpr size_t kSha256BlockBytes = 64;

extern const std::array<uint32_t, 64> kSha256RoundConstants;

/// Works everywhere. `blocks` is `count` times 64 bytes.
void sha256_blocks_portable(Sha256State& state, const uint8_t* blocks, size_t count);

#if defined(__x86_64__)
/// Whether this processor has the SHA extensions.
bool has_sha256_instructions();
/// The same state, several times as fast. Only where `has_sha256_instructions()`.
void sha256_blocks_x86(Sha256State& state, const uint8_t* blocks, size_t count);
#endif

}  // namespace diaryx
