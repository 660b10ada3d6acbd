// What changes on disk while we run: inotify over a whole tree, told once things are quiet.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/native/file_scan.h"
#include "diaryx/native/root_folder.h"

namespace diaryx::native {

struct DiskChange {
  enum class Kind : uint8_t {
    Touched,      // look at `path`: it was made, written, replaced or removed
    Moved,        // the file `from` is now `path`; nothing is at `from`
    FolderMoved,  // what was beneath `from` is now beneath `path`
    FolderGone,   // the folder `path` left; look at every file known beneath it
    Rescan,       // changes were missed: look at everything
    RootGone,     // the root was moved, removed or unmounted: stop
  };

  Kind kind;
  std::string path;
  std::string from;

  friend bool operator==(const DiskChange&, const DiskChange&) = default;
};

/// How long a file must be left alone before it is told. Milliseconds. A large one longer: 1 s for each 50 MB, at most 30 s; if it
/// never rests, it is told after ten times that.
struct WatchTiming {
  int64_t settle_ms = 30;  // after it was closed, renamed or removed; so long may the second half of a rename take, too
  int64_t writing_ms = 400;  // after a write by somebody who keeps it open
  int64_t longest_ms = 5000;  // a file that never rests is told this often
};

/// Watches every folder beneath a root.
///
/// 1. A folder that appears is watched first and listed afterwards, so files made in between are seen (perhaps twice).
/// 2. A rename is told as Moved only if, once quiet, nothing is at the old path: an editor that saves by renaming is
///    a touch, not a move.
/// 3. Lost events (a full queue) become Rescan; nothing is silently missed.
/// 4. Moves are told before touches, and nothing is told while files or folders are being renamed or removed (for at most
///    `longest_ms`): where a path went may be seen later than that it was left, and a folder is deleted file by file. Whoever is
///    told must see all of it at once.
///
/// It starts no thread and asks no clock: call `read_events` when `fd()` is readable and `take_quiet` at the deadline.
class FileWatcher {
 public:
  /// Watches `root` and everything beneath that `takes_part`. `root` must outlive the watcher.
  ///
  /// Errors   inotify itself is refused. Folders that could not be watched are told by `incomplete`.
  static Outcome<FileWatcher> create(const RootFolder& root, PathFilter takes_part, WatchTiming timing = {});

  FileWatcher(FileWatcher&&) noexcept;
  FileWatcher& operator=(FileWatcher&&) noexcept;
  ~FileWatcher();

  /// Readable when something happened. Stays the same for the watcher's life.
  int fd() const;

  /// Takes in all that is waiting; never blocks.
  void read_events(TimestampMs now);

  /// What has become quiet by `now`; reads what is waiting first.
  std::vector<DiskChange> take_quiet(TimestampMs now);

  /// When `take_quiet` will have something more, if nothing else happens.
  std::optional<TimestampMs> next_deadline() const;

  /// Why some folders are not watched (mostly the system's limit), else nullopt: then scan from time to time.
  const std::optional<Problem>& incomplete() const;

 private:
  class Impl;
  explicit FileWatcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace diaryx::native
