// Where a history command works: a folder or a file in one, and points in time as people type them.
#pragma once

#include <string>
#include <string_view>

#include "device_folder.h"
#include "history_store.h"

namespace diaryx::client {

struct HistoryPlace {
  DeviceFolder folder;
  DeviceConfig config;
  std::string path;  // inside the folder; empty: the folder itself
};

struct OpenHistory {
  HistoryPlace place;
  HistoryReader reader;
};

/// The linked folder that a path lies in, upwards, and its history; the file itself need not exist any more.
/// Errors: NotLinked, also when nothing was ever synced.
Attempt<OpenHistory> open_history(const std::string& path);

/// Says to people, not to scripts, that parts of what was loaded cannot be read.
void warn_of_damage(const HistoryReader& reader);

/// A point as people type it: `now`, a number from the timeline, the name of a snapshot, `2h`, `3d`, `2w` ago, or a local time
/// `2026-11-25`, `2026-11-25 14:30`. Errors: Usage, with what would be understood.
Attempt<sync::HistoryPoint> parse_point(HistoryReader& reader, const std::string& text, TimestampMs now);

/// How `parse_point` takes the text whatever snapshots there are: no name for one.
bool is_time_word(const std::string& text);

/// "today at 14:02", "yesterday at 09:15", "24 November 2026 at 09:15"; local time.
std::string spoken_time(TimestampMs time, TimestampMs now);
/// "12 minutes", "1 hour 5 minutes"; empty for less than a minute.
std::string spoken_span(DurationMs span);
/// "1 file", "3 files".
std::string counted(uint64_t count, std::string_view one, std::string_view many = {});

TimestampMs time_now();

}  // namespace diaryx::client
