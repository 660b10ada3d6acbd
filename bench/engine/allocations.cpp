// malloc and its relatives, counted. operator new of libstdc++ calls malloc, so that nothing is missed. Costs a few nanoseconds per
// block; the engine makes few blocks.
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

size_t live = 0;
size_t peak = 0;

void* counted(void* block) {
  live += malloc_usable_size(block);
  peak = std::max(peak, live);
  return block;
}

}  // namespace

size_t live_bytes() { return live; }
size_t peak_bytes() { return peak; }
void reset_peak() { peak = live; }

}  // namespace diaryx::bench

using diaryx::bench::counted;
using diaryx::bench::live;

extern "C" {

void* malloc(size_t size) { return counted(__libc_malloc(size)); }
void* calloc(size_t count, size_t size) { return counted(__libc_calloc(count, size)); }
void* realloc(void* block, size_t size) {
  live -= malloc_usable_size(block);
  return counted(__libc_realloc(block, size));
}
void* memalign(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
void* aligned_alloc(size_t alignment, size_t size) { return counted(__libc_memalign(alignment, size)); }
int posix_memalign(void** block, size_t alignment, size_t size) {
  *block = counted(__libc_memalign(alignment, size));
  return *block ? 0 : ENOMEM;
}
void free(void* block) {
  live -= malloc_usable_size(block);
  __libc_free(block);
}

}  // extern "C"
