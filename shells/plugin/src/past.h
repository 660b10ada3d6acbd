// The history for a command to ask: opened in one place, with the documents loaded that a question needs.
#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>

#include "diaryx/sync/history_restore.h"
#include "guest.h"

namespace diaryx::plugin {

class Past {
 public:
  /// Why there is none, for a guest that has a session: one of somebody else's workspace keeps no history. Empty: there is one.
  static std::string_view missing(Guest& guest);
  explicit Past(Guest& guest);

  const sync::History& history() const { return history_; }
  sync::HistoryPoint last() const { return log_.last(); }

  void load(const std::string& doc);
  /// The documents of a file, over its renames.
  void load_file(const std::string& path);
  /// The documents that changed last.
  void load_recent(size_t count);
  /// Documents with records after a point: what a comparison with it needs.
  void load_newer(sync::HistoryPoint point);
  void load_for(const sync::RestoreChoice& choice);
  /// Whether a path names a folder of the past or the present, or everything.
  bool names_a_folder(std::string_view path) const;

 private:
  const HistoryLog& log_;  // the guest's
  sync::History history_;
  std::set<std::string, std::less<>> loaded_;
};

/// The `update_id`-like parameter of that name; `otherwise` when it is not given. Errors: no number, or not a point that is.
std::expected<sync::HistoryPoint, std::string> point_param(const Past& past, const Json& params, const char* name,
                                                           sync::HistoryPoint otherwise);

/// A command that asks the history. Refused where there is none, see `Past::missing`.
using PastCommand = Reply (*)(Guest& guest, Past& past, const Json& params);
Reply with_past(Guest& guest, const Json& params, PastCommand run);
template <PastCommand kRun>
Reply of_past(Guest& guest, const Json& params) {
  return with_past(guest, params, kRun);
}

/// The same for going back. A file that was deleted without a word is still listed: nothing would seem to be different, and the deletion
/// would come after the restore. So it is seen first.
Reply go_back(Guest& guest, const Json& params, PastCommand run);
template <PastCommand kRun>
Reply going_back(Guest& guest, const Json& params) {
  return go_back(guest, params, kRun);
}

}  // namespace diaryx::plugin
