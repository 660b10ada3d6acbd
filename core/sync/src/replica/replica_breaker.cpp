// Waves of deletions and truncations: held, released, undone.
//
// A folder on a stick that was pulled out, a script that went wrong, a disk that gives empty files: all look like a person
// who deletes everything. So removals are counted, by batch and over the last minute, before they are sent (found here) or
// carried out (made elsewhere). Beyond the set share they wait until a person says what they were.
//
// What is held is not stored: after a restart the same files are missing, or their entries are, and are counted again.
#include <algorithm>
#include <utility>

#include "diaryx/base/sort.h"
#include "diaryx/sync/frontmatter.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {

namespace {

constexpr DurationMs kWaveGrace{1'000};
/// How long a program may take to go on writing; watchers wait until a file is quiet before they report it.
constexpr DurationMs kWritingGrace{250};
/// More of a last line is not compared.
constexpr size_t kMaxLastLine = 64;

}  // namespace

bool is_truncation(std::string_view before, std::string_view after) {
  if (before.empty()) return false;
  return after.empty() || (after.size() < before.size() / 2 && before.starts_with(after));
}

bool lost_its_end(std::string_view before, std::string_view after) {
  if (after.size() >= before.size()) return false;
  const size_t newline = before.size() < 2 ? std::string_view::npos : before.rfind('\n', before.size() - 2);
  std::string_view end = newline == std::string_view::npos ? before : before.substr(newline);
  if (end.size() > kMaxLastLine) end.remove_prefix(end.size() - kMaxLastLine);
  return !after.ends_with(end);
}

// --- found here -------------------------------------------------------------------------------------------------

bool Replica::Impl::wait_for_wave(const std::string& path, std::string_view bytes) {
  if (believing_) return false;
  const std::string before = last_seen_text(path);
  const bool is_wave = is_truncation(before, bytes);
  if (!is_wave && !lost_its_end(before, bytes)) return false;
  const auto waiting = truncated_.find(path);
  if (waiting != truncated_.end()) return true;  // the same text again
  truncated_.emplace(path, Truncated{std::string(bytes), now_ + kWritingGrace, is_wave});
  return true;
}

void Replica::Impl::send_deletions(WaveGrace grace) {
  std::vector<std::string> due;
  std::vector<std::string> removed;
  bool holding = false;
  for (const auto& [path, gone] : gone_) {
    if (gone.is_ours && (!gone.wait_until || *gone.wait_until <= now_)) removed.push_back(path);
  }
  for (const std::string& path : removed) note_removed(path);
  for (const auto& [path, gone] : gone_) {
    if (gone.is_ours || own_moves_.is_leaving(path)) continue;
    holding = holding || gone.held;
    if (!gone.held && (!gone.wait_until || *gone.wait_until <= now_)) due.push_back(path);
  }
  std::vector<std::string> shorter;
  for (const auto& [path, text] : truncated_) {
    holding = holding || text.held;
    if (!text.held && text.wait_until <= now_) shorter.push_back(path);
  }
  const auto is_wave = [this](const std::string& path) { return truncated_.at(path).is_wave; };
  const size_t count = due.size() + static_cast<size_t>(std::ranges::count_if(shorter, is_wave));
  if (count == 0) believe(std::exchange(shorter, {}));
  if (count == 0) {
    growing_ = 0;
    return deletions_due_.reset();
  }
  // A folder is emptied file by file: wait until nothing more is missing before counting. One by one, too: once a few went in the
  // last minute, so that a slow wave does not pass file by file until it is large enough.
  if (grace == WaveGrace::Given && !holding && outgoing_.may_become_wave(count, records_.size(), now_) &&
      !outgoing_.is_wave(count, records_.size(), now_)) {
    if (count != growing_) deletions_due_ = now_ + kWaveGrace;
    growing_ = count;
    if (deletions_due_ && *deletions_due_ > now_) return;
  }
  growing_ = 0;
  deletions_due_.reset();
  if (holding || outgoing_.is_wave(count, records_.size(), now_)) {
    for (const std::string& path : due) {
      gone_.put(path, GoneFile{.held = true});
    }
    std::vector<std::string> others;
    for (const std::string& path : shorter) {
      truncated_.at(path).held = is_wave(path);
      if (!is_wave(path)) others.push_back(path);
    }
    believe(others);
    return tell_held(HeldChange::Direction::Outgoing);
  }

  delete_files(due);
  believe(shorter);
}

void Replica::Impl::stop_waiting_for_waves() {
  for (auto& [path, text] : truncated_) text.wait_until = now_;
  send_deletions(WaveGrace::Over);
}

void Replica::Impl::delete_files(const std::vector<std::string>& paths) {
  // In one transaction, so that other devices see the whole batch at once.
  edit_workspace([&](crdt::Transaction& txn) {
    for (const std::string& path : paths) delete_entry(path, *record(path), txn);
  });
  for (const std::string& path : paths) {
    const std::string id = record(path)->file_id;
    drop_record(path);
    index_file(path);
    outgoing_.add(path, /*left=*/true, now_);
    reconcile(path);  // if a change from elsewhere won
    reconcile_file(id);
  }
}

void Replica::Impl::believe(const std::vector<std::string>& shorter) {
  settling_ = believing_ = true;
  for (const std::string& path : shorter) {
    const Truncated text = std::move(truncated_.at(path));
    truncated_.erase(path);
    if (text.is_wave) outgoing_.add(path, /*left=*/false, now_);
    on_text_seen(path, text.bytes);
  }
  settling_ = believing_ = false;
}

// --- made elsewhere ---------------------------------------------------------------------------------------------

bool Replica::Impl::ask_to_take(const std::string& path, HeldChange::Kind kind) {
  if (taking_away_) return true;
  if (held_incoming_.contains(path)) return false;
  leaving_.insert_or_assign(path, kind);
  // Texts come one by one, so a wave of them is only seen when it has been quiet for a moment.
  if (kind == HeldChange::Kind::Truncation) truncations_due_ = now_ + kWaveGrace;
  return false;
}

void Replica::Impl::take_away() {
  // Before the folder was looked at and the list of files came, a wave would be seen piece by piece.
  if (leaving_.empty() || (!scanned_ && !workspace_link_.answered())) return;
  std::map<std::string, HeldChange::Kind, std::less<>> leaving;
  if (truncations_due_ && *truncations_due_ > now_) {
    std::erase_if(leaving_, [&](const auto& entry) {
      const bool now = entry.second == HeldChange::Kind::Deletion;
      if (now) leaving.insert(entry);
      return now;
    });
    if (leaving.empty()) return;
  } else {
    leaving = std::exchange(leaving_, {});
    truncations_due_.reset();
  }
  std::vector<std::string> moved;
  const auto is_held = [&] {
    return !leaving.empty() && (!held_incoming_.empty() || incoming_.is_wave(leaving.size(), records_.size(), now_));
  };
  if (is_held()) {
    // What is listed under another name was not deleted: a folder that is renamed is no wave.
    std::set<std::string> contents;
    for (BinaryRef& ref : workspace_.live_binaries()) contents.insert(std::move(ref.hash));
    const auto is_moved = [&](const std::string& path) {
      const FileRecord* const known = record(path);
      if (index_.live_path(file_id_of(path, known != nullptr ? *known : FileRecord{}))) return true;
      const std::optional<BinaryRef> ref = workspace_.binary(path);
      return ref && ref->deleted && contents.contains(ref->hash);
    };
    incoming_.forget_if(is_moved);
    std::erase_if(leaving, [&](const auto& entry) {
      const bool goes_on = entry.second == HeldChange::Kind::Deletion && is_moved(entry.first);
      if (goes_on) moved.push_back(entry.first);
      return goes_on;
    });
  }
  if (is_held()) {
    held_incoming_.insert(leaving.begin(), leaving.end());
    leaving.clear();
    tell_held(HeldChange::Direction::Incoming);
  }
  taking_away_ = true;
  for (const std::string& path : moved) reconcile(path);
  for (const auto& [path, kind] : leaving) {
    incoming_.add(path, kind == HeldChange::Kind::Deletion, now_);
    reconcile(path);
  }
  taking_away_ = false;
}

// --- what a person says -----------------------------------------------------------------------------------------

std::vector<HeldChange> Replica::Impl::held() const {
  std::vector<HeldChange> changes;
  const auto add = [&](const std::string& path, HeldChange::Direction direction, HeldChange::Kind kind) {
    changes.push_back({path, direction, kind});
  };
  for (const auto& [path, gone] : gone_) {
    if (gone.held) add(path, HeldChange::Direction::Outgoing, HeldChange::Kind::Deletion);
  }
  for (const auto& [path, text] : truncated_) {
    if (text.held) add(path, HeldChange::Direction::Outgoing, HeldChange::Kind::Truncation);
  }
  for (const auto& [path, kind] : held_incoming_) add(path, HeldChange::Direction::Incoming, kind);
  sort_compactly(changes, [](const HeldChange& a, const HeldChange& b) {
    return a.direction != b.direction ? a.direction < b.direction : a.path < b.path;
  });
  return changes;
}

void Replica::Impl::tell_held(HeldChange::Direction direction) {
  MassChangeHeld notice{.files = records_.size(), .direction = direction};
  for (const HeldChange& change : held()) {
    if (change.direction != direction) continue;
    ++(change.kind == HeldChange::Kind::Deletion ? notice.deletions : notice.truncations);
  }
  notify(notice);
}

void Replica::Impl::release_held() {
  for (const HeldChange& change : held()) {
    const bool is_gone =
        change.direction == HeldChange::Direction::Outgoing && change.kind == HeldChange::Kind::Deletion;
    if (is_gone) gone_.put(change.path, GoneFile{});
  }
  for (auto& [path, text] : truncated_) text.held = false;
  const MassChange limits = std::exchange(outgoing_, MassChange({.min_files = SIZE_MAX / 1000}));
  send_deletions();
  outgoing_ = limits;
  taking_away_ = true;
  for (const auto& [path, kind] : std::exchange(held_incoming_, {})) reconcile(path);
  taking_away_ = false;
  tell_held(HeldChange::Direction::Outgoing);
  tell_held(HeldChange::Direction::Incoming);
}

void Replica::Impl::undo_held() {
  undo_outgoing();
  undo_incoming();
  tell_held(HeldChange::Direction::Outgoing);
  tell_held(HeldChange::Direction::Incoming);
}

void Replica::Impl::undo_outgoing() {
  bool any = false;
  std::vector<std::string> missing;
  for (const auto& [path, gone] : gone_) {
    if (gone.held) missing.push_back(path);
  }
  for (const std::string& path : missing) {
    any = true;
    drop_record(path);
    reconcile(path);  // writes it anew
  }
  std::vector<std::string> shorter;
  for (const auto& [path, text] : truncated_) {
    if (text.held) shorter.push_back(path);
  }
  for (const std::string& path : shorter) {
    any = true;
    FileRecord known = *record(path);
    known.base = std::move(truncated_.at(path).bytes);  // what is on disk, and is to be replaced
    known.base_units.clear();
    known.hash = sha256(*known.base);
    truncated_.erase(path);
    save_record(path, std::move(known));
    reconcile(path);
  }
  if (!any) return;
  for (const std::string& path : outgoing_.take_recent(now_)) undo_deletion(path);
}

void Replica::Impl::undo_incoming() {
  const std::map<std::string, HeldChange::Kind, std::less<>> held = std::exchange(held_incoming_, {});
  if (held.empty()) return;
  for (const auto& [path, kind] : held) {
    if (kind == HeldChange::Kind::Deletion) {
      undo_deletion(path);
      continue;
    }
    const FileRecord* known = record(path);
    if (known != nullptr && known->base) {
      const std::string base = *known->base;
      const SplitText split = split_frontmatter(base);
      const std::string document = index_.document_of(path);
      commit_body(document, bodies_.open(document).restore_text(document, split.head, split.body));
    }
    refresh_metadata(path);
    reconcile(path);
  }
  for (const std::string& path : incoming_.take_recent(now_)) undo_deletion(path);
}

void Replica::Impl::undo_deletion(const std::string& path) {
  if (workspace_.live_file(path) || workspace_.live_binary(path)) return reconcile(path);
  if (const std::optional<FileMetadata> entry = workspace_.file(path); entry && !extra_text(*entry, kMovedTo)) {
    const std::optional<std::string> id = extra_text(*entry, kFileId);
    return revive(id && is_file_id(*id) ? *id : workspace_.new_file_id(path), path);
  }
  std::optional<BinaryRef> ref = workspace_.binary(path);
  if (!ref || !Sha256::from_hex(ref->hash)) return;
  ref->deleted = false;
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_binary(txn, *ref); });
  reconcile(path);
}

}  // namespace diaryx::sync
