#include "diaryx/base/sha256.h"

#include <algorithm>
#include <bit>

#include "diaryx/base/base64.h"
#include "sha256_blocks.h"

namespace diaryx {
const std::array<uint32_t, 64> kSha256RoundConstants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

namespace {

constexpr Sha256State kInitialState = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

uint32_t load_be(const uint8_t* at) {
  return (uint32_t{at[0]} << 24) | (uint32_t{at[1]} << 16) | (uint32_t{at[2]} << 8) | at[3];
}

void take_blocks(Sha256State& state, const uint8_t* blocks, size_t count) {
#if defined(__x86_64__)
  static const bool kByProcessor = has_sha256_instructions();
  if (kByProcessor) return sha256_blocks_x86(state, blocks, count);
#endif
  sha256_blocks_portable(state, blocks, count);
}

}  // namespace

std::string Sha256::hex() const { return to_hex(bytes); }

Result<Sha256> Sha256::from_hex(std::string_view text) {
  if (text.size() != 64) return fail(ErrorCode::InvalidMessage, text.size());
  DX_TRY(const Bytes raw, diaryx::from_hex(text));
  Sha256 digest;
  std::copy(raw.begin(), raw.end(), digest.bytes.begin());
  return digest;
}

void sha256_blocks_portable(Sha256State& state, const uint8_t* blocks, size_t count) {
  for (; count > 0; --count, blocks += kSha256BlockBytes) {
    std::array<uint32_t, 64> w;
    for (size_t i = 0; i < 16; ++i) w[i] = load_be(blocks + 4 * i);
    for (size_t i = 16; i < 64; ++i) {
      const uint32_t s0 = std::rotr(w[i - 15], 7) ^ std::rotr(w[i - 15], 18) ^ (w[i - 15] >> 3);
      const uint32_t s1 = std::rotr(w[i - 2], 17) ^ std::rotr(w[i - 2], 19) ^ (w[i - 2] >> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state;
    for (size_t i = 0; i < 64; ++i) {
      const uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
      const uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + kSha256RoundConstants[i] + w[i];
      const uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
      const uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
    }
    const Sha256State add = {a, b, c, d, e, f, g, h};
    for (size_t i = 0; i < 8; ++i) state[i] += add[i];
  }
}

Sha256Hasher::Sha256Hasher() : state_(kInitialState), buffer_{} {}

void Sha256Hasher::update(ByteView bytes) {
  size_t filled = size_bytes_ % 64;
  size_bytes_ += bytes.size();
  size_t at = 0;
  if (filled != 0) {
    const size_t take = std::min(bytes.size(), 64 - filled);
    std::copy_n(bytes.begin(), take, buffer_.begin() + static_cast<ptrdiff_t>(filled));
    at = take;
    filled += take;
    if (filled < 64) return;
    take_blocks(state_, buffer_.data(), 1);
  }
  const size_t blocks = (bytes.size() - at) / kSha256BlockBytes;
  take_blocks(state_, bytes.data() + at, blocks);
  at += blocks * kSha256BlockBytes;
  std::copy(bytes.begin() + static_cast<ptrdiff_t>(at), bytes.end(), buffer_.begin());
}

Sha256 Sha256Hasher::finish() {
  const uint64_t size_bits = size_bytes_ * 8;
  std::array<uint8_t, 72> padding{};
  padding[0] = 0x80;
  const size_t filled = size_bytes_ % 64;
  const size_t zeros_end = filled < 56 ? 56 - filled : 120 - filled;
  for (size_t i = 0; i < 8; ++i) padding[zeros_end + i] = static_cast<uint8_t>(size_bits >> (56 - 8 * i));
  update(ByteView{padding.data(), zeros_end + 8});
  Sha256 digest;
  for (size_t i = 0; i < 8; ++i) {
    for (size_t j = 0; j < 4; ++j) digest.bytes[4 * i + j] = static_cast<uint8_t>(state_[i] >> (24 - 8 * j));
  }
  return digest;
}

Sha256 sha256(ByteView bytes) {
  Sha256Hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

}  // namespace diaryx
