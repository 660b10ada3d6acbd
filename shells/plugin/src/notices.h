// The two shapes in which the guest tells what happened: for the envelope and for `host_emit_event`.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "diaryx/sync/action.h"

namespace diaryx::plugin {

/// `disconnected`, `connecting`, ... as both shapes spell it.
std::string_view state_name(sync::SyncState state);

/// SyncEvent of the envelope, as JSON: `type` in camelCase.
std::string envelope_event(const sync::Notice& notice, uint64_t files);

/// The event for the host, as JSON: `type` starts with an upper-case letter, otherwise hosts drop it. Nothing when hosts have
/// no use for it.
std::optional<std::string> host_event(const sync::Notice& notice, uint64_t files);

/// Begins with a capital letter and ends with a full stop.
std::string sentence(std::string text);

/// The file and what is wrong with it: `a.md: The file cannot be read.`
std::string text_of(const sync::Problem& problem);

/// A sentence for people: what waits, and where to answer.
std::string describe_held(const sync::MassChangeHeld& held);

}  // namespace diaryx::plugin
