#include "diaryx/native/atomic_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "diaryx/native/name_traits.h"

namespace diaryx::native {
namespace {

constexpr mode_t kPermissionBits = 07777;
constexpr size_t kWaitingTogether = 16;

/// Unique within the process; the folder's lock makes it unique within the folder.
std::string temporary_name() {
  static std::atomic<uint64_t> next{0};
  return std::to_string(::getpid()) + "-" + std::to_string(next.fetch_add(1)) + ".tmp";
}

int rename_with(int from_folder, const std::string& from, int to_folder, const std::string& to, unsigned flags) {
  return int(::syscall(SYS_renameat2, from_folder, from.c_str(), to_folder, to.c_str(), flags));
}

bool flag_is_unknown(int os_error) { return os_error == EINVAL || os_error == ENOSYS || os_error == ENOTSUP; }

/// Renames to a name that nothing has; 0 or an errno. Some disks (FUSE, network) cannot do that in one step: there the name is looked
/// at first, and whoever takes it in the moment in between is replaced.
int rename_to_free(int from_folder, const std::string& from, int to_folder, const std::string& to) {
  if (rename_with(from_folder, from, to_folder, to, RENAME_NOREPLACE) == 0) return 0;
  if (!flag_is_unknown(errno)) return errno;
  struct stat info{};
  if (::fstatat(to_folder, to.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  return ::renameat(from_folder, from.c_str(), to_folder, to.c_str()) == 0 ? 0 : errno;
}

/// The digest of a name within an open folder; nullopt when it is not a regular file.
Outcome<std::optional<Sha256>> hash_name(int folder, const std::string& name, std::string_view path) {
  const UniqueFd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT || errno == ELOOP) return std::nullopt;
    return os_problem("open", path, errno);
  }
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return os_problem("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return std::nullopt;
  auto digest = hash_descriptor(file.get(), path);
  if (!digest) return std::unexpected(std::move(digest.error()));
  return std::optional(*digest);
}

Outcome<void> sync_folder(int folder, std::string_view path) {
  if (::fsync(folder) != 0) return os_problem("make durable the folder of", path, errno);
  return {};
}

Outcome<void> sync_both(int one, int other, std::string_view path) {
  if (auto synced = sync_folder(one, path); !synced) return synced;
  return sync_folder(other, path);
}

/// Calls `wait` for 0 ... `count - 1`, some at the same time: what waits for one disk at one time shares the wait. Alone it is a call.
void wait_together(size_t count, const std::function<void(size_t)>& wait) {
  std::atomic<size_t> next{0};
  const auto take_turns = [&] {
    for (size_t i = next++; i < count; i = next++) wait(i);
  };
  std::vector<std::jthread> helpers;
  while (helpers.size() + 1 < std::min(count, kWaitingTogether)) {
    try {
      helpers.emplace_back(take_turns);
    } catch (const std::system_error&) {
      break;  // the system gives no more threads: those that are there do it all
    }
  }
  take_turns();
}

/// A user's text that could not be put back keeps existing under a name that `clear_staging` leaves alone.
std::unexpected<Problem> keep_aside(int folder, std::string& name, std::string_view path, int os_error) {
  const std::string kept = name + ".kept";
  const bool renamed = ::renameat(folder, name.c_str(), folder, kept.c_str()) == 0;
  std::string sentence =
      "cannot put back " + std::string(path) + ", which was saved while it was being replaced; its text is in ";
  sentence.append(kStagingFolder).append("/").append(renamed ? kept : name);
  name.clear();
  return std::unexpected(Problem{std::move(sentence), os_error});
}

bool on_one_device(int one, int other) {
  struct stat a{};
  struct stat b{};
  return ::fstat(one, &a) == 0 && ::fstat(other, &b) == 0 && a.st_dev == b.st_dev;
}

/// The staging folder, or the target's own one when that is on another file system (a mount inside the root).
Outcome<UniqueFd> staging_for(const RootFolder& root, int target_folder) {
  auto staging = root.open_parent(std::string(kStagingFolder) + "/x", MissingFolders::Create);
  if (!staging) return staging;
  if (on_one_device(staging->get(), target_folder)) return staging;
  return UniqueFd(::openat(target_folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

}  // namespace

Outcome<void> FolderSyncs::add(int folder, std::string_view path) {
  struct stat info{};
  if (::fstat(folder, &info) != 0) return os_problem("look at the folder of", path, errno);
  const std::pair key{uint64_t(info.st_dev), uint64_t(info.st_ino)};
  if (folders_.contains(key)) return {};
  UniqueFd own(::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return os_problem("open the folder of", path, errno);
  folders_.emplace(key, std::pair(std::move(own), std::string(path)));
  return {};
}

Outcome<void> FolderSyncs::sync() {
  const auto folders = std::exchange(folders_, {});
  std::vector<Outcome<void>> outcomes(folders.size());
  wait_together(folders.size(), [&](size_t i) {
    const auto& [folder, path] = std::next(folders.begin(), ptrdiff_t(i))->second;
    outcomes[i] = sync_folder(folder.get(), path);
  });
  const auto failed = std::ranges::find_if(outcomes, [](const auto& outcome) { return !outcome; });
  return failed == outcomes.end() ? Outcome<void>{} : std::move(*failed);
}

Outcome<StagedFile> StagedFile::create(const RootFolder& root, std::string_view path) {
  const auto target = root.open_parent(path, MissingFolders::Create);
  if (!target) return std::unexpected(target.error());
  auto staging = staging_for(root, target->get());
  if (!staging) return std::unexpected(std::move(staging.error()));
  StagedFile staged(root, path);
  staged.folder_ = std::move(*staging);
  staged.name_ = temporary_name();
  staged.file_.reset(
      ::openat(staged.folder_.get(), staged.name_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!staged.file_) {
    const int error = errno;
    staged.name_.clear();
    return os_problem("write", path, error);
  }
  return staged;
}

StagedFile& StagedFile::operator=(StagedFile&& other) noexcept {
  if (this == &other) return *this;
  discard();
  root_ = other.root_;
  path_ = std::move(other.path_);
  folder_ = std::move(other.folder_);
  name_ = std::exchange(other.name_, {});
  file_ = std::move(other.file_);
  hasher_ = std::move(other.hasher_);
  size_bytes_ = other.size_bytes_;
  return *this;
}

StagedFile::~StagedFile() { discard(); }

void StagedFile::discard() {
  if (folder_ && !name_.empty()) ::unlinkat(folder_.get(), name_.c_str(), 0);
  name_.clear();
}

Outcome<void> StagedFile::append(ByteView bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t wrote = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return os_problem("write", path_, errno);
    done += size_t(wrote);
  }
  hasher_.update(bytes);
  size_bytes_ += bytes.size();
  return {};
}

void StagedFile::start_writing() { ::sync_file_range(file_.get(), 0, 0, SYNC_FILE_RANGE_WRITE); }

Outcome<Sha256> StagedFile::finish() {
  if (::fsync(file_.get()) != 0) return os_problem("make durable", path_, errno);
  return hasher_.finish();
}

std::vector<Outcome<Sha256>> finish_together(std::span<StagedFile* const> files) {
  std::vector<Outcome<Sha256>> outcomes(files.size(), Sha256{});
  wait_together(files.size(), [&](size_t i) { outcomes[i] = files[i]->finish(); });
  return outcomes;
}

Outcome<Verdict> StagedFile::place(const Expectation& expected) {
  FolderSyncs now;
  auto verdict = place(expected, now);
  if (auto synced = now.sync(); !synced) return std::unexpected(std::move(synced.error()));
  return verdict;
}

Outcome<Verdict> StagedFile::place(const Expectation& expected, FolderSyncs& later) {
  const auto target = root_->open_parent(path_, MissingFolders::Create);
  if (!target) return std::unexpected(target.error());
  auto verdict = expected.digest ? swap_with_old(target->get(), *expected.digest) : place_new(target->get());
  if (!verdict || *verdict != Verdict::Done) return verdict;
  if (auto added = later.add(target->get(), path_); !added) return std::unexpected(std::move(added.error()));
  return Verdict::Done;
}

Outcome<Verdict> StagedFile::place_new(int target_folder) {
  const std::string target(last_name(path_));
  if (rename_with(folder_.get(), name_, target_folder, target, RENAME_NOREPLACE) == 0) {
    name_.clear();
    return Verdict::Done;
  }
  if (errno == EEXIST) return Verdict::DiskDiffers;
  // linkat refuses an existing name as well, on file systems that know no renameat2 flags.
  if (flag_is_unknown(errno) && ::linkat(folder_.get(), name_.c_str(), target_folder, target.c_str(), 0) == 0) {
    discard();
    return Verdict::Done;
  }
  if (errno == EEXIST) return Verdict::DiskDiffers;
  return os_problem("write", path_, errno);
}

Outcome<Verdict> StagedFile::swap_with_old(int target_folder, const Sha256& expected) {
  const std::string target(last_name(path_));
  const auto now = hash_name(target_folder, target, path_);
  if (!now) return std::unexpected(now.error());
  if (!*now || **now != expected) return Verdict::DiskDiffers;

  struct stat old{};
  if (::fstatat(target_folder, target.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0) {
    // A new file may not be readable by more people than the one it replaces.
    if (::fchmod(file_.get(), old.st_mode & kPermissionBits) != 0 && errno != EPERM) {
      return os_problem("set the permissions of", path_, errno);
    }
  }
  if (rename_with(folder_.get(), name_, target_folder, target, RENAME_EXCHANGE) != 0) {
    if (errno == ENOENT) return Verdict::DiskDiffers;
    if (!flag_is_unknown(errno)) return os_problem("write", path_, errno);
    if (::renameat(folder_.get(), name_.c_str(), target_folder, target.c_str()) != 0)
      return os_problem("write", path_, errno);
    name_.clear();
    return Verdict::Done;
  }
  // The old file now has our temporary name. If somebody saved between the comparison and the swap, their text is in
  // it: swap back. A second save in that instant goes to our file's name and comes back to us as the next change.
  const auto swapped_out = hash_name(folder_.get(), name_, path_);
  if (swapped_out && *swapped_out && **swapped_out == expected) {
    discard();
    return Verdict::Done;
  }
  if (rename_with(folder_.get(), name_, target_folder, target, RENAME_EXCHANGE) != 0) {
    return keep_aside(folder_.get(), name_, path_, errno);
  }
  return Verdict::DiskDiffers;
}

Outcome<Verdict> write_file(const RootFolder& root, std::string_view path, ByteView bytes,
                            const Expectation& expected) {
  auto staged = StagedFile::create(root, path);
  if (!staged) return std::unexpected(std::move(staged.error()));
  if (auto appended = staged->append(bytes); !appended) return std::unexpected(std::move(appended.error()));
  if (auto digest = staged->finish(); !digest) return std::unexpected(std::move(digest.error()));
  return staged->place(expected);
}

Outcome<Verdict> remove_file(const RootFolder& root, std::string_view path, const Sha256& expected) {
  FolderSyncs now;
  auto verdict = remove_file(root, path, expected, now);
  if (auto synced = now.sync(); !synced) return std::unexpected(std::move(synced.error()));
  if (verdict && *verdict == Verdict::Done) root.remove_empty_parents(path);
  return verdict;
}

Outcome<Verdict> remove_file(const RootFolder& root, std::string_view path, const Sha256& expected,
                             FolderSyncs& later) {
  const auto entry = root.look(path);
  if (!entry) return std::unexpected(entry.error());
  if (entry->kind == EntryKind::Absent) return Verdict::Done;
  const auto folder = root.open_parent(path, MissingFolders::Refuse);
  if (!folder) return std::unexpected(folder.error());
  const std::string name(last_name(path));
  const auto now = hash_name(folder->get(), name, path);
  if (!now) return std::unexpected(now.error());
  if (!*now || **now != expected) return Verdict::DiskDiffers;

  // Moved aside first, looked at again, and only then removed: a save in between is put back.
  const auto staging = staging_for(root, folder->get());
  if (!staging) return std::unexpected(staging.error());
  std::string aside = temporary_name();
  if (::renameat(folder->get(), name.c_str(), staging->get(), aside.c_str()) != 0) {
    if (errno == ENOENT) return Verdict::Done;
    return os_problem("remove", path, errno);
  }
  const auto moved = hash_name(staging->get(), aside, path);
  if (!moved || !*moved || **moved != expected) {
    if (const int error = rename_to_free(staging->get(), aside, folder->get(), name); error != 0) {
      return keep_aside(staging->get(), aside, path, error);
    }
    return Verdict::DiskDiffers;
  }
  if (::unlinkat(staging->get(), aside.c_str(), 0) != 0) return os_problem("remove", path, errno);
  if (auto added = later.add(folder->get(), path); !added) return std::unexpected(std::move(added.error()));
  return Verdict::Done;
}

namespace {

/// A name for the moment between two names that the disk takes for one. It is no temporary name: if the power fails now, the file
/// is found under it and is not missed.
std::string name_in_between(std::string_view name) {
  const size_t dot = name.rfind('.');
  const std::string_view end = dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot);
  return std::string(name.substr(0, name.size() - end.size())) + " (renaming)" + std::string(end);
}

/// Gives something another name that the disk takes for its present one, which it would not do in one step. Returns an errno.
int respell(int folder, const std::string& name, const std::string& wanted) {
  const std::string between = name_in_between(wanted);
  if (const int error = rename_to_free(folder, name, folder, between); error != 0) return error;
  const int error = rename_to_free(folder, between, folder, wanted);
  if (error != 0) (void)rename_to_free(folder, between, folder, name);
  return error;
}

/// The folders on the way get the spelling that `path` has, then the file itself.
int respell_way(const RootFolder& root, std::string_view path) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const auto listed = listed_path(root, path.substr(0, end));
    const auto parent = root.open_parent(path.substr(0, end), MissingFolders::Refuse);
    if (!listed || !parent) return ENOENT;
    const std::string wanted(path.substr(begin, end - begin));
    const std::string present(last_name(*listed));
    if (const int error = present == wanted ? 0 : respell(parent->get(), present, wanted); error != 0) return error;
    begin = end + 1;
  }
  return 0;
}

}  // namespace

Outcome<Verdict> move_file(const RootFolder& root, std::string_view from, std::string_view to, const Sha256& expected) {
  const auto entry = root.look(from);
  if (!entry) return std::unexpected(entry.error());
  if (entry->kind != EntryKind::File) return Verdict::DiskDiffers;
  const auto source = root.open_parent(from, MissingFolders::Refuse);
  if (!source) return std::unexpected(source.error());
  const std::string name(last_name(from));
  // Somebody may have put another file there since this was wanted.
  const auto now = hash_name(source->get(), name, from);
  if (!now) return std::unexpected(now.error());
  if (!*now || **now != expected) return Verdict::DiskDiffers;
  const auto target = root.open_parent(to, MissingFolders::Create);
  if (!target) return std::unexpected(target.error());
  const auto there = root.look(to);
  if (!there) return std::unexpected(there.error());
  // Found under `to` and listed under another name; two links to one file are listed both.
  const bool one_file = there->kind == EntryKind::File && there->stamp.device == entry->stamp.device &&
                        there->stamp.inode == entry->stamp.inode &&
                        listed_path(root, to).value_or(std::string(to)) != to;
  const int error =
      one_file ? respell_way(root, to) : rename_to_free(source->get(), name, target->get(), std::string(last_name(to)));
  if (error == EEXIST || error == ENOENT) return Verdict::DiskDiffers;
  if (error != 0) return os_problem("rename", std::string(from) + " to " + std::string(to), error);
  if (one_file) {
    const auto folder = root.open_parent(to, MissingFolders::Refuse);  // which may have another name by now
    if (!folder) return std::unexpected(folder.error());
    if (auto synced = sync_folder(folder->get(), to); !synced) return std::unexpected(std::move(synced.error()));
    return Verdict::Done;
  }
  if (auto synced = sync_both(target->get(), source->get(), to); !synced)
    return std::unexpected(std::move(synced.error()));
  root.remove_empty_parents(from);
  return Verdict::Done;
}

void clear_staging(const RootFolder& root) {
  auto staging = root.open_folder(kStagingFolder);
  if (!staging) return;
  DIR* const listing = ::fdopendir(staging->get());
  if (listing == nullptr) return;
  const int folder = staging->release();  // closedir closes it
  while (const dirent* const entry = ::readdir(listing)) {
    if (std::string_view(entry->d_name).ends_with(".tmp")) ::unlinkat(folder, entry->d_name, 0);
  }
  ::closedir(listing);
}

}  // namespace diaryx::native
