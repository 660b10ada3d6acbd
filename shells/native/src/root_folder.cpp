#include "diaryx/native/root_folder.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "file_stamp.h"

namespace diaryx::native {
namespace {

constexpr size_t kMaxPathBytes = 4096;
constexpr size_t kMaxNameBytes = 255;
constexpr int kReadAttempts = 3;

EntryKind to_kind(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::File;
  if (S_ISDIR(mode)) return EntryKind::Folder;
  return EntryKind::Other;
}

/// O_NOFOLLOW answers ELOOP for a link and, with O_DIRECTORY, ENOTDIR for a file: neither is a folder of ours.
bool means_not_there(int os_error) { return os_error == ENOENT || os_error == ENOTDIR || os_error == ELOOP; }

int open_subfolder(int parent, const std::string& name) {
  return ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/// Steps from `folder` into `name`, making it first when asked to.
Outcome<UniqueFd> step_into(int folder, const std::string& name, std::string_view way, MissingFolders missing) {
  int next = open_subfolder(folder, name);
  if (next < 0 && errno == ENOENT && missing == MissingFolders::Create) {
    if (::mkdirat(folder, name.c_str(), 0777) != 0 && errno != EEXIST) return os_problem("make the folder", way, errno);
    next = open_subfolder(folder, name);
  }
  if (next < 0) {
    const int error = errno;
    if (error == ELOOP || error == ENOTDIR) {
      return std::unexpected(
          Problem{"cannot go into " + std::string(way) +
                      ": it is not a folder but a file or a symbolic link, and links are not followed",
                  error});
    }
    return os_problem("open the folder", way, error);
  }
  return UniqueFd(next);
}

/// Reads until `size_bytes` have come or the file ends; one byte more is asked for so that growth is seen.
Outcome<Bytes> read_all(int fd, uint64_t size_bytes, std::string_view path) {
  Bytes bytes(size_t(size_bytes) + 1);
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(fd, bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_problem("read", path, errno);
    if (got == 0) break;
    filled += size_t(got);
  }
  bytes.resize(filled);
  return bytes;
}

}  // namespace

std::string_view last_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view parent_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes || path.find('\0') != std::string_view::npos) return false;
  for (size_t begin = 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == ".." || name.size() > kMaxNameBytes) return false;
    begin = end + 1;
  }
  return true;
}

Outcome<FileStamp> stamp_of(int fd, std::string_view name_for_people) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return os_problem("look at", name_for_people, errno);
  return to_stamp(info);
}

Outcome<RootFolder> RootFolder::open(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return os_problem("open the folder", folder, errno);
  return RootFolder(folder, UniqueFd(fd));
}

Outcome<UniqueFd> RootFolder::open_folder(std::string_view path) const {
  if (!path.empty() && !is_safe_path(path)) {
    return problem("the path \"" + std::string(path) +
                   "\" leads out of the folder or is not a path, so it is not used");
  }
  UniqueFd folder(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return os_problem("open the folder", location_, errno);
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    auto next = step_into(folder.get(), std::string(path.substr(begin, end - begin)), path.substr(0, end),
                          MissingFolders::Refuse);
    if (!next) return std::unexpected(std::move(next.error()));
    folder = std::move(*next);
    begin = end + 1;
  }
  return folder;
}

Outcome<UniqueFd> RootFolder::open_parent(std::string_view path, MissingFolders missing) const {
  if (!is_safe_path(path)) {
    return problem("the path \"" + std::string(path) +
                   "\" leads out of the folder or is not a path, so it is not used");
  }
  UniqueFd folder(::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return os_problem("open the folder", location_, errno);
  for (size_t begin = 0;;) {
    const size_t end = path.find('/', begin);
    if (end == std::string_view::npos) return folder;
    auto next = step_into(folder.get(), std::string(path.substr(begin, end - begin)), path.substr(0, end), missing);
    if (!next) return std::unexpected(std::move(next.error()));
    folder = std::move(*next);
    begin = end + 1;
  }
}

Outcome<Entry> RootFolder::look(std::string_view path) const {
  const auto parent = open_parent(path, MissingFolders::Refuse);
  if (!parent) {
    if (!means_not_there(parent.error().os_error)) return std::unexpected(parent.error());
    // Behind a link there may well be something; behind a file or nothing there is nothing.
    const auto above = parent_of(path).empty() ? Outcome<Entry>{} : look(parent_of(path));
    return Entry{above && above->kind == EntryKind::Other ? EntryKind::Other : EntryKind::Absent, {}};
  }
  struct stat info{};
  if (::fstatat(parent->get(), std::string(last_name(path)).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (means_not_there(errno)) return Entry{};
    return os_problem("look at", path, errno);
  }
  return Entry{to_kind(info.st_mode), to_stamp(info)};
}

Outcome<UniqueFd> RootFolder::open_file(std::string_view path) const {
  const auto parent = open_parent(path, MissingFolders::Refuse);
  if (!parent) return std::unexpected(parent.error());
  // O_NONBLOCK: a pipe that took the file's place must not make us wait for a writer.
  UniqueFd file(
      ::openat(parent->get(), std::string(last_name(path)).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return os_problem("open", path, errno);
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return os_problem("look at", path, errno);
  if (!S_ISREG(info.st_mode)) {
    return std::unexpected(Problem{std::string(path) + " is not a regular file, so it is not synced", EINVAL});
  }
  return file;
}

Outcome<FileContent> RootFolder::read(std::string_view path, uint64_t max_bytes) const {
  for (int attempt = 0; attempt < kReadAttempts; ++attempt) {
    const auto file = open_file(path);
    if (!file) return std::unexpected(file.error());
    const auto before = stamp_of(file->get(), path);
    if (!before) return std::unexpected(before.error());
    if (before->size_bytes > max_bytes) {
      return std::unexpected(Problem{std::string(path) + " is " + std::to_string(before->size_bytes) +
                                         " bytes, more than the " + std::to_string(max_bytes) +
                                         " that are read at once",
                                     EFBIG});
    }
    auto bytes = read_all(file->get(), before->size_bytes, path);
    if (!bytes) return std::unexpected(std::move(bytes.error()));
    const auto after = stamp_of(file->get(), path);
    if (!after) return std::unexpected(after.error());
    if (*before == *after && bytes->size() == after->size_bytes) return FileContent{std::move(*bytes), *after};
  }
  return std::unexpected(
      Problem{std::string(path) + " is being written just now; it is read when it is quiet", EAGAIN});
}

void RootFolder::remove_empty_parents(std::string_view path) const {
  for (std::string_view folder = parent_of(path); !folder.empty(); folder = parent_of(folder)) {
    const auto parent = open_parent(folder, MissingFolders::Refuse);
    if (!parent) return;
    if (::unlinkat(parent->get(), std::string(last_name(folder)).c_str(), AT_REMOVEDIR) != 0) return;
  }
}

}  // namespace diaryx::native
