// What `status` shows, as it is stored while a command runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/json.h"
#include "diaryx/native/file_scan.h"
#include "diaryx/sync/replica.h"

namespace diaryx::client {

/// The part that only a running replica knows. `last_synced_ms` 0: never.
Json describe_state(std::string_view state, const sync::Replica& replica, const native::DigestCache& digests,
                    int64_t last_synced_ms, std::string_view last_problem, size_t unreadable);

/// True for a name that `conflict_copy` makes: `note (conflict 1a2b3c4d).md`.
bool is_conflict_copy(std::string_view path);

/// A sentence that says what is held and what to type.
std::string describe_held(const sync::MassChangeHeld& held, std::string_view folder);

}  // namespace diaryx::client
