// Which documents need not be asked for after a break of the line, and updates of documents that were not.
//
// A server that offers it says which bodies changed since a cursor, and sends the updates of all bodies from then on
// (docs/protocol.md, "What changed"). So a device asks for what changed there, for what it changed itself without hearing that it is
// stored, and for what it lacks. Everything else is the same on both sides.
//
// Invariants
// 1. `unsynced:` records are stored with the update that makes them necessary, so a crash forgets none.
// 2. A cursor is kept only when everything that it stands for is stored here, or is marked as unsynced.
// 3. The cursor of one server says nothing about another: a server that does not know it, or knows none, ends it.
#include <algorithm>
#include <charconv>
#include <utility>

#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr DurationMs kListTimeout{10'000};

}  // namespace

// --- what is stored ---------------------------------------------------------------------------------------------

Result<void> Replica::Impl::restore_body(const std::string& key, ByteView update) {
  crdt::Doc& doc = bodies_.open(key).doc();
  const Result<crdt::Commit> commit = doc.apply_update_v1(update);
  if (!commit) {
    unreadable_.emplace(key);
    return std::unexpected(commit.error());
  }
  if (doc.has_pending()) {
    incomplete_.emplace(key);
  } else if (const auto whole = incomplete_.find(key); whole != incomplete_.end()) {
    incomplete_.erase(whole);
  }
  return {};
}

Result<void> Replica::Impl::restore_cursor(std::string_view value) {
  int64_t checked = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), checked);
  if (error != std::errc{} || end == value.data() + value.size()) return fail(ErrorCode::InvalidMessage);
  checked_ = TimestampMs{checked};
  cursor_ = std::string(end + 1, value.data() + value.size());
  return {};
}

void Replica::Impl::note_what_restoring_left() {
  for (const std::string& key : std::exchange(unreadable_, {})) mark_unsynced(key);
  for (const std::string& key : std::exchange(incomplete_, {})) mark_unsynced(key);
}

void Replica::Impl::mark_unsynced(const std::string& key) {
  if (DX_PLANTED(11)) return;
  if (unsynced_.emplace(key).second) emit(PersistRecord{std::string(kUnsyncedPrefix).append(key), "1"});
}

void Replica::Impl::mark_synced(const std::string& key) {
  const auto found = unsynced_.find(key);
  if (found == unsynced_.end() || bodies_.open(key).doc().has_pending()) return;
  unsynced_.erase(found);
  emit(PersistRecord{std::string(kUnsyncedPrefix).append(key), {}});
}

// --- the cursor -------------------------------------------------------------------------------------------------

bool Replica::Impl::cursor_is_good() const {
  return !cursor_.empty() && checked_ <= wall_clock_ && wall_clock_ < checked_ + options_.full_check_after;
}

void Replica::Impl::forget_cursor() {
  if (std::exchange(cursor_, {}).empty()) return;
  emit(PersistRecord{std::string(kCursorRecord), {}});
}

void Replica::Impl::want_changes(std::string_view cursor) {
  if (wants_cursor_ || awaiting_changes_ || next_cursor_) return;
  awaiting_changes_ = !cursor.empty();
  wants_cursor_ = cursor.empty();
  if (awaiting_changes_) handshake_deadline_ = now_ + kListTimeout;
  updates_since_cursor_ = 0;
  emit(SendText{format_control(ChangesWanted{options_.workspace_id, std::string(cursor)})});
}

void Replica::Impl::keep_cursor() {
  if (!next_cursor_ || (open_bodies_.has_queued() && !DX_PLANTED(12))) return;
  // A document that the server does not give does not hold up the others: it is marked.
  if (!DX_PLANTED(12) && !std::ranges::all_of(open_bodies_.unanswered(),
                                              [this](const std::string& key) { return unsynced_.contains(key); }))
    return;
  cursor_ = *std::exchange(next_cursor_, std::nullopt);
  if (asked_all_) checked_ = wall_clock_;
  emit(PersistRecord{std::string(kCursorRecord), std::to_string(checked_.value()) + " " + cursor_});
}

