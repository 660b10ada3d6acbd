// Which action an answer belongs to.
#pragma once

#include <cstdint>

#include "diaryx/base/units.h"

namespace diaryx::sync {

/// The number of an action on the disk. Its answers carry it back, so that they are told from what the watcher says, and from
/// answers to other actions for the same file, whatever the file is called by then. `Ticket{}` is nobody's: the watcher's news.
/// Counted within one run: what an earlier run asked for is answered to nobody.
using Ticket = Unit<struct TicketTag, uint64_t>;

}  // namespace diaryx::sync
