// What a decoder accepts from a stranger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace diaryx::crdt {

/// Bounds on untrusted input. Beyond them a decoder answers TooLarge or TooDeep; the document stays as it was.
///
/// Nothing is reserved for what an input only announces, and every decoder reads its input once. What is held at most, the
/// decoded form and what it adds to a document together, is a multiple of the input's size, besides 64 KiB:
///
///     update v1        128 bytes per byte (the shortest struct has two)
///     update v2        320 bytes per struct it may have, see below: 1,280 per byte, or 320 MiB for the smallest inputs
///     value (any)      128 bytes per byte, JSON too
///     state vector      64 bytes per byte
///     delete set        64 bytes per byte, snapshots and v2 too
///     awareness        128 bytes per byte
///     relative position, sync message, frame: the input
///
/// Time is in proportion to the input but for what the merge rule itself asks: a struct that is put where others were put concurrently
/// is compared with each of them. So `n` structs at one place of a list, or `n` first values of one key, cost up to n^2 steps, as in
/// Yjs; who serves strangers bounds `max_update_bytes`, or the time.
///
/// `test/memory_bounds_test.cpp` counts every allocation and holds the worst inputs that are known against these numbers.
struct DecodeLimits {
  size_t max_update_bytes = size_t{1} << 30;  ///< of one update; more than this are never read
  uint32_t max_structs = uint32_t{1} << 26;  ///< of one update, Skip and Gc included
  /// Of an update v2, where a run in a few bytes may stand for any number of structs. Histories of little else than deletions, empty
  /// types or a few values set in turn come near: two keys set 100,000 times each are 54 bytes.
  uint32_t max_structs_per_byte = 4;
  uint32_t max_depth = 1000;  ///< nested arrays and objects in one value, whether it arrives or is put in here
  /// As many structs an update v2 may have whatever its size. Real histories need them; who takes v2 from strangers and cannot spare 320
  /// bytes for each sets it lower. What `convert_v1_to_v2` writes may have more, and is refused then: raise it to read that.
  uint32_t min_struct_limit = uint32_t{1} << 20;
};

}  // namespace diaryx::crdt
