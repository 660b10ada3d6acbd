// Writes to this disk, from the wish to the answer, and what may have become of those that were never answered.
//
// A text that we put there is ours, whoever says it or does not: an answer may come late, say that it failed although it was done,
// or not come at all, because we died. So what is to be written is noted before it is asked for (`OwnWrite`, stored as
// `writing:` records), and a text that is found is compared with that before it counts as somebody's edit. The same holds for an
// attachment that was fetched: else one that the list has given up meanwhile would be sent as a new file.
#include <algorithm>
#include <utility>

#include "replica/replica_impl.h"

namespace diaryx::sync {

void Replica::Impl::end_work(const std::string& path) {
  // What became of the file is seen before the answer to its removal, and there is nothing to be sent.
  if (!asked_.is_due(overtaken_.removal(path))) overtaken_.end(path);
  if (const Ticket removal = work_.end(path); asked_.is_due(removal)) {
    asked_.settle(removal);
    overtaken_.start_removal(path, removal);
  }
  uploads_.erase(path);
}

bool Replica::Impl::awaits_answer(const std::string& path) const {
  return own_writes_.is_under_way(path) || own_moves_.contains(path) || own_moves_.is_leaving(path);
}

bool Replica::Impl::wait_for_answer(const std::string& path) {
  // Another text than ours: seen before our write or after it? The answer tells: a write that is done was there first; one that
  // is refused, since there was something else, was not, and the shell says once more what is there. To guess by likeness would
  // lose one of two lines that are much alike. The same at both ends of a move.
  if (!awaits_answer(path)) return false;
  seen_meanwhile_.insert(path);
  work_.mark_busy(path);
  return true;
}

void Replica::Impl::on_file_written(const AskedAction& asked, const FileWritten& written) {
  note_answer(asked, written);
  look_again(asked.path);
}

void Replica::Impl::look_again(const std::string& path) {
  // What was seen there before the answer.
  if (seen_meanwhile_.erase(path) != 0) look_when_answered(path);
}

void Replica::Impl::look_when_answered(const std::string& path) {
  // If another answer is to come, that is waited for as well.
  if (awaits_answer(path)) {
    seen_meanwhile_.insert(path);
  } else {
    work_.end(path);
    request_read(path);
  }
}

void Replica::Impl::note_answer(const AskedAction& asked, const FileWritten& written) {
  if (asked.is_settled) return;
  const std::string& path = asked.path;
  work_.end(path);
  own_writes_.note_answer(path, written.ticket);
  if (const OwnWrite* const ours = own_writes_.find(path, written.hash)) return note_written(path, *ours, ours->text);
  request_read(path);  // something happened in between: look at what is there
}

std::string Replica::Impl::text_behind_write(const std::string& path, const OwnWrite& write) const {
  return text_behind(path, FileRecord{.file_id = write.file_id});
}

const OwnWrite* Replica::Impl::torn_write(const std::string& path, std::string_view bytes) const {
  // Not every shell can replace a file in one step. Of a write that nobody knows to be done, the beginning alone is there: it
  // was cut off, and what is missing was deleted by nobody.
  return own_writes_.torn(path, bytes, [&](const OwnWrite& write) { return text_behind_write(path, write); });
}

void Replica::Impl::intend_to_write(const std::string& path, OwnWrite write) {
  own_writes_.put(path, std::move(write));
  emit(own_writes_.record(path));
}

void Replica::Impl::forget_doubtful_writes(const std::string& path) {
  if (own_writes_.forget_doubtful(path)) emit(own_writes_.record(path));
}

void Replica::Impl::forget_lost_writes() {
  // Of new files, and not there: they were not done.
  std::vector<std::string> lost;
  for (const auto& [path, writes] : own_writes_) {
    if (record(path) == nullptr && !wants_read_.contains(path)) lost.push_back(path);
  }
  for (const std::string& path : lost) forget_doubtful_writes(path);
}

void Replica::Impl::move_doubts(const std::string& from, const std::string& to) {
  // What is not known yet of a file goes with it: a loss of its end that may be half of a save, and writes of ours.
  shortened_.move(from, to);
  if (!own_writes_.contains(from)) return;
  if (seen_meanwhile_.erase(from) != 0) seen_meanwhile_.insert(to);
  own_writes_.move(from, to);
  // Done before the rename, or too late, or after the file came back: only the answer tells, wherever the file is now.
  for (const OwnWrite& write : own_writes_.of(to)) asked_.follow(write.ticket, to);
  emit(own_writes_.record(from));
  emit(own_writes_.record(to));
}

void Replica::Impl::note_written(const std::string& path, OwnWrite done, std::string text) {
  FileRecord written{.kind = done.kind, .hash = done.hash, .file_id = std::move(done.file_id)};
  const FileRecord* const known = record(path);
  const std::string displaced = known != nullptr && known->file_id != written.file_id ? known->file_id : std::string();
  if (known != nullptr && known->file_id == written.file_id) written.unsaved = known->unsaved;
  if (written.kind == FileRecord::Kind::Text && text_behind(path, written) != text) {
    written.base = std::move(text);
    written.base_units = std::move(done.units);
  }
  for (const OwnWrite& over : own_writes_.note_done(path, written.hash)) asked_.settle(over.ticket);
  emit(own_writes_.record(path));
  overtaken_.end(path);  // this came behind it
  const std::string id = written.file_id;
  save_record(path, std::move(written));
  reconcile(path);
  reconcile_records(id);  // that were in the way
  if (!displaced.empty()) reconcile_file(displaced);  // its place may have waited for it to leave this one
}

void Replica::Impl::note_written_over(const std::string& path, std::string_view edited) {
  // We were putting another file there, and what is there now is an edit of that one.
  const FileRecord& known = *record(path);
  const std::string before = last_seen_text(path);
  const OwnWrite* const ours = own_writes_.likely(path, before, edited);
  if (ours == nullptr || ours->file_id == known.file_id || ours->text == before) return;
  FileRecord written{.kind = FileRecord::Kind::Text, .hash = ours->hash, .base = ours->text, .file_id = ours->file_id};
  written.base_units = ours->units;
  save_record(path, std::move(written));
}

bool Replica::Impl::is_seen_before_removal(const std::string& path, const Sha256& hash) const {
  // Nothing was done to it yet, or it was made again as it was. The answer tells, if it has yet to come: after the one that nobody knows,
  // this look is what tells.
  const FileRecord* const known = record(path);
  return known != nullptr && known->hash == hash && asked_.is_due(work_.removal(path));
}

void Replica::Impl::note_removed(const std::string& path) {
  // As we wanted. Whoever did it, it is no deletion by anybody: if the list has the file again by now, it is written again.
  end_work(path);
  const FileRecord* const known = record(path);
  const std::string id = known == nullptr ? std::string() : known->file_id;
  drop_record(path);
  reconcile(path);
  reconcile_file(id);
}

void Replica::Impl::look_behind_removal(const std::string& path, Ticket ticket) {
  // It is done or not, and nothing else of it is to come: if something is to be there, a look tells.
  if (!overtaken_.is_removing(path, ticket)) return;
  if (record(path) != nullptr && !gone_.contains(path)) return request_read(path);
  overtaken_.end(path);
}

void Replica::Impl::follow_removal(const std::string& from, const std::string& to) {
  // This disk takes the two names for one, so the file may still be taken that was renamed.
  const Ticket removal = overtaken_.end(from);
  if (!asked_.is_due(removal)) return;
  asked_.follow(removal, to);
  overtaken_.start_removal(to, removal);
}

void Replica::Impl::on_file_removed(const AskedAction& asked, const FileRemoved& removed) {
  const std::string& path = asked.path;
  // It was seen to be missing, or another one was put there since.
  if (asked.is_settled) return look_behind_removal(path, removed.ticket);
  note_removed(path);
}

void Replica::Impl::on_file_refused(const AskedAction& asked, const FileRefused& refused) {
  const std::string& path = asked.path;
  if (!refused.in_doubt && overtaken_.is_removing(path, refused.ticket)) overtaken_.end(path);  // it took nothing
  // A move or a removal that was seen to be done, or to be pointless: that it failed says nothing new.
  const bool is_of_write = own_writes_.contains(path) || seen_meanwhile_.contains(path);
  if (asked.is_settled && !is_of_write) return look_behind_removal(path, refused.ticket);
  if (!refused.reason.empty()) problem(path, std::string(refused.reason));
  const bool is_removal = work_.is_removing(path, refused.ticket);
  restores_.on_name_refused(path);
  if (const OwnMove* const asked_for = own_moves_.find(path);
      asked_for != nullptr && asked_for->ticket == refused.ticket) {
    if (refused.in_doubt && record(asked_for->from) != nullptr) return doubt_move(path);
    was_not_moved(path);
  }
  if (own_writes_.refuse(path, refused.ticket, refused.in_doubt)) emit(own_writes_.record(path));
  // Told again if it was the reason, and else looked at when it is tried again.
  const bool was_seen_meanwhile = !awaits_answer(path) && seen_meanwhile_.erase(path) != 0;
  const TimestampMs then = clock_.now() + kDiskRetry;
  if (is_removal && refused.in_doubt) {
    work_.doubt_removal(path, refused.ticket, then);
  } else if (own_moves_.is_leaving(path)) {
    work_.wait_for_watcher(path, then);  // so that it is looked at
  } else {
    work_.wait(path, then);
  }
  if (was_seen_meanwhile && names_.to_key(refused.path) != path) {
    work_.end(path);  // renamed meanwhile, and the shell looks where it was
    request_read(path);
  }
}

}  // namespace diaryx::sync
