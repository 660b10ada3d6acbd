// What a decoder accepts from a stranger.
#pragma once

#include <cstddef>
#include <cstdint>

namespace diaryx::crdt {

/// Bounds on untrusted input. Beyond them a decoder answers TooLarge or TooDeep; the document stays as it was.
///
/// Decoding reserves at most about 64 bytes per byte of V1 input, whatever the input announces. V2 runs may stand for many
/// structs in a few bytes, so there `max_structs` is the bound.
struct DecodeLimits {
  size_t max_update_bytes = size_t{1} << 30;  ///< of one update
  uint32_t max_structs = uint32_t{1} << 26;   ///< of one update, Skip and Gc included
  uint32_t max_depth = 1000;                  ///< nested arrays and objects in one value
};

}  // namespace diaryx::crdt
