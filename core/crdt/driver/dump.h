// The visible state of shared types, and what happened to them, as JSON for test benches.
#pragma once

#include "diaryx/crdt/doc.h"

namespace diaryx::crdt::driver {

/// `{"t":"text","len":…,"delta":[…]}` and its like; object keys sorted. What lies deeper than 4,000 types is `{"t":"deeper"}`.
/// By the kind that it has; a root that nobody declared is shown as a fragment.
Any dump_shared(const Shared& shared);

/// One event: `{"root":…,"path":[…],"local":…,"delta":[…],"keys":[…]}`. `root` is "kind:name".
Any dump_event(const Event& event, const std::string& root, bool is_local);

}  // namespace diaryx::crdt::driver
