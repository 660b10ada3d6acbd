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

// --- found here -------------------------------------------------------------------------------------------------

bool Replica::Impl::wait_for_wave(const std::string& path, std::string_view bytes) {
  if (believing_) return false;
  const std::string before = last_seen_text(path);
  const bool is_wave = is_truncation(before, bytes);
  if (!is_wave && !lost_its_end(before, bytes)) return false;
  shortened_.add(path, bytes, is_wave, clock_.now());
  return true;
}

void Replica::Impl::send_deletions(OutgoingWave::Grace grace) {
  // Whoever has waited alone waits no longer: if more may be missing, all wait for the moment of the wave.
  gone_.wake(clock_.now());
  shortened_.wake(clock_.now());
  note_own_removals();
  std::vector<std::string> missing;
  bool is_holding = shortened_.is_any_held();
  for (const auto& [path, gone] : gone_) {
    if (gone.is_ours || own_moves_.is_leaving(path)) continue;
    is_holding = is_holding || gone.held;
    if (!gone.held && !gone.wait_until) missing.push_back(path);
  }
  const std::vector<std::string> shorter = shortened_.due();
  const auto is_wave = [this](const std::string& path) { return shortened_.find(path)->is_truncation; };
  const size_t count = missing.size() + static_cast<size_t>(std::ranges::count_if(shorter, is_wave));
  switch (outgoing_.judge(count, records_.size(), is_holding, grace, clock_.now())) {
    case OutgoingWave::Verdict::Wait: return;
    case OutgoingWave::Verdict::Hold: return hold_outgoing(missing, shorter);
    case OutgoingWave::Verdict::LetThrough:
      if (!missing.empty()) delete_files(missing);
      believe(shorter);
  }
}

std::vector<std::string> Replica::Impl::gone_with(bool GoneFile::* flag) const {
  std::vector<std::string> paths;
  for (const auto& [path, gone] : gone_) {
    if (gone.*flag) paths.push_back(path);
  }
  return paths;
}

void Replica::Impl::note_own_removals() {
  for (const std::string& path : gone_with(&GoneFile::is_ours)) {
    const GoneFile* const gone = gone_.find(path);
    if (gone != nullptr && !gone->wait_until) note_removed(path);
  }
}

void Replica::Impl::hold_outgoing(const std::vector<std::string>& missing, const std::vector<std::string>& shorter) {
  for (const std::string& path : missing) gone_.put(path, GoneFile{.held = true});
  std::vector<std::string> others;
  for (const std::string& path : shorter) {
    if (shortened_.find(path)->is_truncation) {
      shortened_.hold(path);
    } else {
      others.push_back(path);
    }
  }
  believe(others);
  tell_held(HeldChange::Direction::Outgoing);
}

void Replica::Impl::stop_waiting_for_waves() {
  shortened_.stop_waiting();
  send_deletions(OutgoingWave::Grace::Over);
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
    outgoing_.add(path, HeldChange::Kind::Deletion, clock_.now());
    reconcile(path);  // if a change from elsewhere won
    reconcile_file(id);
  }
}

void Replica::Impl::believe(const std::vector<std::string>& shorter) {
  settling_ = believing_ = true;
  for (const std::string& path : shorter) {
    const ShortenedText text = shortened_.take(path);
    if (text.is_truncation) outgoing_.add(path, HeldChange::Kind::Truncation, clock_.now());
    on_text_seen(path, text.bytes);
  }
  settling_ = believing_ = false;
}

// --- made elsewhere ---------------------------------------------------------------------------------------------

bool Replica::Impl::ask_to_take(const std::string& path, HeldChange::Kind kind) {
  if (!taking_away_) incoming_.ask(path, kind, clock_.now());
  return taking_away_;
}

void Replica::Impl::take_away() {
  if (!incoming_.is_asked() || !may_take_away()) return;
  IncomingWave::Removals leaving = incoming_.take_due(clock_.now());
  if (leaving.empty()) return;
  const auto is_to_be_held = [&] { return incoming_.is_to_be_held(leaving.size(), records_.size(), clock_.now()); };
  const std::vector<std::string> moved = is_to_be_held() ? take_moved(leaving) : std::vector<std::string>();
  if (is_to_be_held()) {
    incoming_.hold(std::exchange(leaving, {}));
    tell_held(HeldChange::Direction::Incoming);
  }
  taking_away_ = true;
  for (const std::string& path : moved) reconcile(path);
  for (const auto& [path, kind] : leaving) {
    incoming_.add(path, kind, clock_.now());
    reconcile(path);
  }
  taking_away_ = false;
}

std::vector<std::string> Replica::Impl::take_moved(IncomingWave::Removals& leaving) {
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
  std::vector<std::string> moved;
  std::erase_if(leaving, [&](const auto& entry) {
    const bool goes_on = entry.second == HeldChange::Kind::Deletion && is_moved(entry.first);
    if (goes_on) moved.push_back(entry.first);
    return goes_on;
  });
  return moved;
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
  for (const auto& [path, text] : shortened_) {
    if (text.held) add(path, HeldChange::Direction::Outgoing, HeldChange::Kind::Truncation);
  }
  for (const auto& [path, kind] : incoming_.held()) add(path, HeldChange::Direction::Incoming, kind);
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
  for (const std::string& path : gone_with(&GoneFile::held)) gone_.put(path, GoneFile{});
  shortened_.release();
  outgoing_.begin_release();
  send_deletions();
  outgoing_.end_release();
  taking_away_ = true;
  for (const auto& [path, kind] : incoming_.take_held()) reconcile(path);
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
  for (const std::string& path : gone_with(&GoneFile::held)) {
    any = true;
    drop_record(path);
    reconcile(path);  // writes it anew
  }
  std::vector<std::string> shorter;
  for (const auto& [path, text] : shortened_) {
    if (text.held) shorter.push_back(path);
  }
  for (const std::string& path : shorter) {
    any = true;
    FileRecord known = *record(path);
    known.base = shortened_.take(path).bytes;  // what is on disk, and is to be replaced
    known.base_units.clear();
    known.hash = sha256(*known.base);
    save_record(path, std::move(known));
    reconcile(path);
  }
  if (!any) return;
  for (const std::string& path : outgoing_.take_recent(clock_.now())) undo_deletion(path);
}

void Replica::Impl::undo_incoming() {
  const IncomingWave::Removals held = incoming_.take_held();
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
  for (const std::string& path : incoming_.take_recent(clock_.now())) undo_deletion(path);
}

void Replica::Impl::undo_deletion(const std::string& path) {
  if (workspace_.live_file(path) || workspace_.live_binary(path)) return reconcile(path);
  if (const std::optional<FileMetadata> entry = workspace_.file(path); entry && !extra_text(*entry, kMovedTo)) {
    const std::string id = said_id(entry);
    return revive(id.empty() ? workspace_.new_file_id(path) : id, path);
  }
  std::optional<BinaryRef> ref = workspace_.binary(path);
  if (!ref || !Sha256::from_hex(ref->hash)) return;
  ref->deleted = false;
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_binary(txn, *ref); });
  reconcile(path);
}

}  // namespace diaryx::sync
