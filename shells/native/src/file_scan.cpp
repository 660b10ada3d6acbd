#include "diaryx/native/file_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "file_stamp.h"

namespace diaryx::native {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kCoarsestClockMs = 2000;  // FAT keeps even seconds only

bool is_dot(std::string_view name) { return name == "." || name == ".."; }

/// The names in an open folder. The listing is closed before the walk goes deeper: a deep tree needs few descriptors.
Outcome<std::vector<std::string>> names_in(int folder, std::string_view path) {
  UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  DIR* const listing = own ? ::fdopendir(own.get()) : nullptr;
  if (listing == nullptr) return os_problem("list the folder", path, errno);
  own.release();  // closedir closes it
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* const entry = ::readdir(listing)) {
    if (!is_dot(entry->d_name)) names.emplace_back(entry->d_name);
    errno = 0;
  }
  const int error = errno;
  ::closedir(listing);
  if (error != 0) return os_problem("list the folder", path, error);
  std::sort(names.begin(), names.end());
  return names;
}

/// Looks at one name, files it under what it is, and returns true if it is a folder to enter.
bool sort_out(int folder, const std::string& name, const std::string& path, Scan& scan) {
  struct stat info{};
  if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return false;  // gone since it was listed
    scan.problems.push_back(os_problem("look at", path, errno).error());
    scan.unread.push_back(path);
    return false;
  }
  if (S_ISDIR(info.st_mode)) return true;
  if (S_ISREG(info.st_mode)) {
    scan.files.push_back({path, to_stamp(info)});
  } else {
    scan.others.push_back(path);
  }
  return false;
}

void report(Scan& scan, const std::string& folder, Problem problem) {
  if (problem.os_error == ENOENT && !folder.empty()) return;  // gone since it was listed
  scan.problems.push_back(std::move(problem));
  scan.unread.push_back(folder);
}

void scan_one(const RootFolder& root, const std::string& folder, const PathFilter& takes_part, Scan& scan,
              std::vector<std::string>& to_enter) {
  auto opened = root.open_folder(folder);
  if (!opened) return report(scan, folder, std::move(opened.error()));
  auto names = names_in(opened->get(), folder.empty() ? root.location() : folder);
  if (!names) return report(scan, folder, std::move(names.error()));
  for (const std::string& name : *names) {
    const std::string path = folder.empty() ? name : folder + "/" + name;
    if (!takes_part(path)) continue;
    if (sort_out(opened->get(), name, path, scan)) to_enter.push_back(path);
  }
}

}  // namespace

Scan scan_folder(const RootFolder& root, std::string_view folder, const PathFilter& takes_part,
                 const FolderVisitor& on_folder) {
  Scan scan;
  std::vector<std::string> to_enter{std::string(folder)};
  while (!to_enter.empty()) {
    const std::string next = std::move(to_enter.back());
    to_enter.pop_back();
    if (on_folder && next != folder) on_folder(next);
    scan_one(root, next, takes_part, scan, to_enter);
  }
  std::sort(scan.files.begin(), scan.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return scan;
}

std::optional<Sha256> DigestCache::find(std::string_view path, const FileStamp& stamp) const {
  const auto known = entries_.find(path);
  if (known == entries_.end() || known->second.stamp != stamp) return std::nullopt;
  const int64_t age_ms = known->second.hashed_at.value() - stamp.modified_ns / kNsPerMs;
  if (std::abs(age_ms) < kCoarsestClockMs) return std::nullopt;
  return known->second.digest;
}

void DigestCache::remember(std::string_view path, const FileStamp& stamp, const Sha256& digest, TimestampMs now) {
  restore(std::string(path), KnownFile{stamp, digest, now});
}

void DigestCache::restore(std::string path, const KnownFile& known) {
  forget(path);
  by_digest_.emplace(known.digest, path);
  entries_.emplace(std::move(path), known);
}

void DigestCache::forget(std::string_view path) {
  const auto known = entries_.find(path);
  if (known == entries_.end()) return;
  by_digest_.erase({known->second.digest, known->first});
  entries_.erase(known);
}

void DigestCache::rename(std::string_view from, std::string_view to) {
  const auto known = entries_.find(from);
  if (known == entries_.end()) return forget(to);
  const KnownFile moved = known->second;
  forget(from);
  restore(std::string(to), moved);
}

std::optional<std::string> DigestCache::path_of(const Sha256& digest) const {
  const auto found = by_digest_.lower_bound({digest, {}});
  if (found == by_digest_.end() || found->first != digest) return std::nullopt;
  return found->second;
}

}  // namespace diaryx::native
