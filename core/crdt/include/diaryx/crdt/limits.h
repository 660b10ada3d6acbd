// What a decoder accepts from a stranger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace diaryx::crdt {

/// Bounds on untrusted input. Beyond them a decoder answers TooLarge or TooDeep; the document stays as it was.
///
/// Nothing is reserved for what an input only announces. In encoding v1 a struct has at least two bytes, and about 100 bytes are
/// held for it while it is decoded. In v2 a run may stand for many structs, so there `max_structs_per_byte` is the bound
/// (65,536 structs are always allowed).
struct DecodeLimits {
  size_t max_update_bytes = size_t{1} << 30;  ///< of one update
  uint32_t max_structs = uint32_t{1} << 26;  ///< of one update, Skip and Gc included
  uint32_t max_structs_per_byte = 256;  ///< of an update v2
  uint32_t max_depth = 1000;  ///< nested arrays and objects in one value
};

}  // namespace diaryx::crdt
