// What happened, newest first: single entries as peers know them, and groups as people edit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/sync/history.h"

namespace diaryx::sync {

/// One record, in the form that the plugin's `GetHistory` answers.
struct HistoryEntry {
  HistoryPoint update_id = 0;
  TimestampMs timestamp;
  HistoryOrigin origin = HistoryOrigin::Local;
  std::vector<std::string> files_changed;  // sorted
  HistoryDevice device;
};

/// `update_id`, `timestamp`, `origin` (`local`, `remote`, `sync`), `files_changed`, `device_id`, `device_name` (null when not known).
Json to_json(const HistoryEntry& entry);

/// Entries of one document, newest first: of `workspace` those that changed a file's entry, of a body document all.
///
/// limit  at most so many; 0: all.
std::vector<HistoryEntry> document_entries(const History& history, std::string_view doc, size_t limit = 0);

/// Entries of the file list that touch the file, and those of its text, over its renames; newest first.
std::vector<HistoryEntry> file_entries(const History& history, const std::string& path, size_t limit = 0);

/// When one stretch of work ends and the next begins.
struct GroupRule {
  DurationMs pause{5 * 60'000};  // without an edit for longer than this
  DurationMs longest{60 * 60'000};  // a group does not grow over this
  uint64_t largest = 4'000;  // units typed and deleted in one group
};

/// A stretch of work of one device: edits without a long pause between them.
struct TimelineGroup {
  HistoryPoint first = 0;
  HistoryPoint last = 0;
  TimestampMs from;
  TimestampMs until;
  HistoryOrigin origin = HistoryOrigin::Local;
  HistoryDevice device;
  std::vector<std::string> files;  // sorted, by the names they had
  std::vector<std::string> removed;  // those of them that were deleted, by a restore or in a group of deletions only
  uint64_t updates = 0;  // stored updates in it
  uint64_t inserted = 0;  // units of text, as CRDT clocks count them
  uint64_t deleted = 0;
  std::string note;  // of a restore: which; of a move: the old name

  bool operator==(const TimelineGroup&) const = default;
};

/// `first_id`, `last_id`, `from`, `until`, `origin` (all seven names), `files`, `removed`, `device_id`, `device_name`, `updates`, `inserted`,
/// `deleted`, `note`.
Json to_json(const TimelineGroup& group);

/// The groups of everything that was added, newest first. Two devices that type at the same time have a group each.
std::vector<TimelineGroup> timeline(const History& history, const GroupRule& rule = {}, size_t limit = 0);
/// The same of one file, over its renames.
std::vector<TimelineGroup> file_timeline(const History& history, const std::string& path, const GroupRule& rule = {},
                                         size_t limit = 0);

}  // namespace diaryx::sync
