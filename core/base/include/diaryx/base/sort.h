// Sorting where the code has to be small: std::sort takes 2 to 10 KB of WebAssembly for every type and order it is used with.
#pragma once

#include <cstddef>
#include <functional>
#include <ranges>
#include <utility>

namespace diaryx {

/// Sorts `range` by `goes_before`, a strict weak order. Equal elements may change places.
/// Cost: one pass when it is in order already, as most of what is sorted here is; else O(n log n) (heap sort), whatever the input.
template <std::ranges::contiguous_range Range, typename Less = std::less<>>
void sort_compactly(Range&& range, Less goes_before = {}) {
  auto* const items = std::ranges::data(range);
  const size_t size = std::ranges::size(range);
  size_t in_order = 1;
  while (in_order < size && !goes_before(items[in_order], items[in_order - 1])) ++in_order;
  if (in_order >= size) return;

  const auto sift_down = [&](size_t hole, size_t end) {
    auto value = std::move(items[hole]);
    for (size_t child; (child = 2 * hole + 1) < end; hole = child) {
      if (child + 1 < end && goes_before(items[child], items[child + 1])) ++child;
      if (!goes_before(value, items[child])) break;
      items[hole] = std::move(items[child]);
    }
    items[hole] = std::move(value);
  };
  for (size_t i = size / 2; i-- > 0;) sift_down(i, size);
  for (size_t end = size - 1; end > 0; --end) {
    std::swap(items[0], items[end]);
    sift_down(0, end);
  }
}

/// The same by what `key` (a member, a function) gives of each element.
template <std::ranges::contiguous_range Range, typename Key, typename Less = std::less<>>
void sort_compactly_by(Range&& range, Key key, Less goes_before = {}) {
  sort_compactly(range,
                 [&](const auto& a, const auto& b) { return goes_before(std::invoke(key, a), std::invoke(key, b)); });
}

}  // namespace diaryx
