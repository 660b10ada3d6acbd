// What the process holds from malloc, as malloc itself rounds it: `malloc_usable_size` summed over all live blocks.
#pragma once

#include <cstddef>

namespace diaryx::bench {

/// Live bytes now.
size_t live_bytes();
/// The most since the last `reset_peak`.
size_t peak_bytes();
void reset_peak();

}  // namespace diaryx::bench
