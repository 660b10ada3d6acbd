// The two iframe panels, made from web/panels at build time.
#pragma once

#include <string_view>

namespace diaryx::plugin {

extern const std::string_view kSnapshotsPanel;
extern const std::string_view kHistoryPanel;

}  // namespace diaryx::plugin
