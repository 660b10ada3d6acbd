#include "diaryx/native/file_watcher.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <set>
#include <utility>

#include "quiet_queue.h"
#include "watch_table.h"

namespace diaryx::native {
namespace {

constexpr size_t kReadBytes = 64 * 1024;

// To read and send a file takes the longer, the larger it is. One that grows while it is looked at costs no more than some looks at
// its end if it must rest, each time, in proportion to its size.
constexpr uint64_t kBytesPerRestMs = 50'000;
constexpr int64_t kLongestRestMs = 30'000;

/// The first half of a rename, waiting for the second.
struct HalfMove {
  std::string from;
  bool is_folder;
};

struct Move {
  std::string from;
  std::string to;
  bool is_folder;
};

struct Place {
  std::string path;
  bool is_folder;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// Renames and removals that follow each other are told together.
struct Unrest {
  int64_t first_ms;
  int64_t due_ms;
};

}  // namespace

class FileWatcher::Impl {
 public:
  Impl(const RootFolder& root, PathFilter takes_part, WatchTiming timing, UniqueFd fd)
      : root_(root),
        takes_part_(std::move(takes_part)),
        timing_(timing),
        fd_(std::move(fd)),
        table_(fd_.get(), root.location()),
        touched_(timing.longest_ms, [this](const std::string& path) { return rest_ms_of(path); }) {}

  int fd() const { return fd_.get(); }
  const std::optional<Problem>& incomplete() const { return incomplete_; }

  void watch_everything();
  void read_events(int64_t now_ms);
  std::vector<DiskChange> take_quiet(int64_t now_ms);
  std::optional<int64_t> next_due_ms() const;

 private:
  void on_event(const inotify_event& event, std::string_view name, int64_t now_ms);
  void on_folder_event(uint32_t mask, uint32_t cookie, const std::string& path, int64_t now_ms);
  void on_file_event(uint32_t mask, uint32_t cookie, const std::string& path, int64_t now_ms);
  void on_moved_to(uint32_t cookie, const std::string& path, bool is_folder, int64_t now_ms);
  void on_overflow(int64_t now_ms);
  void add_half_move(uint32_t cookie, const std::string& path, bool is_folder, int64_t now_ms);
  void add_move(const HalfMove& half, const std::string& to, int64_t now_ms);
  void note_unrest(int64_t now_ms);
  void adopt_folder(const std::string& path, int64_t now_ms);
  void lose_folder(const std::string& path);
  void end_halves_beneath(const std::string& path);
  void watch(const std::string& folder);
  Scan watch_tree(const std::string& folder);
  bool expire_half_moves(int64_t now_ms);
  bool take_moves(int64_t now_ms, std::vector<DiskChange>& out);
  void look_again(const Place& place, int64_t now_ms);
  bool is_there(const std::string& path) const;
  int64_t rest_ms_of(const std::string& path) const;