void Replica::Impl::on_changes(const Changes& changes) {
  if (changes.workspace != options_.workspace_id || phase_ != Phase::Active || !workspace_link_.answered()) return;
  if (!wants_cursor_ && !awaiting_changes_) return;
  wants_cursor_ = false;
  following_ = true;
  if (!changes.cursor.empty()) next_cursor_ = changes.cursor;
  if (std::exchange(awaiting_changes_, false)) {
    handshake_deadline_.reset();
    if (changes.known) {
      open_changed(changes.keys);
    } else {
      forget_cursor();
      open_all();
    }
  }
  heard_of_.clear();
}

// --- what is asked for ------------------------------------------------------------------------------------------

bool Replica::Impl::in_step(const std::string& key) const {
  return following_ && !open_bodies_.is_open(key) && !open_bodies_.is_queued(key) && !unsynced_.contains(key) &&
         listed_path(key).has_value();
}

bool Replica::Impl::is_answered(const std::string& key) const { return open_bodies_.is_answered(key) || in_step(key); }

void Replica::Impl::open_all() {
  asked_all_ = true;
  looked_through_ = true;
  if (!offers_changes_) forget_cursor();
  for (const std::string& path : focus_) {
    if (workspace_.live_file(path)) open_body(document_of(path));
  }
  for (const std::string& path : workspace_.live_files()) open_body(document_of(path));
}

void Replica::Impl::open_changed(const std::vector<std::string>& keys) {
  std::set<std::string, std::less<>> wanted = std::exchange(left_over_, {});
  wanted.insert(keys.begin(), keys.end());
  wanted.insert(heard_of_.begin(), heard_of_.end());
  wanted.insert(unsynced_.begin(), unsynced_.end());
  if (!std::exchange(looked_through_, true)) open_first_look(wanted);
  for (const std::string& path : focus_) {
    const std::string document = document_of(path);
    if (wanted.contains(document) && workspace_.live_file(path)) open_body(document);
  }
  for (const std::string& key : wanted) {
    const Result<WorkspacePath> path = parse_path(key);
    if (!path || path->view() != key) continue;
    if (listed_path(key)) {
      open_body(key);
    } else if (bodies_.contains(key)) {
      mark_unsynced(key);  // asked for when the key is used again
    }
  }
}

/// Once in a run: files that are listed, but whose text never came here.
void Replica::Impl::open_first_look(std::set<std::string, std::less<>>& wanted) {
  for (const std::string& path : workspace_.live_files()) {
    const FileRecord* const known = record(path);
    const bool is_on_disk = known != nullptr && (known->kind != FileRecord::Kind::Text || is_at_home(path, *known));
    std::string document = document_of(path);
    if (!bodies_.contains(document) || (options_.write_files && !is_on_disk)) wanted.insert(std::move(document));
  }
}

void Replica::Impl::leave_over() {
  left_over_.merge(open_bodies_.end());
  left_over_.merge(heard_of_);
  heard_of_.clear();
  // Answered, and not on this disk yet: a file that is new here is written only while its document is known to be whole.
  for (const auto& [path, work] : work_) {
    const FileRecord* const known = record(path);
    if (known == nullptr || !is_at_home(path, *known)) left_over_.insert(document_of(path));
  }
  offers_changes_ = following_ = awaiting_changes_ = wants_cursor_ = asked_all_ = false;
  next_cursor_.reset();
}

// --- updates of documents that are not open ---------------------------------------------------------------------

void Replica::Impl::on_update_of_closed(const std::string& key, ByteView update) {
  if (!offers_changes_) return;
  if (!listed_path(key)) {
    if (bodies_.contains(key)) mark_unsynced(key);  // asked for when the key is used again
    return;
  }
  if (open_bodies_.is_queued(key)) return;  // the answer will have it
  if (!following_) {
    heard_of_.emplace(key);
    return;
  }
  if (!in_step(key)) return open_body(key);
  open_bodies_.open_in_step(key);
  note_if_saved(key);
  if (apply_body(key, update, HistoryOrigin::Remote) && !bodies_.open(key).doc().has_pending()) return;
  // It was not in step after all.
  open_bodies_.doubt(key);
  send_body(key, open_bodies_.ask(key, bodies_.open(key).doc(), now_));
}

}  // namespace diaryx::sync
