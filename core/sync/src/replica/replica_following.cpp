// Which documents need not be asked for after a break of the line, and updates of documents that were not.
//
// A server that offers it says which bodies changed since a cursor, and sends the updates of all bodies from then on
// (docs/protocol.md, "What changed"). So a device asks for what changed there, for what it changed itself without hearing that it is
// stored, and for what it lacks. Everything else is the same on both sides.
//
// Invariants
// 1. A live document that is neither open nor queued nor marked, while the server is followed, is the same here and there.
// 2. A cursor is kept only when everything that it stands for is stored here, or is marked as unsynced.
// 3. The cursor of one server says nothing about another: a server that does not know it, or knows none, ends it.
#include <algorithm>
#include <utility>

#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {

// --- what is stored ---------------------------------------------------------------------------------------------

Result<void> Replica::Impl::restore_body(const std::string& key, ByteView update) {
  crdt::Doc& doc = bodies_.open(key).doc();
  const Result<crdt::Commit> commit = doc.apply_update_v1(update);
  if (!commit) {
    unsynced_.on_unreadable(key);
    return std::unexpected(commit.error());
  }
  if (doc.has_pending()) {
    unsynced_.on_incomplete(key);
  } else {
    unsynced_.on_whole(key);
  }
  return {};
}

void Replica::Impl::note_what_restoring_left() {
  for (const std::string& key : unsynced_.take_damaged()) mark_unsynced(key);
}

void Replica::Impl::mark_unsynced(const std::string& key) {
  if (unsynced_.mark(key)) emit(PersistRecord{std::string(kUnsyncedPrefix).append(key), "1"});
}

void Replica::Impl::mark_synced(const std::string& key) {
  if (!unsynced_.is_marked(key) || bodies_.open(key).doc().has_pending()) return;
  unsynced_.unmark(key);
  emit(PersistRecord{std::string(kUnsyncedPrefix).append(key), {}});
}

void Replica::Impl::tell_incomplete(const std::string& path) {
  problem(path, "changes wait for earlier ones, which the server lacks until their device has synced");
}

// --- the cursor -------------------------------------------------------------------------------------------------

void Replica::Impl::ask_for_changes() {
  emit(SendText{format_control(ChangesWanted{options_.workspace_id, following_.asked_since()})});
}

void Replica::Impl::keep_cursor() {
  if (!following_.has_new_cursor() || (open_bodies_.has_queued() && !DX_PLANTED(12))) return;
  // A document that the server does not give does not hold up the others: it is marked.
  const auto is_marked = [this](const std::string& key) { return unsynced_.is_marked(key); };
  if (!std::ranges::all_of(open_bodies_.unanswered(), is_marked) && !DX_PLANTED(12)) return;
  emit(PersistRecord{std::string(kCursorRecord), following_.keep(clock_.wall())});
}

void Replica::Impl::forget_cursor() {
  if (following_.forget_cursor()) emit(PersistRecord{std::string(kCursorRecord), {}});
}

void Replica::Impl::on_changes(const Changes& changes) {
  if (changes.workspace != options_.workspace_id || !workspace_link_.answered()) return;
  const bool is_list = following_.awaits_list();
  Unsynced::Keys changed = following_.on_changes(changes);
  if (!is_list) return;
  connection_.on_answer();
  if (changes.known) {
    changed.merge(unsynced_.take());
    open_changed(changed);
  } else {
    forget_cursor();
    open_all();
  }
}

// --- what is asked for ------------------------------------------------------------------------------------------

bool Replica::Impl::in_step(const std::string& key) const {
  return following_.is_following() && !open_bodies_.is_open(key) && !open_bodies_.is_queued(key) &&
         !unsynced_.is_marked(key) && listed_path(key).has_value();
}

bool Replica::Impl::is_answered(const std::string& key) const { return open_bodies_.is_answered(key) || in_step(key); }

void Replica::Impl::open_all() {
  following_.on_all_asked();
  unsynced_.take_first_look();  // and more
  if (!following_.is_offered()) forget_cursor();
  for (const std::string& path : focus_) {
    if (workspace_.live_file(path)) open_body(index_.document_of(path));
  }
  for (const std::string& path : workspace_.live_files()) open_body(index_.document_of(path));
  if (!following_.is_offered()) return;
  for (const std::string& key : bodies_.keys()) {
    if (!listed_path(key)) mark_unsynced(key);  // the cursor stands for it, too: asked for when the key is used again
  }
}

void Replica::Impl::open_changed(Unsynced::Keys& wanted) {
  if (unsynced_.take_first_look()) open_first_look(wanted);
  for (const std::string& path : focus_) {
    const std::string document = index_.document_of(path);
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
void Replica::Impl::open_first_look(Unsynced::Keys& wanted) {
  for (const std::string& path : workspace_.live_files()) {
    const FileRecord* const known = record(path);
    const bool is_on_disk = known != nullptr && (known->kind != FileRecord::Kind::Text || is_at_home(path, *known));
    std::string document = index_.document_of(path);
    if (!bodies_.contains(document) || (options_.write_files && !is_on_disk)) wanted.insert(std::move(document));
  }
}

void Replica::Impl::leave_over() {
  unsynced_.leave(open_bodies_.end());
  unsynced_.leave(following_.end());
  // Answered, and not on this disk yet: a file that is new here is written only while its document is known to be whole.
  for (const auto& [path, work] : work_) {
    const FileRecord* const known = record(path);
    if (known == nullptr || !is_at_home(path, *known)) unsynced_.leave(index_.document_of(path));
  }
}

// --- updates of documents that are not open ---------------------------------------------------------------------

void Replica::Impl::on_update_of_closed(const std::string& key, ByteView update) {
  if (!following_.is_offered()) return;
  if (!listed_path(key)) {
    if (bodies_.contains(key)) mark_unsynced(key);  // asked for when the key is used again
    return;
  }
  if (open_bodies_.is_queued(key)) return;  // the answer will have it
  if (!following_.is_following()) return following_.hear_of(key);
  if (!in_step(key)) return open_body(key);
  open_bodies_.open_in_step(key);
  note_if_saved(key);
  if (apply_body(key, update, HistoryOrigin::Remote) && !bodies_.open(key).doc().has_pending()) return;
  // It was not in step after all.
  open_bodies_.doubt(key);
  send_body(key, open_bodies_.ask(key, bodies_.open(key).doc(), clock_.now()));
}

}  // namespace diaryx::sync
