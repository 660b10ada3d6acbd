// Handles: 32-bit names of things a store owns. They survive growth, halve the size of links, and mean the same on wasm32.
#pragma once

#include <cstdint>

namespace diaryx::crdt {

enum class ItemRef : uint32_t { None = 0 };  // a struct in the item slab
enum class TypeRef : uint32_t { None = 0 };  // a shared type in the type slab
enum class KeyRef : uint32_t { None = 0 };  // an interned string
enum class LeafRef : uint32_t { None = 0 };  // a leaf of a list index
enum class ClientIndex : uint32_t { None = 0xffffff };  // a client in the order in which the store met it; 24 bits

template <typename Handle>
constexpr uint32_t raw(Handle handle) {
  return static_cast<uint32_t>(handle);
}

template <typename Handle>
constexpr bool some(Handle handle) {
  return handle != Handle::None;
}

}  // namespace diaryx::crdt