  const RootFolder& root_;
  PathFilter takes_part_;
  WatchTiming timing_;
  UniqueFd fd_;
  WatchTable table_;
  QuietQueue touched_;
  std::map<uint32_t, HalfMove> half_moves_;  // by cookie
  std::vector<Move> moves_;  // in the order in which they happened
  std::set<Place> passed_;  // where something was on its way
  std::optional<Unrest> unrest_;  // while there are moves, halves, folders that are gone, or all is to be looked at
  std::vector<std::string> gone_folders_;
  bool rescan_ = false;
  bool root_gone_ = false;
  std::optional<Problem> incomplete_;
};

void FileWatcher::Impl::watch(const std::string& folder) {
  auto added = table_.add(folder);
  if (added || added.error().os_error == ENOENT || added.error().os_error == ENOTDIR) return;  // gone again: no problem
  if (!incomplete_) incomplete_ = std::move(added.error());
}

Scan FileWatcher::Impl::watch_tree(const std::string& folder) {
  watch(folder);
  return scan_folder(root_, folder, takes_part_, [this](const std::string& inside) { watch(inside); });
}

void FileWatcher::Impl::watch_everything() { watch_tree({}); }

void FileWatcher::Impl::read_events(int64_t now_ms) {
  alignas(inotify_event) std::array<char, kReadBytes> buffer;
  for (;;) {
    const ssize_t got = ::read(fd_.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;  // EAGAIN: nothing more waits
    for (size_t at = 0; at < size_t(got);) {
      inotify_event event;
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* const name = buffer.data() + at + sizeof event;
      on_event(event, event.len == 0 ? std::string_view{} : std::string_view(name, ::strnlen(name, event.len)), now_ms);
      at += sizeof event + event.len;
    }
  }
}

void FileWatcher::Impl::on_event(const inotify_event& event, std::string_view name, int64_t now_ms) {
  if (event.mask & IN_Q_OVERFLOW) return on_overflow(now_ms);
  const std::string* const folder = table_.folder_of(event.wd);
  if (folder == nullptr) return;
  if (name.empty()) {
    const bool left = (event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) != 0;
    if (left && folder->empty()) root_gone_ = true;
    if (event.mask & IN_IGNORED) table_.forget(event.wd);
    return;
  }
  const std::string path = folder->empty() ? std::string(name) : *folder + "/" + std::string(name);
  if (!takes_part_(path)) return;
  if (event.mask & IN_ISDIR) return on_folder_event(event.mask, event.cookie, path, now_ms);
  on_file_event(event.mask, event.cookie, path, now_ms);
}

void FileWatcher::Impl::on_folder_event(uint32_t mask, uint32_t cookie, const std::string& path, int64_t now_ms) {
  if (mask & IN_CREATE) {
    end_halves_beneath(path);
    adopt_folder(path, now_ms);
  }
  if (mask & IN_DELETE) {
    gone_folders_.push_back(path);
    note_unrest(now_ms);
  }
  if (mask & IN_MOVED_FROM) add_half_move(cookie, path, true, now_ms);
  if (mask & IN_MOVED_TO) on_moved_to(cookie, path, true, now_ms);
}

void FileWatcher::Impl::on_file_event(uint32_t mask, uint32_t cookie, const std::string& path, int64_t now_ms) {
  if (mask & IN_MOVED_FROM) {
    add_half_move(cookie, path, false, now_ms);
  } else if (mask & IN_MOVED_TO) {
    on_moved_to(cookie, path, false, now_ms);
  } else if (mask & IN_CREATE) {
    const bool was_waiting = touched_.contains(path);
    touched_.touch(path, now_ms, timing_.writing_ms);
    if (!was_waiting) touched_.mark_new(path);
  } else if (mask & IN_MODIFY) {
    touched_.touch(path, now_ms, timing_.writing_ms);
  } else if (mask & IN_ATTRIB) {
    touched_.touch_if_new(path, now_ms, timing_.settle_ms);
  } else {  // closed after writing, or removed
    touched_.touch(path, now_ms, timing_.settle_ms);
    if (mask & IN_DELETE) note_unrest(now_ms);
  }
}

void FileWatcher::Impl::on_moved_to(uint32_t cookie, const std::string& path, bool is_folder, int64_t now_ms) {
  if (const auto half = half_moves_.find(cookie); half != half_moves_.end()) {
    const HalfMove from = std::move(half->second);
    half_moves_.erase(half);
    if (is_folder) end_halves_beneath(path);
    return add_move(from, path, now_ms);
  }
  // It came from outside, or from a path that does not take part (a temporary name).
  if (is_folder) {
    end_halves_beneath(path);
    return adopt_folder(path, now_ms);
  }
  touched_.touch(path, now_ms, timing_.settle_ms);
}

void FileWatcher::Impl::note_unrest(int64_t now_ms) {
  if (!unrest_) unrest_ = Unrest{.first_ms = now_ms, .due_ms = now_ms};
  unrest_->due_ms = std::min(now_ms + timing_.settle_ms, unrest_->first_ms + timing_.longest_ms);
}

void FileWatcher::Impl::add_half_move(uint32_t cookie, const std::string& path, bool is_folder, int64_t now_ms) {
  half_moves_.insert_or_assign(cookie, HalfMove{path, is_folder});
  note_unrest(now_ms);
}

void FileWatcher::Impl::add_move(const HalfMove& half, const std::string& to, int64_t now_ms) {
  if (half.is_folder) {
    table_.rename(half.from, to);
    touched_.rename(half.from, to);
  } else if (touched_.is_new(half.from)) {
    // Made under one name and renamed before anybody was told (`sed -i` and most editors): the new name was touched.
    touched_.erase(half.from);
    touched_.touch(to, now_ms, timing_.settle_ms);
    return;
  } else if (touched_.erase(half.from)) {
    touched_.touch(to, now_ms, timing_.settle_ms);
  }
  note_unrest(now_ms);
  bool was_renamed_before = false;  // renamed twice: one move
  for (Move& move : moves_) {
    was_renamed_before |= move.to == half.from && move.is_folder == half.is_folder;
    move.to = rebased(move.to, half.from, to);
  }
  if (was_renamed_before) passed_.insert({half.from, half.is_folder});
  if (!was_renamed_before) moves_.push_back({half.from, to, half.is_folder});
}

void FileWatcher::Impl::adopt_folder(const std::string& path, int64_t now_ms) {
  const Scan scan = watch_tree(path);
  for (const ScannedFile& file : scan.files) touched_.touch_if_new(file.path, now_ms, timing_.settle_ms);
  if (!scan.problems.empty() && !incomplete_) incomplete_ = scan.problems.front();
}

void FileWatcher::Impl::lose_folder(const std::string& path) {
  table_.remove(path);
  gone_folders_.push_back(path);
}

/// A folder comes to `path`. What left from there went out of sight: its second half would have been seen before this, and once the
/// newcomer is watched, the watches that must end could not be told from its own.
void FileWatcher::Impl::end_halves_beneath(const std::string& path) {
  std::erase_if(half_moves_, [&](const auto& entry) {
    const HalfMove& half = entry.second;
    if (!half.is_folder || !beneath(half.from, path)) return false;
    lose_folder(half.from);
    return true;
  });
}

void FileWatcher::Impl::on_overflow(int64_t now_ms) {
  table_.clear();
  touched_.clear();
  half_moves_.clear();
  moves_.clear();
  passed_.clear();
  gone_folders_.clear();
  incomplete_.reset();
  watch_everything();
  rescan_ = true;
  note_unrest(now_ms);
}

/// What was left for a place that nobody watched, or for none. Returns whether there was any.
bool FileWatcher::Impl::expire_half_moves(int64_t now_ms) {
  for (const auto& [cookie, half] : half_moves_) {
    if (half.is_folder) {
      lose_folder(half.from);
    } else {
      touched_.touch(half.from, now_ms, 0);
    }
  }
  return !std::exchange(half_moves_, {}).empty();
}

bool FileWatcher::Impl::is_there(const std::string& path) const {
  const auto entry = root_.look(path);
  return entry && entry->kind != EntryKind::Absent;
}

int64_t FileWatcher::Impl::rest_ms_of(const std::string& path) const {
  const auto entry = root_.look(path);
  if (!entry || entry->kind != EntryKind::File) return 0;
  return std::min(int64_t(entry->stamp.size_bytes / kBytesPerRestMs), kLongestRestMs);
}

/// Returns whether there was one that cannot be told as such.
bool FileWatcher::Impl::take_moves(int64_t now_ms, std::vector<DiskChange>& out) {
  // Where something was on its way, something else may have been, or be now: a rename may go over a file, and two that were
  // exchanged look like one that went there and back.
  std::set<Place> unclear = std::exchange(passed_, {});
  for (Move& move : std::exchange(moves_, {})) {
    if (!is_there(move.to) || is_there(move.from)) {
      unclear.insert({std::move(move.from), move.is_folder});
      unclear.insert({std::move(move.to), move.is_folder});
      continue;
    }
    // It may have been made a moment ago, under a name that was left before it could be watched.
    if (move.is_folder) watch_tree(move.to);
    const auto kind = move.is_folder ? DiskChange::Kind::FolderMoved : DiskChange::Kind::Moved;
    out.push_back({kind, std::move(move.to), std::move(move.from)});
  }
  for (const Place& place : unclear) look_again(place, now_ms);
  return !unclear.empty();
}

void FileWatcher::Impl::look_again(const Place& place, int64_t now_ms) {
  if (!place.is_folder) return touched_.touch_if_new(place.path, now_ms, 0);
  gone_folders_.push_back(place.path);  // what was beneath it may be elsewhere now
  adopt_folder(place.path, now_ms);
}

std::vector<DiskChange> FileWatcher::Impl::take_quiet(int64_t now_ms) {
  read_events(now_ms);  // a path that seems quiet may have been renamed by now
  std::vector<DiskChange> out;
  if (root_gone_) return {{DiskChange::Kind::RootGone, {}, {}}};
  if (unrest_ && unrest_->due_ms > now_ms) return out;
  unrest_.reset();
  if (std::exchange(rescan_, false)) out.push_back({DiskChange::Kind::Rescan, {}, {}});
  const bool some_left = expire_half_moves(now_ms);
  const bool is_unclear = take_moves(now_ms, out);
  for (std::string& folder : gone_folders_) out.push_back({DiskChange::Kind::FolderGone, std::move(folder), {}});
  gone_folders_.clear();
  // Where it went may be what waits, so all of that is told at once.
  const auto touched = some_left || is_unclear ? touched_.take_all(now_ms) : touched_.take_due(now_ms);
  for (const std::string& path : touched) out.push_back({DiskChange::Kind::Touched, path, {}});
  return out;
}

std::optional<int64_t> FileWatcher::Impl::next_due_ms() const {
  if (root_gone_) return 0;
  return unrest_ ? unrest_->due_ms : touched_.next_due_ms();
}

Outcome<FileWatcher> FileWatcher::create(const RootFolder& root, PathFilter takes_part, WatchTiming timing) {
  UniqueFd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return os_problem("watch the folder", root.location(), errno);
  auto impl = std::make_unique<Impl>(root, std::move(takes_part), timing, std::move(fd));
  impl->watch_everything();
  return FileWatcher(std::move(impl));
}

FileWatcher::FileWatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FileWatcher::FileWatcher(FileWatcher&&) noexcept = default;
FileWatcher& FileWatcher::operator=(FileWatcher&&) noexcept = default;
FileWatcher::~FileWatcher() = default;

int FileWatcher::fd() const { return impl_->fd(); }
void FileWatcher::read_events(TimestampMs now) { impl_->read_events(now.value()); }
std::vector<DiskChange> FileWatcher::take_quiet(TimestampMs now) { return impl_->take_quiet(now.value()); }
const std::optional<Problem>& FileWatcher::incomplete() const { return impl_->incomplete(); }

std::optional<TimestampMs> FileWatcher::next_deadline() const {
  const auto due_ms = impl_->next_due_ms();
  if (!due_ms) return std::nullopt;
  return TimestampMs{*due_ms};
}

}  // namespace diaryx::native
