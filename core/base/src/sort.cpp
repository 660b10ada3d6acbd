#include "diaryx/base/sort.h"

namespace diaryx {
namespace {

void sift_down(const SortedRange& range, size_t at, size_t end) {
  for (size_t child; (child = 2 * at + 1) < end; at = child) {
    if (child + 1 < end && range.goes_before(range.range, child, child + 1)) ++child;
    if (!range.goes_before(range.range, at, child)) return;
    range.swap(range.range, at, child);
  }
}

}  // namespace

void heap_sort(const SortedRange& range, size_t size) {
  for (size_t i = size / 2; i-- > 0;) sift_down(range, i, size);
  for (size_t end = size; end-- > 1;) {
    range.swap(range.range, 0, end);
    sift_down(range, 0, end);
  }
}

}  // namespace diaryx
