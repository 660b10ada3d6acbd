// Random bits without a random source.
//
// The module imports nothing from WASI and hosts offer no random function, so bits are collected from what differs: a pool
// kept in storage and changed at each start, the host's clock, how many calls fit into its ticks, its context, and where
// the module lives. All goes through SHA-256. Good for ids that must not collide (two devices that start in the same
// millisecond still differ in pool and ticks); not meant for secrets, of which the plugin makes none.
#pragma once

#include <cstdint>

#include "diaryx/base/units.h"

namespace diaryx::plugin {

/// A client id for one run: 32 bits, never 0. Reads and writes the stored pool.
ClientId fresh_client_id();

}  // namespace diaryx::plugin
