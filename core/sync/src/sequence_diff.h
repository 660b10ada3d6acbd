#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace diaryx::sync {

/// A stretch that differs: [old_begin, old_end) of the old sequence stands where [new_begin, new_end) of the new one
/// does. Either side may be empty, never both.
struct ChangedRange {
  uint32_t old_begin = 0;
  uint32_t old_end = 0;
  uint32_t new_begin = 0;
  uint32_t new_end = 0;

  bool operator==(const ChangedRange&) const = default;
};

/// The stretches in which two sequences of symbols differ, in order, with at least one equal symbol between two of them.
///
/// symbols  dense numbers below `symbol_count`; equal number means equal symbol.
/// Returns  a short script; the shortest one unless the sequences are so different that the work was cut off.
/// Cost     O((N + M) D), cut off near 50 million steps; O(N + M) memory; no recursion.
/// Source   E. Myers, "An O(ND) Difference Algorithm and Its Variations" (1986), the linear-space variant.
std::vector<ChangedRange> diff_sequences(std::span<const uint32_t> before, std::span<const uint32_t> after,
                                         uint32_t symbol_count);

}  // namespace diaryx::sync
