// Files that change at once or not at all, and only when the disk still holds what the caller last saw.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/native/file_hash.h"
#include "diaryx/native/root_folder.h"

namespace diaryx::native {

/// What must be on disk for a change to go through. Built by one of the two makers, so that "nothing there" is said.
struct Expectation {
  std::optional<Sha256> digest;  // nullopt: nothing may be there

  static Expectation absent() { return {}; }
  static Expectation content(const Sha256& digest) { return {digest}; }
};

enum class Verdict : uint8_t {
  Done,         // durable: file and folder are on the disk
  DiskDiffers,  // something else is there; nothing was changed, look again
};

/// Folders whose new and removed names are made durable together: the first sync of a batch mostly does it for all.
class FolderSyncs {
 public:
  /// Remembers an open folder; the same one again costs nothing.
  Outcome<void> add(int folder, std::string_view path);
  /// Waits for the disk. Until then nothing that was placed or removed counts as done.
  Outcome<void> sync();
  size_t size() const { return folders_.size(); }

 private:
  std::map<std::pair<uint64_t, uint64_t>, std::pair<UniqueFd, std::string>> folders_;  // by device and inode
};

/// Where temporary files live, beneath the root; made when missing.
inline constexpr std::string_view kStagingFolder = ".diaryx/tmp";

/// A file that is being made out of sight and takes its place in one step.
///
/// Why it loses nothing: the new content is synced before it gets its name; what it replaces is swapped out (not
/// overwritten) and compared once more, so a file that somebody saved in the last microsecond is put back. File
/// systems without an exchanging rename get a plain one after the comparison.
///
/// Unplaced files disappear with the object; those of a crashed run by `clear_staging`.
class StagedFile {
 public:
  /// `path` is where it will go: it decides the file system on which it is staged.
  static Outcome<StagedFile> create(const RootFolder& root, std::string_view path);

  StagedFile(StagedFile&& other) noexcept = default;
  StagedFile& operator=(StagedFile&& other) noexcept;
  ~StagedFile();

  Outcome<void> append(ByteView bytes);

  /// What has been appended so far, hashed on the way.
  uint64_t size_bytes() const { return size_bytes_; }

  /// Lets the disk begin with what was appended, without waiting. Worth it before `finish` of many files.
  void start_writing();

  /// Syncs the content and ends it; `append` is over. Returns its digest.
  Outcome<Sha256> finish();

  /// Gives the finished file its name if the disk meets `expected`. Makes missing folders; keeps the permission bits of
  /// the file it replaces. Called once, after `finish`. The name is durable at return.
  Outcome<Verdict> place(const Expectation& expected);
  /// The same, but the name is durable only after `later.sync()`.
  Outcome<Verdict> place(const Expectation& expected, FolderSyncs& later);

 private:
  StagedFile(const RootFolder& root, std::string_view path) : root_(&root), path_(path) {}

  Outcome<Verdict> place_new(int target_folder);
  Outcome<Verdict> swap_with_old(int target_folder, const Sha256& expected);
  void discard();

  const RootFolder* root_;
  std::string path_;
  UniqueFd folder_;  // where the temporary name is
  std::string name_;
  UniqueFd file_;
  FileHasher hasher_;
  uint64_t size_bytes_ = 0;
};

/// `finish` of each, side by side, with the outcomes in their order. The promise for each is the same: what waits for the disk at the
/// same time shares one wait.
std::vector<Outcome<Sha256>> finish_together(std::span<StagedFile* const> files);

/// Writes a whole file. Cost: two syncs.
Outcome<Verdict> write_file(const RootFolder& root, std::string_view path, ByteView bytes, const Expectation& expected);

/// Removes a file that holds exactly `expected`, and the folders that become empty with it. Done when nothing is there.
Outcome<Verdict> remove_file(const RootFolder& root, std::string_view path, const Sha256& expected);
/// The same, but durable only after `later.sync()`; empty folders are left to `RootFolder::remove_empty_parents`.
Outcome<Verdict> remove_file(const RootFolder& root, std::string_view path, const Sha256& expected, FolderSyncs& later);

/// Renames a file that holds exactly `expected` to a path where nothing is. DiskDiffers when `from` is no such file or `to` is taken.
/// Where the disk takes both names for one, the file and the folders on its way get the new spelling.
Outcome<Verdict> move_file(const RootFolder& root, std::string_view from, std::string_view to, const Sha256& expected);

/// Removes what a crashed run left. Only for the one process that holds the folder's lock.
void clear_staging(const RootFolder& root);

}  // namespace diaryx::native
