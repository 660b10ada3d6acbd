// A folder that nothing leaves: every path is walked beneath an open descriptor and no link is followed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/base/bytes.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/unique_fd.h"

namespace diaryx::native {

/// What tells one state of a file on disk from another without reading it.
struct FileStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size_bytes = 0;
  int64_t modified_ns = 0;  // Unix nanoseconds, from the file system
  int64_t changed_ns = 0;  // the same, of any change to the file, its name or its times: no program sets this one back

  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

enum class EntryKind : uint8_t {
  Absent,  // nothing there, nor can be: the way to it is a file
  File,  // a regular file
  Folder,
  Other,  // a symbolic link (or something beneath one), socket, device, pipe: never read, never replaced
};

struct Entry {
  EntryKind kind = EntryKind::Absent;
  FileStamp stamp{};
};

struct FileContent {
  Bytes bytes;
  FileStamp stamp;  // true for exactly these bytes: it did not move while they were read
};

enum class MissingFolders : uint8_t { Refuse, Create };

/// True for a path that may be used beneath a root: relative, `/` between names, no empty name, no `.` or `..`,
/// no NUL, names of at most 255 bytes. It asks nothing of the disk.
bool is_safe_path(std::string_view path);

/// A folder that nothing leaves.
///
/// 1. Every path is walked name by name from an open descriptor of the root with O_NOFOLLOW, so neither `..` nor a
///    symbolic link, present or swapped in at the last moment, leads outside.
/// 2. Only regular files are read or replaced.
/// 3. Paths are relative, as in the workspace; sentences in problems name them that way.
///
/// Not copied; may be used from one thread at a time.
class RootFolder {
 public:
  /// Opens an existing folder. The last name may be a symbolic link: it is the user's choice of root.
  static Outcome<RootFolder> open(const std::string& folder);

  const std::string& location() const { return location_; }
  int fd() const { return fd_.get(); }

  /// The folder that holds the last name of `path`. With Create, folders on the way are made (mode 0777 & ~umask).
  Outcome<UniqueFd> open_parent(std::string_view path, MissingFolders missing) const;

  /// The folder itself; an empty path is the root. For walking.
  Outcome<UniqueFd> open_folder(std::string_view path) const;

  /// What is at `path` now. A missing folder on the way means Absent, not a problem.
  Outcome<Entry> look(std::string_view path) const;

  /// Opens a regular file for reading; ENOENT and a kind that is not File are problems.
  Outcome<UniqueFd> open_file(std::string_view path) const;

  /// The whole file, read while nobody changed it.
  ///
  /// Errors   EFBIG when larger than `max_bytes`; EAGAIN when it kept changing while it was read (look again when it
  ///          is quiet); ENOENT when nothing is there.
  Outcome<FileContent> read(std::string_view path, uint64_t max_bytes) const;

  /// Removes the folders above `path` that have become empty, never the root.
  void remove_empty_parents(std::string_view path) const;

 private:
  RootFolder(std::string location, UniqueFd fd) : location_(std::move(location)), fd_(std::move(fd)) {}

  std::string location_;
  UniqueFd fd_;
};

/// The part of `path` after its last `/`.
std::string_view last_name(std::string_view path);

/// The part of `path` before its last `/`; empty at the top.
std::string_view parent_of(std::string_view path);

/// The stamp of an open file.
Outcome<FileStamp> stamp_of(int fd, std::string_view name_for_people);

}  // namespace diaryx::native
