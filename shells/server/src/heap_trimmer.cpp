#include "heap_trimmer.h"

#include <malloc.h>

namespace diaryx::server {
namespace {

constexpr uint64_t kWorthTrimmingBytes = 1u << 20;
constexpr int kShareOfTime = 100;

}  // namespace

void HeapTrimmer::released(uint64_t released_bytes) {
  if (released_bytes - trimmed_at_bytes_ < kWorthTrimmingBytes) return;
  const Clock::time_point began = Clock::now();
  if (began < not_before_) return;  // asked again after the next event
  malloc_trim(0);
  const Clock::time_point done = Clock::now();
  trimmed_at_bytes_ = released_bytes;
  not_before_ = done + kShareOfTime * (done - began);
}

}  // namespace diaryx::server
