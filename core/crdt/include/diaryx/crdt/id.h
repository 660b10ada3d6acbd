// The name of one unit of content: which writer made it, and when in that writer's sequence.
#pragma once

#include <compare>

#include "diaryx/base/units.h"

namespace diaryx::crdt {

/// One unit (a UTF-16 code unit, an element, a map value, a mark). Never reused, also not after deletion.
struct Id {
  ClientId client;
  Clock clock;

  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

/// `length` consecutive units of one client, from `start` on.
struct ClockRange {
  Clock start;
  Length length;

  constexpr Clock end() const { return start + length; }
  friend constexpr auto operator<=>(const ClockRange&, const ClockRange&) = default;
};

}  // namespace diaryx::crdt
