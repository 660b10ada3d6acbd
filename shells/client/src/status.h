// What `status` shows, as it is stored while a command runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/json.h"
#include "diaryx/native/file_scan.h"
#include "diaryx/sync/replica.h"
#include "output.h"

namespace diaryx::client {

/// The part that only a running replica knows, and what was said of it last. `last_synced_ms` 0: never.
Json describe_state(const Output& said, const sync::Replica& replica, const native::DigestCache& digests,
                    int64_t last_synced_ms, size_t unreadable);

/// What `pending` of a status counts, in words: "2 uploads, 1 note to compare with the server"; "nothing".
std::string describe_pending(const Json& pending);

/// True for a name that `conflict_copy` makes: `note (conflict 1a2b3c4d).md`.
bool is_conflict_copy(std::string_view path);

/// A sentence that says what is held and what to type.
std::string describe_held(const sync::MassChangeHeld& held, std::string_view folder);

}  // namespace diaryx::client
