// Which inotify watch stands for which folder, and how that changes when folders are renamed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "diaryx/native/problem.h"

namespace diaryx::native {

/// The part of `path` beneath `folder`, as "" for the folder itself; nullopt when it is elsewhere.
std::optional<std::string_view> beneath(std::string_view path, std::string_view folder);

/// `path` with the leading `from` replaced by `to`; unchanged when it is not beneath `from`.
std::string rebased(std::string_view path, std::string_view from, std::string_view to);

/// One entry per watched folder; the root is the empty path. Owns the watches, not the inotify descriptor.
class WatchTable {
 public:
  WatchTable(int inotify_fd, std::string location) : inotify_fd_(inotify_fd), location_(std::move(location)) {}

  /// Watches a folder; again is harmless. Errors: errno of inotify_add_watch, with advice for ENOSPC.
  Outcome<void> add(const std::string& folder);

  /// The folder of a watch; nullptr for a watch that was removed while its events were still queued.
  const std::string* folder_of(int watch) const;

  /// The kernel ended this watch (the folder is gone).
  void forget(int watch);

  /// `from` was renamed to `to`: the watches stay, their paths change.
  void rename(const std::string& from, const std::string& to);

  /// Stops watching `folder` and all beneath.
  void remove(const std::string& folder);

  /// Forgets every path but ends no watch: `add` gives the same folder the same watch again.
  void clear();

  size_t size() const { return by_watch_.size(); }

 private:
  int inotify_fd_;
  std::string location_;
  std::unordered_map<int, std::string> by_watch_;
  std::map<std::string, int, std::less<>> by_folder_;
};

}  // namespace diaryx::native
