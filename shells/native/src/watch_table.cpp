#include "watch_table.h"

#include <sys/inotify.h>

#include <cerrno>
#include <utility>
#include <vector>

namespace diaryx::native {
namespace {

constexpr uint32_t kMask = IN_CREATE | IN_MODIFY | IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE | IN_MOVED_FROM |
                           IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_EXCL_UNLINK;

}  // namespace

std::optional<std::string_view> beneath(std::string_view path, std::string_view folder) {
  if (folder.empty()) return path;
  if (!path.starts_with(folder)) return std::nullopt;
  if (path.size() == folder.size()) return std::string_view{};
  if (path[folder.size()] != '/') return std::nullopt;
  return path.substr(folder.size() + 1);
}

std::string rebased(std::string_view path, std::string_view from, std::string_view to) {
  const auto rest = beneath(path, from);
  if (!rest) return std::string(path);
  std::string moved(to);
  if (!rest->empty()) moved.append("/").append(*rest);
  return moved;
}

Outcome<void> WatchTable::add(const std::string& folder) {
  const std::string full = folder.empty() ? location_ : location_ + "/" + folder;
  const uint32_t follow = folder.empty() ? 0 : uint32_t{IN_DONT_FOLLOW};  // only the root itself may be a link
  const int watch = ::inotify_add_watch(inotify_fd_, full.c_str(), kMask | follow);
  if (watch < 0) {
    const int error = errno;
    if (error == ENOSPC) {
      return std::unexpected(
          Problem{"the system's limit of watched folders is reached; raise it with "
                  "`sysctl fs.inotify.max_user_watches=1048576`, until then changes are found by "
                  "looking from time to time",
                  error});
    }
    return os_problem("watch the folder", folder.empty() ? location_ : folder, error);
  }
  forget(watch);  // it was watched under another name
  if (const auto other = by_folder_.find(folder); other != by_folder_.end()) {  // left, and unseen
    ::inotify_rm_watch(inotify_fd_, other->second);
    by_watch_.erase(other->second);
  }
  by_watch_.insert_or_assign(watch, folder);
  by_folder_.insert_or_assign(folder, watch);
  return {};
}

const std::string* WatchTable::folder_of(int watch) const {
  const auto found = by_watch_.find(watch);
  return found == by_watch_.end() ? nullptr : &found->second;
}

void WatchTable::forget(int watch) {
  const auto found = by_watch_.find(watch);
  if (found == by_watch_.end()) return;
  const auto folder = by_folder_.find(found->second);
  if (folder != by_folder_.end() && folder->second == watch) by_folder_.erase(folder);
  by_watch_.erase(found);
}

void WatchTable::rename(const std::string& from, const std::string& to) {
  std::vector<std::pair<std::string, int>> moved;
  for (auto entry = by_folder_.lower_bound(from); entry != by_folder_.end() && entry->first.starts_with(from);) {
    if (!beneath(entry->first, from)) {  // "notes-old" sorts between "notes" and "notes/a"
      ++entry;
      continue;
    }
    moved.emplace_back(rebased(entry->first, from, to), entry->second);
    entry = by_folder_.erase(entry);
  }
  for (auto& [folder, watch] : moved) {
    by_watch_.insert_or_assign(watch, folder);
    by_folder_.insert_or_assign(std::move(folder), watch);
  }
}

void WatchTable::remove(const std::string& folder) {
  for (auto entry = by_folder_.lower_bound(folder); entry != by_folder_.end() && entry->first.starts_with(folder);) {
    if (!beneath(entry->first, folder)) {
      ++entry;
      continue;
    }
    ::inotify_rm_watch(inotify_fd_, entry->second);
    by_watch_.erase(entry->second);
    entry = by_folder_.erase(entry);
  }
}

void WatchTable::clear() {
  by_watch_.clear();
  by_folder_.clear();
}

}  // namespace diaryx::native
