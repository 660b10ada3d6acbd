// malloc and its relatives, counted. operator new of libstdc++ calls malloc, so that nothing is missed.
#include "allocations.h"

#include <malloc.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);
}

namespace diaryx::bench {
namespace {

bool counting = false;
ptrdiff_t live = 0;  // below zero when blocks from before the count are freed
ptrdiff_t peak = 0;

void* made(void* block) {
  if (counting) [[unlikely]] {
    live += static_cast<ptrdiff_t>(malloc_usable_size(block));
    peak = std::max(peak, live);
  }
  return block;
}

void gone(void* block) {
  if (counting) [[unlikely]]
    live -= static_cast<ptrdiff_t>(malloc_usable_size(block));
}

size_t at_least_none(ptrdiff_t bytes) { return static_cast<size_t>(std::max(bytes, ptrdiff_t{0})); }

}  // namespace

AllocationCount::AllocationCount() {
  counting = true;
  live = peak = 0;
}
AllocationCount::~AllocationCount() { counting = false; }

size_t AllocationCount::live_bytes() const { return at_least_none(live); }
size_t AllocationCount::peak_bytes() const { return at_least_none(peak); }

}  // namespace diaryx::bench

using diaryx::bench::gone;
using diaryx::bench::made;

extern "C" {

void* malloc(size_t size) { return made(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return made(__libc_calloc(count, size)); }
void* realloc(void* block, size_t size) {
  gone(block);
  return made(__libc_realloc(block, size));
}
void* memalign(size_t alignment, size_t size) { return made(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return made(__libc_memalign(alignment, size)); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = made(__libc_memalign(alignment, size));
  return *block ? 0 : ENOMEM;
}
void free(void* block) {
  gone(block);
  __libc_free(block);
}

}  // extern "C"
