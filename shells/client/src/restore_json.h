// A restore as the JSON of the table `requests`.
#pragma once

#include <optional>
#include <string_view>

#include "diaryx/base/json.h"
#include "diaryx/sync/event.h"

namespace diaryx::client {

Json to_json(const sync::RestoreFiles& restore);

/// Nullopt for what is none.
std::optional<sync::RestoreFiles> parse_restore(std::string_view text);

}  // namespace diaryx::client
