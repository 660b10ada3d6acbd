// What the process holds from malloc, as malloc itself rounds it: `malloc_usable_size` summed over blocks.
#pragma once

#include <cstddef>

namespace diaryx::bench {

/// Counts blocks while it lives. At most one at a time: looking at every block costs a keystroke a tenth of its time, so works that are
/// only timed run without.
class AllocationCount {
 public:
  AllocationCount();
  ~AllocationCount();
  AllocationCount(const AllocationCount&) = delete;
  AllocationCount& operator=(const AllocationCount&) = delete;

  /// Bytes held beyond those at the beginning.
  size_t live_bytes() const;
  /// The most of them so far.
  size_t peak_bytes() const;
};

}  // namespace diaryx::bench
