// Going back to a point: what would change, and the command that does it.
//
// A plan is made from the history alone, so it can be shown first. `RestoreFiles` (event.h) carries it out on the documents of
// today: the difference between what is there and what is wanted, never an old state. Undoing is one more plan.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/json.h"
#include "diaryx/sync/event.h"
#include "diaryx/sync/history.h"
#include "diaryx/sync/history_diff.h"

namespace diaryx::sync {

struct RestoreChoice {
  HistoryPoint point = 0;
  /// Files and folders; none: the whole workspace. A file keeps the name it has now. In folders and the workspace files are called
  /// again what they were called, and those that came later go.
  std::vector<std::string> paths;
  /// Of one file: only these hunks of `diff_lines(then, now)`, counted from 0; none: all of it.
  std::vector<size_t> hunks;
};

/// Why something that was asked for is not in the plan.
struct RestoreSkip {
  std::string path;  // empty: the whole workspace
  std::string reason;  // a sentence for people
};

struct RestorePlan {
  std::vector<RestoreFile> files;  // by path; those that change
  std::vector<RestoreSkip> skipped;
};

/// Whether a path is one of the chosen ones, or inside of one; nothing is chosen: it is.
bool is_chosen(std::string_view path, std::span<const std::string> chosen);

/// What restoring would do, from what the history holds. The documents of the files have to be here: those that
/// `documents_for_restore` names.
///
/// now  the state it starts from; later edits are merged when it is carried out.
RestorePlan plan_restore(const History& history, const RestoreChoice& choice, HistoryPoint now = kHistoryNow);
/// newer  documents of the store that have records after the point.
std::vector<std::string> documents_for_restore(const History& history, const RestoreChoice& choice,
                                               std::span<const std::string> newer);

/// A restore that was carried out, as the history knows it.
struct DoneRestore {
  std::string id;
  HistoryPoint before = 0;  // the point just before it
  HistoryPoint after = 0;  // its last record
  TimestampMs time;
  std::vector<std::string> paths;
};
/// The restores in the documents that are here, newest first.
std::vector<DoneRestore> done_restores(const History& history);
/// The restore of this id, or the last one, with all that it did. A large one began in documents that are not among those that
/// changed lately, so it looks further and further back until nothing more of it turns up.
///
/// load_newer  loads the documents of the store that have records after a point.
template <typename LoadNewer>
std::optional<DoneRestore> find_restore(const History& history, std::optional<std::string_view> id,
                                        LoadNewer load_newer) {
  HistoryPoint known = kHistoryNow;
  for (HistoryPoint step = 1024;; step *= 2) {
    const std::vector<DoneRestore> restores = done_restores(history);
    const auto found = id ? std::ranges::find(restores, *id, &DoneRestore::id) : restores.begin();
    if (found == restores.end()) return std::nullopt;
    if (found->before == known) return *found;
    known = found->before;
    load_newer(known - std::min(known, step));
  }
}
/// Takes back what a restore did, and nothing that was done since.
RestorePlan plan_undo(const History& history, const DoneRestore& restore);

enum class RestoreStep : uint8_t { Change, BringBack, TakeAway, Rename };
RestoreStep step_of(const RestoreFile& file);
std::string_view name_of(RestoreStep step);

/// `{"files":[{"path","step","renamed_from","binary","hunks"}],"skipped":[{"path","reason"}]}`
Json to_json(const RestorePlan& plan);

}  // namespace diaryx::sync
