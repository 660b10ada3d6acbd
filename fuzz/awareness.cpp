// Awareness updates from strangers, one after the other with time passing. Each is preceded by its size and the seconds before it.
//
// 1. decode and apply agree, up to the limit of clients   2. a refused one changes nothing   3. clocks never fall   4. the own state
// stays until it is taken away here   5. whoever hears everything that is here knows the same   6. deadlines lie ahead, and a
// silent peer is gone after them
#include "diaryx/crdt/awareness.h"

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

constexpr ClientId kMe{1};
constexpr AwarenessLimits kLimits{.max_clients = 50};

void check_copy(const Awareness& here, TimestampMs now) {
  Awareness other{ClientId{uint64_t{1} << 52}, now};
  const Bytes everything = here.encode_all();
  const auto heard = other.apply_update(everything, now);
  DX_ASSERT(heard.has_value());
  for (const ClientId client : heard->clients()) DX_ASSERT(other.clock(client) == here.clock(client));
  const auto entries = decode_awareness(everything);
  DX_ASSERT(entries.has_value() && encode_awareness(*entries) == everything);
}

void hear(Awareness& here, ByteView update, TimestampMs now) {
  const Bytes before = here.encode_all();
  const uint64_t own_clock = *here.clock(kMe);
  const auto change = here.apply_update(update, now);
  if (!change) {
    DX_ASSERT(here.encode_all() == before);
    return;
  }
  DX_ASSERT(decode_awareness(update, kLimits).has_value());
  DX_ASSERT(*here.clock(kMe) >= own_clock && here.local_state() != nullptr);
  for (const ClientId client : change->removed) DX_ASSERT(here.clock(client).has_value());
  DX_ASSERT(change->any() || !change->visible());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  TimestampMs now{1'000'000};
  Awareness here{kMe, now, kLimits};
  while (size >= 2) {
    const size_t length = data[0] < size - 2 ? data[0] : size - 2;
    now = now + DurationMs{data[1] * 1000};
    if (const auto deadline = here.next_deadline(); deadline && *deadline <= now) (void)here.handle_time(now);
    DX_ASSERT(here.next_deadline() && *here.next_deadline() > now);
    hear(here, ByteView{data + 2, length}, now);
    data += 2 + length;
    size -= 2 + length;
  }
  check_copy(here, now);
  (void)here.handle_time(now + DurationMs{60'000});
  for (const ClientId client : here.clients()) DX_ASSERT(client == kMe);
  return 0;
}
