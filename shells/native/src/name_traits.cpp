#include "diaryx/native/name_traits.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace diaryx::native {
namespace {

constexpr const char* kCase[] = {"probe-case.tmp", "PROBE-CASE.TMP"};
constexpr const char* kForm[] = {"probe-\xc3\xa9.tmp",
                                 "probe-e\xcc\x81.tmp"};  // é as one character, and as e and an accent
constexpr const char* kWindows[] = {"probe-a?b.tmp", "probe-a:b.tmp", "probe-dot.", "probe-space "};

bool make(int folder, const char* name) {
  const UniqueFd file(::openat(folder, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  return bool(file);
}

bool is_there(int folder, const char* name) {
  struct stat info{};
  return ::fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

void remove(int folder, const char* name) { (void)::unlinkat(folder, name, 0); }

/// Calls `look(name)` with every name of the folder.
template <typename Look>
void for_each_name(int folder, Look look) {
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) return;
  DIR* const entries = ::fdopendir(copy);
  if (entries == nullptr) {
    ::close(copy);
    return;
  }
  while (const dirent* const entry = ::readdir(entries)) look(std::string_view(entry->d_name));
  ::closedir(entries);
}

bool lists(int folder, std::string_view name) {
  bool found = false;
  for_each_name(folder, [&](std::string_view listed) { found = found || listed == name; });
  return found;
}

/// The name that the folder lists for what it finds as `name`; empty when it finds nothing.
std::string listed_name(int folder, const std::string& name) {
  struct stat wanted{};
  if (::fstatat(folder, name.c_str(), &wanted, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (lists(folder, name)) return name;
  std::string found;
  for_each_name(folder, [&](std::string_view listed) {
    struct stat info{};
    const std::string candidate(listed);
    if (::fstatat(folder, candidate.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (info.st_dev == wanted.st_dev && info.st_ino == wanted.st_ino) found = candidate;
  });
  return found;
}

/// Makes the first name and looks for the second.
bool takes_for_one(int folder, const char* const (&names)[2]) {
  for (const char* name : names) remove(folder, name);
  const bool one = make(folder, names[0]) && is_there(folder, names[1]);
  for (const char* name : names) remove(folder, name);
  return one;
}

bool keeps(int folder, const char* name) {
  remove(folder, name);
  const bool kept = make(folder, name) && lists(folder, name);
  remove(folder, name);
  return kept;
}

}  // namespace

Outcome<NameTraits> probe_names(const RootFolder& root, std::string_view folder) {
  const auto opened = root.open_folder(folder);
  if (!opened) return std::unexpected(opened.error());
  const int fd = opened->get();
  if (!make(fd, kCase[0])) return os_problem("write into", folder, errno);
  NameTraits traits{.case_insensitive = takes_for_one(fd, kCase), .normalising = takes_for_one(fd, kForm)};
  for (const char* name : kWindows) traits.windows_names = traits.windows_names || !keeps(fd, name);
  return traits;
}

Outcome<std::string> listed_path(const RootFolder& root, std::string_view path) {
  std::string listed;
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const auto folder = root.open_folder(listed);
    if (!folder) return std::unexpected(folder.error());
    const std::string name = listed_name(folder->get(), std::string(path.substr(begin, end - begin)));
    if (name.empty()) return os_problem("find", path, ENOENT);
    listed += (listed.empty() ? "" : "/") + name;
    begin = end + 1;
  }
  return listed;
}

}  // namespace diaryx::native
