// Gives memory that documents left back to the system.
//
// The allocator keeps what was freed between other things until it is asked; asking looks at all that is free, and takes
// milliseconds where that is much. So it is asked after a good deal was freed, and for a hundredth of the time at most.
#pragma once

#include <chrono>
#include <cstdint>

namespace diaryx::server {

class HeapTrimmer {
 public:
  using Clock = std::chrono::steady_clock;

  /// released_bytes   freed since the start, about; only grows.
  void released(uint64_t released_bytes);

 private:
  uint64_t trimmed_at_bytes_ = 0;
  Clock::time_point not_before_;
};

}  // namespace diaryx::server
