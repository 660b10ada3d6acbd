// Counts what a test program allocates. Include it in one source of a program: it replaces the global operator new.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

namespace diaryx::crdt {

struct CountedMemory {
  size_t now = 0;
  size_t peak = 0;
};
inline CountedMemory counted_memory;

/// The most bytes that were held at once while `work` ran, beyond what was held before.
template <typename Work>
size_t peak_of(Work&& work) {
  const size_t before = counted_memory.now;
  counted_memory.peak = before;
  work();
  return counted_memory.peak - before;
}

inline constexpr size_t kSizePrefix = 16;  // keeps the alignment of malloc

inline void* counted_allocate(size_t size) {
  auto* block = static_cast<char*>(std::malloc(size + kSizePrefix));
  if (block == nullptr) std::abort();
  *reinterpret_cast<size_t*>(block) = size;
  counted_memory.now += size;
  if (counted_memory.now > counted_memory.peak) counted_memory.peak = counted_memory.now;
  return block + kSizePrefix;
}

inline void counted_free(void* memory) {
  if (memory == nullptr) return;
  char* block = static_cast<char*>(memory) - kSizePrefix;
  counted_memory.now -= *reinterpret_cast<size_t*>(block);
  std::free(block);
}

}  // namespace diaryx::crdt

void* operator new(size_t size) { return diaryx::crdt::counted_allocate(size); }
void* operator new[](size_t size) { return diaryx::crdt::counted_allocate(size); }
void operator delete(void* memory) noexcept { diaryx::crdt::counted_free(memory); }
void operator delete[](void* memory) noexcept { diaryx::crdt::counted_free(memory); }
void operator delete(void* memory, size_t) noexcept { diaryx::crdt::counted_free(memory); }
void operator delete[](void* memory, size_t) noexcept { diaryx::crdt::counted_free(memory); }
