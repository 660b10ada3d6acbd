// Moves on this disk, from the wish to the answer.
//
// Until the answer the file is at either end, and what is seen there may be older or newer than the move: an edit of the file, or another
// one that somebody made. So only two things count: the very text that was to come is at its end, or somebody takes a file on from there,
// since nothing else can have been there. What else is seen waits for the answer, and then both ends are looked at. If the answer is that
// nobody knows, both are looked at, too: the file is where it was if anything is there, and else it was moved.
#include <utility>

#include "replica/replica_impl.h"

namespace diaryx::sync {

bool Replica::Impl::move_on_disk(const std::string& from, const std::string& to) {
  const FileRecord* known = record(from);
  if (known == nullptr || known->kind != FileRecord::Kind::Text || record(to) != nullptr) return false;
  if (gone_.contains(from) || own_moves_.contains(to) || own_moves_.is_leaving(from) || wants_read_.contains(to))
    return false;
  // First it must be known what a write left there that was cut short by a crash, or under way when the file was renamed.
  if (unscanned_) return false;
  if (own_writes_.contains(from)) {
    if (!own_writes_.is_under_way(from)) request_read(from);
    return false;
  }
  if (work_.is_busy(from) || work_.is_busy(to) || work_.is_left_to_watcher(to)) return false;
  work_.mark_busy(to);
  work_.mark_busy(from);
  const Ticket ticket = asked_.ask(to);
  own_moves_.put(to, OwnMove{from, names_.disk_name(from), ticket});
  notify(FileChanged{to, FileChange::Moved, from});
  emit(MoveFile{from, to, known->hash, ticket});
  const MoveFile& asked = std::get<MoveFile>(out_->back());
  if (asked.from != asked.to) return true;
  out_->pop_back();  // this disk calls both the same
  asked_.take(ticket);
  on_own_move(to);
  return true;
}

void Replica::Impl::on_own_move(const std::string& to, bool was_copied) {
  const OwnMove move = own_moves_.take(to);
  move_record(move, to, was_copied);
  if (!was_seen_meanwhile(move.from, to)) return;
  for (const std::string& path : {move.from, to}) {
    // Two looks at once would be taken for one that came before the watcher had its time, and one after.
    const bool is_looked_at = work_.is_busy(path) && !awaits_answer(path);
    if (!is_looked_at) look_when_answered(path);
  }
}

void Replica::Impl::move_record(const OwnMove& move, const std::string& to, bool was_copied) {
  const std::string& from = move.from;
  work_.end(to);
  end_work(from);
  gone_.erase(from);
  newcomers_.erase(from);
  wants_read_.erase(from);
  const FileRecord* const known = record(from);
  if (known == nullptr) {
    if (was_copied && move.copy) save_record(from, FileRecord{.kind = FileRecord::Kind::Blob, .hash = *move.copy});
    request_read(to);
    return reconcile(from);  // if it made room for another content
  }
  const FileRecord moved = *known;
  const FileRecord* const there = record(to);
  if (there != nullptr && (there->file_id != moved.file_id || there->hash != moved.hash)) {
    // Another file was there, for all we know. It went away before, and the watcher will say where to.
    gone_.put(from, GoneFile{clock_.now() + kRenameGrace + kRenameGrace});
    work_.wait_for_watcher(to, clock_.now() + kRenameGrace);
    return;
  }
  forget_doubtful_writes(to);  // nothing was there
  if (!was_copied)
    drop_record(from);  // else the old name is to go, or to be written over, like any that the list gave up
  save_record(to, moved);
  reconcile(to);
  reconcile(from);  // if it made room for another file
  reconcile_records(moved.file_id);
}

void Replica::Impl::was_moved(const std::string& to) {
  // Seen before the answer, which says nothing new.
  asked_.settle(own_moves_.find(to)->ticket);
  on_own_move(to);
}

void Replica::Impl::was_not_moved(const std::string& to) {
  if (record(to) == nullptr) names_.release(to);
  const OwnMove move = own_moves_.take(to);
  if (is_still_there(move)) names_.respell(move.from, move.disk_from);
  work_.wait(move.from, clock_.now() + kDiskRetry);  // if it is gone, perhaps the user moved it first
  if (gone_.contains(move.from))
    gone_.change(move.from, [this](GoneFile& gone) { gone.wait_until = clock_.now() + kRenameGrace; });
  // The shell says what is where it was. To look there as well would try the move again at once, and again.
  if (was_seen_meanwhile(move.from, to)) look_when_answered(to);
}

bool Replica::Impl::was_seen_meanwhile(const std::string& from, const std::string& to) {
  return seen_meanwhile_.erase(from) + seen_meanwhile_.erase(to) != 0;
}

void Replica::Impl::doubt_move(const std::string& to) {
  // It is where it was, or where it was to go, and perhaps the user went on from there: looked at now. What is found where it was is
  // the answer.
  own_moves_.doubt(to);
  const std::string& from = own_moves_.find(to)->from;
  work_.end(to);
  work_.end(from);
  request_read(to);
  request_read(from);
}

}  // namespace diaryx::sync
