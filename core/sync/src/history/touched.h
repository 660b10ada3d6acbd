// Files that may be different at two points.
#pragma once

#include <set>
#include <string>

#include "diaryx/sync/history.h"

namespace diaryx::sync {

/// Names of files whose entry or text has a record in (low, high]. All others are the same at both points.
std::set<std::string> touched_files(const History& history, HistoryPoint low, HistoryPoint high);

}  // namespace diaryx::sync
