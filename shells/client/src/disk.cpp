#include "disk.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "diaryx/native/file_hash.h"
#include "diaryx/native/name_traits.h"
#include "diaryx/sync/path.h"

namespace diaryx::client {
namespace {

using native::DiskChange;
using native::EntryKind;
using native::Verdict;

constexpr int64_t kFirstRetryMs = 1'000;
constexpr int64_t kLongestRetryMs = 60'000;
constexpr size_t kMaxQueued = 128;  // each holds a descriptor meanwhile
constexpr size_t kMaxQueuedBytes = 32 * 1024 * 1024;

bool is_beneath(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

native::Expectation expectation(const std::optional<Sha256>& digest) { return {digest}; }

}  // namespace

bool takes_part(std::string_view path) {
  return sync::is_carried(path) || sync::is_carried(std::string(path) + "/inside.md");
}

void Disk::report_everything(TimestampMs now, const Tell& tell) {
  const native::Scan scan = native::scan_folder(root_, {}, takes_part);
  for (const native::Problem& problem : scan.problems) output_.problem({}, problem.sentence);
  Looks looks;
  for (const native::ScannedFile& file : scan.files) looks.paths.insert(file.path);
  looks.listed = looks.paths;
  looks.paths.merge(seen_files());
  tell_looks(looks, now, tell);
}

void Disk::report_changes(std::span<const DiskChange> changes, TimestampMs now, const Tell& tell) {
  Looks looks;
  for (const DiskChange& change : changes) {
    if (change.kind == DiskChange::Kind::Rescan) return report_everything(now, tell);
    add_change(change, looks);
  }
  decide_moves(looks);
  for (const auto& [from, to] : looks.moves) digests_.rename(from, to);
  tell_looks(looks, now, tell);
}

void Disk::add_change(const DiskChange& change, Looks& looks) const {
  switch (change.kind) {
    case DiskChange::Kind::Touched: looks.paths.insert(change.path); break;
    case DiskChange::Kind::Moved: add_move(change.from, change.path, looks); break;
    case DiskChange::Kind::FolderGone: add_seen_beneath(change.path, looks); break;
    case DiskChange::Kind::FolderMoved: {
      std::set<std::string> inside = seen_files();
      for (const auto& [path, first] : looks.renamed) inside.erase(first);  // it had left
      for (const auto& [path, first] : looks.renamed) inside.insert(path);
      for (const std::string& path : inside) {
        if (is_beneath(path, change.from)) add_move(path, change.path + path.substr(change.from.size()), looks);
      }
      for (const native::ScannedFile& file : native::scan_folder(root_, change.path, takes_part).files)
        looks.paths.insert(file.path);
      break;
    }
    case DiskChange::Kind::Rescan:
    case DiskChange::Kind::RootGone: break;  // the callers'
  }
}

/// A file that was renamed twice before anybody looked was renamed once.
void Disk::add_move(const std::string& from, const std::string& to, Looks& looks) const {
  const auto earlier = looks.renamed.extract(from);
  if (earlier) looks.paths.insert(from);
  if (const auto covered = looks.renamed.find(to); covered != looks.renamed.end()) looks.paths.insert(covered->second);
  looks.renamed.insert_or_assign(to, earlier ? earlier.mapped() : from);
}

/// A rename is told as one only from a file that the replica knows to a path where it knows none; anything else is two
/// paths to look at.
void Disk::decide_moves(Looks& looks) const {
  for (const auto& [to, from] : looks.renamed) {
    const bool is_plain = knows(from) && !is_still_there(from) && !knows(to) && sync::is_carried(to) &&
                          sync::is_markdown(from) == sync::is_markdown(to);
    const auto entry = root_.look(to);
    if (is_plain && entry && entry->kind == EntryKind::File) {
      looks.moves.emplace_back(from, to);
    } else {
      looks.paths.insert(from);
    }
    looks.paths.insert(to);
  }
}

/// The file that the replica knows by this path is there, so one that went from it was another: the replica put its own into the
/// place that was left, before the watcher told anything.
bool Disk::is_still_there(const std::string& path) const {
  const auto entry = root_.look(path);
  if (!entry || entry->kind != EntryKind::File || is_other_file(path, {})) return false;
  const auto cached = digests_.find(path, entry->stamp);
  if (cached) return replica_.known_hash(path) == *cached;
  const auto hashed = native::hash_file_at_rest(root_, path);
  return hashed && replica_.known_hash(path) == hashed->digest;
}

void Disk::add_seen_beneath(std::string_view folder, Looks& looks) const {
  for (const std::string& path : seen_files()) {
    if (is_beneath(path, folder)) looks.paths.insert(path);
  }
}

std::set<std::string> Disk::seen_files() const {
  std::set<std::string> paths;
  for (std::string& path : replica_.known_files()) paths.insert(std::move(path));
  for (const auto& [path, known] : digests_.entries()) paths.insert(path);
  return paths;
}

void Disk::tell_looks(const Looks& looks, TimestampMs now, const Tell& tell) {
  bool told = !looks.moves.empty();
  for (const auto& [from, to] : looks.moves) {
    output_.seen(to, "moved from " + from);
    tell(sync::FileMoved{from, to});
  }
  std::vector<std::pair<std::string, native::FileStamp>> there;
  for (const std::string& path : looks.paths) {
    if (!sync::is_carried(path)) continue;
    const auto entry = root_.look(path);
    if (!entry) {
      set_unreadable(path, entry.error(), now);
    } else if (entry->kind == EntryKind::File && is_other_file(path, looks)) {
      told |= tell_gone(path, tell);
    } else if (entry->kind == EntryKind::File) {
      there.emplace_back(path, entry->stamp);
      if (!sync::parse_disk_path(path)) left_out_.insert(path);
    } else if (entry->kind == EntryKind::Other) {
      // A link or a device took the file's place: that is no wish to delete it everywhere.
      if (knows(path))
        set_unreadable(path, {path + " is not a regular file any more, so it is not synced", EINVAL}, now);
    } else {
      told |= tell_gone(path, tell);
    }
  }
  std::set<Sha256> texts;
  const Tell tell_and_note = [&](const sync::Event& event) {
    const auto* const text = std::get_if<sync::TextFileSeen>(&event);
    if (text != nullptr && !looks.renamed.empty()) texts.insert(sha256(text->bytes));
    tell(event);
  };
  for (const auto& [path, stamp] : there) told |= tell_file(path, stamp, sync::Ticket{}, now, tell_and_note);
  // Where a file was moved to may be left again while others are read, as in a swap. If its text was seen where it went, this
  // batch has the whole story; else the next one.
  for (const auto& [path, stamp] : there) {
    const auto known = looks.renamed.contains(path) ? replica_.known_hash(path) : std::nullopt;
    if (!known || !texts.contains(*known)) continue;
    const auto entry = root_.look(path);
    if (entry && entry->kind == EntryKind::Absent) told |= tell_gone(path, tell);
  }
  if (told) tell(sync::FilesSettled{});
}

/// The disk finds a file under this name, and lists it under one that belongs to another key: it was renamed in case.
bool Disk::is_other_file(const std::string& path, const Looks& looks) const {
  if (naming_ == DiskNaming::Exact || looks.listed.contains(path)) return false;
  const auto listed = native::listed_path(root_, path);
  return listed && *listed != path && replica_.key_of(*listed) != replica_.key_of(path);
}

bool Disk::tell_gone(const std::string& path, const Tell& tell) {
  left_out_.erase(path);
  unreadable_.erase(path);
  output_.solved(path);
  const bool was_seen = knows(path) || digests_.entries().contains(path);
  digests_.forget(path);
  if (!was_seen) return false;
  output_.seen(path, "removed");
  tell(sync::FileGone{path});
  return true;
}

bool Disk::is_news(const std::string& path, const Sha256& digest, sync::Ticket ticket) const {
  return ticket != sync::Ticket{} || replica_.known_hash(path) != digest;
}

bool Disk::tell_file(const std::string& path, const native::FileStamp& stamp, sync::Ticket ticket, TimestampMs now,
                     const Tell& tell) {
  const auto cached = digests_.find(path, stamp);
  if (cached && !is_news(path, *cached, ticket)) {
    set_readable(path);
    return false;
  }
  if (sync::is_markdown(path) && stamp.size_bytes <= kMaxTextBytes) return tell_text(path, ticket, now, tell);
  return tell_blob(path, stamp, ticket, now, tell);
}

bool Disk::tell_text(const std::string& path, sync::Ticket ticket, TimestampMs now, const Tell& tell) {
  const auto content = root_.read(path, kMaxTextBytes);
  if (!content) {
    set_unreadable(path, content.error(), now);
    return false;
  }
  set_readable(path);
  const Sha256 digest = sha256(content->bytes);
  digests_.remember(path, content->stamp, digest, now);
  if (!is_news(path, digest, ticket)) return false;
  if (ticket == sync::Ticket{} && !left_out_.contains(path)) output_.seen(path, knows(path) ? "changed" : "created");
  tell(sync::TextFileSeen{path, as_text(content->bytes), ticket});
  return true;
}

bool Disk::tell_blob(const std::string& path, const native::FileStamp& stamp, sync::Ticket ticket, TimestampMs now,
                     const Tell& tell) {
  auto digest = digests_.find(path, stamp);
  uint64_t size_bytes = stamp.size_bytes;
  if (!digest) {
    const auto hashed = native::hash_file_at_rest(root_, path);
    if (!hashed) {
      set_unreadable(path, hashed.error(), now);
      return false;
    }
    digests_.remember(path, hashed->stamp, hashed->digest, now);
    digest = hashed->digest;
    size_bytes = hashed->stamp.size_bytes;
  }
  set_readable(path);
  if (!is_news(path, *digest, ticket)) return false;
  if (ticket == sync::Ticket{} && !left_out_.contains(path)) output_.seen(path, knows(path) ? "changed" : "created");
  tell(sync::BlobFileSeen{path, *digest, size_bytes, ticket});
  return true;
}

bool Disk::report_path(std::string_view path, sync::Ticket ticket, TimestampMs now, const Tell& tell) {
  const std::string name(path);
  const auto entry = root_.look(path);
  if (!entry) {
    set_unreadable(name, entry.error(), now);
    return false;
  }
  if (entry->kind == EntryKind::Other) {
    set_unreadable(name, {name + " is not a regular file, so it is not synced", EINVAL}, now);
    return false;
  }
  if (entry->kind == EntryKind::File && !is_other_file(name, {})) {
    if (!tell_file(name, entry->stamp, ticket, now, tell)) return false;
  } else {
    digests_.forget(path);
    tell(sync::FileGone{path, ticket});
  }
  tell(sync::FilesSettled{});
  return true;
}

void Disk::set_unreadable(const std::string& path, const native::Problem& problem, TimestampMs now) {
  Unreadable& entry = unreadable_[path];
  const bool passing = problem.os_error == EAGAIN || problem.os_error == ENOENT;
  if (entry.attempts == 0 && !passing) output_.problem(path, problem.sentence);
  const int64_t wait_ms = std::min(kFirstRetryMs << std::min(entry.attempts, 10u), kLongestRetryMs);
  ++entry.attempts;
  entry.retry_at = now + DurationMs{wait_ms};
}

void Disk::set_readable(const std::string& path) {
  if (unreadable_.erase(path) != 0) output_.solved(path);
}

void Disk::retry_unreadable(TimestampMs now, const Tell& tell) {
  Looks looks;
  for (const auto& [path, entry] : unreadable_) {
    if (entry.retry_at <= now) looks.paths.insert(path);
  }
  if (!looks.paths.empty()) tell_looks(looks, now, tell);
}

std::optional<TimestampMs> Disk::next_retry() const {
  std::optional<TimestampMs> next;
  for (const auto& [path, entry] : unreadable_) next = next ? std::min(*next, entry.retry_at) : entry.retry_at;
  return next;
}

void Disk::tell_placed(std::string_view path, const Sha256& hash, sync::Ticket ticket,
                       const native::Outcome<Verdict>& verdict, TimestampMs now, const Tell& tell) {
  if (!verdict) {
    unwritable_.emplace(path);
    return tell(sync::FileRefused{path, verdict.error().sentence, /*in_doubt=*/true, ticket});
  }
  if (unwritable_.erase(std::string(path)) != 0) output_.solved(path);
  if (*verdict == Verdict::DiskDiffers) {
    // Nothing to complain of: somebody edited the file meanwhile, and the two are merged. But a folder stays in the way.
    const auto entry = root_.look(path);
    const bool is_folder = entry && entry->kind == EntryKind::Folder;
    constexpr std::string_view kFolder = "a folder has the name of this file; give the folder another name";
    tell(sync::FileRefused{path, is_folder ? kFolder : std::string_view(), /*in_doubt=*/false, ticket});
    report_path(path, ticket, now, tell);
    return;
  }
  if (const auto entry = root_.look(path); entry && entry->kind == EntryKind::File) {
    digests_.remember(path, entry->stamp, hash, now);
  }
  tell(sync::FileWritten{path, hash, ticket});
}

void Disk::perform(const sync::ReadFile& action, TimestampMs now, const Tell& tell) {
  // What cannot be read has been reported; it is told as seen when a retry succeeds.
  if (!report_path(action.path, action.ticket, now, tell))
    tell(sync::FileRefused{action.path, {}, /*in_doubt=*/false, action.ticket});
}

// --- writes and removals ----------------------------------------------------------------------------------------

void Disk::queue(sync::WriteText action) {
  queued_bytes_ += action.bytes.size();
  queue_.push_back({.action = std::move(action), .staged = {}});
}

void Disk::queue(sync::RemoveFile action) { queue_.push_back({.action = std::move(action), .staged = {}}); }

bool Disk::queue_is_full() const { return queue_.size() >= kMaxQueued || queued_bytes_ >= kMaxQueuedBytes; }

void Disk::flush(TimestampMs now, const Tell& tell) {
  std::vector<Change> changes = std::exchange(queue_, {});
  queued_bytes_ = 0;
  native::FolderSyncs syncs;
  for (Change& change : changes) stage(change);
  finish_staged(changes);
  for (Change& change : changes) carry_out(change, syncs);
  const auto synced = syncs.sync();
  for (Change& change : changes) {
    // Not durable is not done: it is looked at again, whichever folder it was.
    if (!synced && change.verdict) change.verdict = std::unexpected(synced.error());
    tell_change(change, now, tell);
  }
}

/// Writes the new content out of sight and lets the disk begin with it.
void Disk::stage(Change& change) const {
  const auto* const write = std::get_if<sync::WriteText>(&change.action);
  if (write == nullptr) return;
  auto staged = native::StagedFile::create(root_, write->path);
  if (!staged) {
    change.verdict = std::unexpected(std::move(staged.error()));
  } else if (auto appended = staged->append(as_bytes(write->bytes)); !appended) {
    change.verdict = std::unexpected(std::move(appended.error()));
  } else {
    staged->start_writing();
    change.staged.emplace(std::move(*staged));
  }
}

/// No content gets its name before all of it is on the disk. One that is not is dropped, and its change says why.
void Disk::finish_staged(std::span<Change> changes) {
  std::vector<Change*> written;
  std::vector<native::StagedFile*> files;
  for (Change& change : changes) {
    if (!change.staged) continue;
    written.push_back(&change);
    files.push_back(&*change.staged);
  }
  const auto outcomes = native::finish_together(files);
  for (size_t i = 0; i < written.size(); ++i) {
    if (outcomes[i]) continue;
    written[i]->verdict = std::unexpected(outcomes[i].error());
    written[i]->staged.reset();
  }
}

void Disk::carry_out(Change& change, native::FolderSyncs& syncs) const {
  if (const auto* const removal = std::get_if<sync::RemoveFile>(&change.action)) {
    change.verdict = native::remove_file(root_, removal->path, removal->expected, syncs);
  } else if (change.staged) {
    change.verdict = change.staged->place(expectation(std::get<sync::WriteText>(change.action).expected), syncs);
  }
}

void Disk::tell_change(const Change& change, TimestampMs now, const Tell& tell) {
  if (const auto* const write = std::get_if<sync::WriteText>(&change.action)) {
    return tell_placed(write->path, sha256(write->bytes), write->ticket, change.verdict, now, tell);
  }
  const auto& [path, expected, ticket] = std::get<sync::RemoveFile>(change.action);
  if (!change.verdict) return tell(sync::FileRefused{path, change.verdict.error().sentence, /*in_doubt=*/true, ticket});
  if (*change.verdict == Verdict::DiskDiffers) {
    tell(sync::FileRefused{path, {}, /*in_doubt=*/false, ticket});
    report_path(path, ticket, now, tell);
    return;
  }
  root_.remove_empty_parents(path);
  digests_.forget(path);
  tell(sync::FileRemoved{path, ticket});
}

void Disk::perform(const sync::MoveFile& action, TimestampMs now, const Tell& tell) {
  const auto verdict = native::move_file(root_, action.from, action.to, action.expected);
  if (verdict && *verdict == Verdict::Done) {
    digests_.rename(action.from, action.to);
    return tell(sync::FileMoved{action.from, action.to, action.ticket});
  }
  if (!verdict) {
    return tell(sync::FileRefused{action.to, verdict.error().sentence, /*in_doubt=*/true, action.ticket});
  }
  tell(sync::FileRefused{action.to, {}, /*in_doubt=*/false, action.ticket});
  report_path(action.from, action.ticket, now, tell);
  report_path(action.to, action.ticket, now, tell);
}

}  // namespace diaryx::client
