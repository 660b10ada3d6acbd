// The C library's names for the heap. Its own allocator is 8 kB of the module; another name of it that something should come to
// need fails to link, since both would define `malloc`.
//
// Compiled without LTO: the linker must see these symbols before it looks for them in the C library.

#include <cstdlib>
#include <utility>

#include "heap.h"

namespace {

constexpr size_t kPageBytes = 65536;

extern "C" std::byte __heap_base;  // the linker's: what lies behind the data

/// The rest of the memory, after it has grown to hold `bytes` more.
std::span<std::byte> more_memory(size_t bytes) {
  static std::byte* given = &__heap_base;
  size_t room = __builtin_wasm_memory_size(0) * kPageBytes - reinterpret_cast<size_t>(given);
  if (room < bytes) {
    const size_t pages = (bytes - room + kPageBytes - 1) / kPageBytes;
    if (__builtin_wasm_memory_grow(0, pages) == SIZE_MAX) return {};
    room += pages * kPageBytes;
  }
  return {std::exchange(given, given + room), room};
}

constinit diaryx::plugin::Heap heap(more_memory);

}  // namespace

extern "C" {

void* malloc(size_t bytes) { return heap.allocate(bytes); }

void free(void* payload) { heap.release(payload); }

// What libc++ would call for a type that is aligned to more than others, of which there is none.
void* aligned_alloc(size_t alignment, size_t bytes) {
  return alignment <= diaryx::plugin::Heap::kGrain ? heap.allocate(bytes) : nullptr;
}

}  // extern "C"
