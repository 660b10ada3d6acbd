#include "entropy.h"

#include <optional>

#include "diaryx/base/sha256.h"
#include "host.h"

namespace diaryx::plugin {
namespace {

constexpr std::string_view kPoolKey = "sync.entropy";
constexpr int kTicks = 3;
constexpr int kMostCalls = 2000;  // a host whose clock stands still must not hold us up

void mix_number(Sha256Hasher& hasher, uint64_t number) {
  Writer out;
  out.u64_be(number);
  hasher.update(out.view());
}

// How often the clock can be asked before it moves depends on the machine's load at this moment.
void mix_ticks(Sha256Hasher& hasher) {
  TimestampMs last = host::now();
  mix_number(hasher, static_cast<uint64_t>(last.value()));
  int ticks = 0;
  uint64_t calls_in_tick = 0;
  for (int calls = 0; calls < kMostCalls && ticks < kTicks; ++calls) {
    const TimestampMs now = host::now();
    ++calls_in_tick;
    if (now == last) continue;
    mix_number(hasher, calls_in_tick);
    last = now;
    calls_in_tick = 0;
    ++ticks;
  }
  mix_number(hasher, calls_in_tick);
}

Sha256 first_bits() {
  Sha256Hasher hasher;
  hasher.update("diaryx client id");
  if (const auto pool = host::storage_get(kPoolKey)) hasher.update(*pool);
  hasher.update(host::runtime_context().dump());
  const int on_stack = 0;
  mix_number(hasher, reinterpret_cast<uintptr_t>(&on_stack));
  mix_ticks(hasher);
  const Sha256 bits = hasher.finish();
  // Hashed once more, so that storage does not give away the bits in use.
  host::storage_set(kPoolKey, sha256(bits.bytes).bytes);
  return bits;
}

}  // namespace

Sha256 fresh_bits() {
  static std::optional<Sha256> pool;
  static uint64_t made = 0;
  if (!pool) pool = first_bits();
  Sha256Hasher hasher;
  hasher.update(pool->bytes);
  mix_number(hasher, ++made);
  mix_number(hasher, static_cast<uint64_t>(host::now().value()));
  return hasher.finish();
}

ClientId fresh_client_id() {
  const Sha256 bits = fresh_bits();
  const uint32_t id = static_cast<uint32_t>(bits.bytes[0]) << 24 | static_cast<uint32_t>(bits.bytes[1]) << 16 |
                      static_cast<uint32_t>(bits.bytes[2]) << 8 | bits.bytes[3];
  return ClientId{id == 0 ? 1 : id};
}

}  // namespace diaryx::plugin
