// Sorting where the code has to be small: std::sort takes 2 to 10 KB of WebAssembly for every type and order it is used with.
#pragma once

#include <cstddef>
#include <functional>
#include <ranges>
#include <utility>

namespace diaryx {

/// What a sort needs to know of its range, whatever its type; positions count from 0.
struct SortedRange {
  const void* range;
  bool (*goes_before)(const void* range, size_t a, size_t b);
  void (*swap)(const void* range, size_t a, size_t b);
};

/// Heap sort; one for all types, so that each use adds no more than a comparison and a swap.
void heap_sort(const SortedRange& range, size_t size);

/// Sorts `range` by `goes_before`, a strict weak order. Equal elements may change places.
/// Cost: one pass when it is in order already, as most of what is sorted here is; else O(n log n) (heap sort), whatever the input.
template <std::ranges::contiguous_range Range, typename Less = std::less<>>
void sort_compactly(Range&& range, Less goes_before = {}) {
  struct Job {
    std::ranges::range_value_t<Range>* items;
    const Less& less;

    static const Job& of(const void* at) { return *static_cast<const Job*>(at); }
    static bool goes_before(const void* at, size_t a, size_t b) {
      return of(at).less(of(at).items[a], of(at).items[b]);
    }
    static void swap(const void* at, size_t a, size_t b) { std::swap(of(at).items[a], of(at).items[b]); }
  };
  const Job job{std::ranges::data(range), goes_before};
  const size_t size = std::ranges::size(range);
  for (size_t at = 1; at < size; ++at) {
    if (Job::goes_before(&job, at, at - 1)) return heap_sort({&job, Job::goes_before, Job::swap}, size);
  }
}

/// The same by what `key` (a member, a function) gives of each element.
template <std::ranges::contiguous_range Range, typename Key, typename Less = std::less<>>
void sort_compactly_by(Range&& range, Key key, Less goes_before = {}) {
  sort_compactly(range,
                 [&](const auto& a, const auto& b) { return goes_before(std::invoke(key, a), std::invoke(key, b)); });
}

}  // namespace diaryx
