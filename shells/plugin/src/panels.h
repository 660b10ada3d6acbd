// The two iframe panels, made from web/panels at build time.
#pragma once

#include <string>

namespace diaryx::plugin {

/// Whole pages, UTF-8. Cost: some 60 kB are unpacked.
std::string snapshots_panel();
std::string history_panel();

}  // namespace diaryx::plugin
