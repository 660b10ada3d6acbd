// The disk as the replica sees it: what is there becomes events, what it wants done is done and answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "diaryx/native/atomic_file.h"
#include "diaryx/native/file_scan.h"
#include "diaryx/native/file_watcher.h"
#include "diaryx/native/root_folder.h"
#include "diaryx/sync/action.h"
#include "diaryx/sync/event.h"
#include "diaryx/sync/replica.h"
#include "output.h"

namespace diaryx::client {

/// A Markdown file longer than this is carried as a blob: a body document is held in memory whole.
inline constexpr uint64_t kMaxTextBytes = 16 * 1024 * 1024;

/// Ambiguous: the disk finds a file under several names, in other cases or forms; its list tells which one is the file's.
enum class DiskNaming : uint8_t { Exact, Ambiguous };

/// Which paths a walk looks at: what is carried, and every folder that may hold something carried.
bool takes_part(std::string_view path);

/// One thread, blocking. Every method that takes `tell` calls it with events in the order that event.h asks for.
///
/// A file that cannot be read is reported once, left as it is for the replica, and tried again after 1, 2, 4 ... 60
/// seconds; the others go on.
class Disk {
 public:
  using Tell = std::function<void(const sync::Event&)>;

  /// All must outlive this. `replica` is asked what it knows, never told anything.
  Disk(const native::RootFolder& root, const sync::Replica& replica, Output& output,
       DiskNaming naming = DiskNaming::Exact)
      : root_(root), replica_(replica), output_(output), naming_(naming) {}

  native::DigestCache& digests() { return digests_; }

  /// Walks the whole folder and tells what differs from what the replica knows.
  void report_everything(TimestampMs now, const Tell& tell);
  /// Tells what the watcher saw.
  void report_changes(std::span<const native::DiskChange> changes, TimestampMs now, const Tell& tell);
  /// Tells what an action came upon at a path, changed or not. False if it could not be read.
  bool report_path(std::string_view path, sync::Ticket ticket, TimestampMs now, const Tell& tell);
  /// Looks again at files that could not be read.
  void retry_unreadable(TimestampMs now, const Tell& tell);

  std::optional<TimestampMs> next_retry() const;
  /// Files that could not be read so far.
  size_t unreadable() const { return unreadable_.size(); }
  /// Files that are left out because of their names. The replica says which ones, and why.
  size_t left_out() const { return left_out_.size(); }

  void perform(const sync::ReadFile& action, TimestampMs now, const Tell& tell);
  /// Writes and removals wait for `flush`, so that many of them wait for the disk together. Queue them in the order in
  /// which the replica gave them; flush before any other disk action.
  void queue(sync::WriteText action);
  void queue(sync::RemoveFile action);
  bool queue_is_full() const;
  void flush(TimestampMs now, const Tell& tell);

  void perform(const sync::MoveFile& action, TimestampMs now, const Tell& tell);

  /// The outcome of placing a file (text or blob): FileWritten, or FileRefused and what is there.
  void tell_placed(std::string_view path, const Sha256& hash, sync::Ticket ticket,
                   const native::Outcome<native::Verdict>& verdict, TimestampMs now, const Tell& tell);

 private:
  struct Unreadable {
    uint32_t attempts = 0;
    TimestampMs retry_at{};
  };
  /// What is to be looked at, before it is told in order.
  struct Looks {
    std::map<std::string, std::string> renamed;  // to where a file went, from where it was at first
    std::vector<std::pair<std::string, std::string>> moves;  // from, to: those that are told as renames
    std::set<std::string> paths;
    std::set<std::string> listed;  // of those: as a walk found them
  };

  void add_change(const native::DiskChange& change, Looks& looks) const;
  void add_move(const std::string& from, const std::string& to, Looks& looks) const;
  void decide_moves(Looks& looks) const;
  void add_seen_beneath(std::string_view folder, Looks& looks) const;
  /// What may have gone. The replica has no record yet of an attachment that is on its way to the server, nor of a note that was
  /// written before there was a connection; but it was told of them, so it must hear that they went.
  std::set<std::string> seen_files() const;
  bool is_other_file(const std::string& path, const Looks& looks) const;
  void tell_looks(const Looks& looks, TimestampMs now, const Tell& tell);

  /// A queued change on its way: what is to be done, and how far it is.
  struct Change {
    std::variant<sync::WriteText, sync::RemoveFile> action;
    std::optional<native::StagedFile> staged;
    native::Outcome<native::Verdict> verdict = native::Verdict::DiskDiffers;
  };
  void stage(Change& change) const;
  static void finish_staged(std::span<Change> changes);
  void carry_out(Change& change, native::FolderSyncs& syncs) const;
  void tell_change(const Change& change, TimestampMs now, const Tell& tell);

  /// True if something was told. Without a ticket nobody asked, and only what changed is told.
  bool tell_file(const std::string& path, const native::FileStamp& stamp, sync::Ticket ticket, TimestampMs now,
                 const Tell& tell);
  bool tell_text(const std::string& path, sync::Ticket ticket, TimestampMs now, const Tell& tell);
  bool tell_blob(const std::string& path, const native::FileStamp& stamp, sync::Ticket ticket, TimestampMs now,
                 const Tell& tell);
  bool tell_gone(const std::string& path, const Tell& tell);
  void set_unreadable(const std::string& path, const native::Problem& problem, TimestampMs now);
  void set_readable(const std::string& path);
  bool is_news(const std::string& path, const Sha256& digest, sync::Ticket ticket) const;
  bool is_still_there(const std::string& path) const;
  bool knows(const std::string& path) const { return replica_.known_hash(path).has_value(); }

  const native::RootFolder& root_;
  const sync::Replica& replica_;
  Output& output_;
  const DiskNaming naming_;
  native::DigestCache digests_;
  std::map<std::string, Unreadable> unreadable_;
  std::set<std::string> unwritable_;  // refused by the disk when it was tried last
  std::set<std::string> left_out_;
  std::vector<Change> queue_;
  size_t queued_bytes_ = 0;
};

}  // namespace diaryx::client
