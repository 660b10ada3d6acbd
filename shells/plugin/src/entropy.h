// Random bits without a random source.
//
// The module imports nothing from WASI and hosts offer no random function, so bits are collected from what differs: a pool
// kept in storage and changed at each start, the host's clock, how many calls fit into its ticks, its context, and where
// the module lives. All goes through SHA-256. Good for ids that must not collide (two devices that start in the same
// millisecond still differ in pool and ticks); not meant for secrets, of which the plugin makes none.
#pragma once

#include <cstdint>

#include "diaryx/base/sha256.h"
#include "diaryx/base/units.h"

namespace diaryx::plugin {

/// Bits that differ at every call. The first call of an instance reads and writes the stored pool and watches the clock for
/// some milliseconds; later ones go on from there.
Sha256 fresh_bits();

/// A client id for one run: 32 bits, never 0.
ClientId fresh_client_id();

}  // namespace diaryx::plugin
