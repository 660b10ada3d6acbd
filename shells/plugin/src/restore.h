// Carrying out a plan of `history_restore.h` in this plugin.
#pragma once

#include <string>
#include <vector>

#include "diaryx/sync/history_restore.h"
#include "guest.h"

namespace diaryx::plugin {

struct Restored {
  std::string id;  // empty: there was nothing to do
  std::vector<std::string> problems;  // sentences
};

/// Does what a plan says, as ordinary edits. A workspace that never met a server has no files that are followed yet: only its
/// documents are changed then.
///
/// plan    made of `choice` (or to undo a restore: of the point before it, and its paths).
Restored carry_out(Guest& guest, const sync::History& history, const sync::RestoreChoice& choice,
                   const sync::RestorePlan& plan);

}  // namespace diaryx::plugin
