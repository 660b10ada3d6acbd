// Writes to this disk, from the wish to the answer, and what may have become of those that were never answered.
//
// A text that we put there is ours, whoever says it or does not: an answer may come late, say that it failed although it was done,
// or not come at all, because we died. So what is to be written is noted before it is asked for (`Intended`, stored as
// `writing:` records), and a text that is found is compared with that before it counts as somebody's edit. The same holds for an
// attachment that was fetched: else one that the list has given up meanwhile would be sent as a new file.
#include <algorithm>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/text_diff.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

size_t changed_bytes(std::string_view before, std::string_view after) {
  size_t changed = 0;
  for (const TextEdit& edit : diff_text(before, after)) changed += edit.erased_bytes + edit.inserted.size();
  return changed;
}

}  // namespace

Ticket Replica::Impl::next_ticket() { return last_ticket_ = Ticket{last_ticket_.value() + 1}; }

Ticket Replica::Impl::ask(const std::string& path) {
  const Ticket ticket = next_ticket();
  asked_.emplace(ticket, Asked{.path = path});
  return ticket;
}

std::optional<Replica::Impl::Asked> Replica::Impl::take_asked(Ticket ticket) {
  auto asked = asked_.extract(ticket);
  return asked ? std::optional(std::move(asked.mapped())) : std::nullopt;
}

void Replica::Impl::settle(Ticket ticket) {
  if (const auto asked = asked_.find(ticket); asked != asked_.end()) asked->second.is_settled = true;
}

void Replica::Impl::mark_busy(const std::string& path) {
  work_.change(path, [](FileWork& work) { work.busy = true; });
}

void Replica::Impl::end_work(const std::string& path) {
  // What became of the file is seen before the answer to its removal, and there is nothing to be sent.
  if (const auto work = work_.take(path)) settle(work->removal);
  uploads_.erase(path);
}

bool Replica::Impl::is_being_written(const std::string& path) const {
  const auto writes = intended_.find(path);
  return writes != intended_.end() && std::ranges::any_of(writes->second, &Intended::is_under_way);
}

bool Replica::Impl::is_being_fetched(const std::string& path) const {
  const auto writes = intended_.find(path);
  return writes != intended_.end() && std::ranges::any_of(writes->second, [](const Intended& write) {
           return write.is_under_way() && write.kind == FileRecord::Kind::Blob;
         });
}

bool Replica::Impl::awaits_answer(const std::string& path) const {
  return is_being_written(path) || own_moves_.contains(path) || own_moves_.is_leaving(path);
}

bool Replica::Impl::wait_for_answer(const std::string& path) {
  // Another text than ours: seen before our write or after it? The answer tells: a write that is done was there first; one that
  // is refused, since there was something else, was not, and the shell says once more what is there. To guess by likeness would
  // lose one of two lines that are much alike. The same at both ends of a move.
  if (!awaits_answer(path)) return false;
  seen_meanwhile_.insert(path);
  mark_busy(path);
  return true;
}

void Replica::Impl::on_file_written(const Asked& asked, const FileWritten& written) {
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
    work_.erase(path);
    request_read(path);
  }
}

void Replica::Impl::note_answer(const Asked& asked, const FileWritten& written) {
  if (asked.is_settled) return;
  const std::string& path = asked.path;
  const Sha256& hash = written.hash;
  work_.erase(path);
  if (const auto writes = intended_.find(path); writes != intended_.end()) {
    const auto answered = std::ranges::find(writes->second, written.ticket, &Intended::ticket);
    if (answered != writes->second.end()) answered->ticket = {};  // no other answer is to come
    if (const Intended* const ours = intended(path, hash)) return note_written(path, *ours, ours->text);
  }
  request_read(path);  // something happened in between: look at what is there
}

const Replica::Impl::Intended* Replica::Impl::intended(const std::string& path, const Sha256& hash) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const auto found = std::ranges::find(writes->second, hash, &Intended::hash);
  return found == writes->second.end() ? nullptr : &*found;
}

const Replica::Impl::Intended* Replica::Impl::likely_write(const std::string& path, std::string_view base,
                                                           std::string_view bytes, Likeness of) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const auto compared = [of](std::string_view text) {
    return of == Likeness::OfBodies ? split_frontmatter(text).body : text;
  };
  const Intended* best = nullptr;
  const std::string_view older = compared(base);
  const std::string_view edited = compared(bytes);
  size_t least = changed_bytes(older, edited);
  for (const Intended& write : writes->second) {
    if (write.text.empty()) continue;
    const std::string_view text = compared(write.text);
    const size_t changed = changed_bytes(text, edited);
    if (changed > least || (changed == least && text != older)) continue;
    best = &write;
    least = changed;
  }
  return best;
}

std::vector<std::string> Replica::Impl::heads_in_doubt(const std::string& path, const std::string& file_id,
                                                       std::string_view base) const {
  // Blocks of frontmatter are much alike, whoever writes them, so likeness does not tell of which of them an edit was made: whether
  // a field that is missing was taken out, or never was on this disk.
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return {};
  std::vector<std::string> heads{std::string(split_frontmatter(base).head)};
  for (const Intended& write : writes->second) {
    if (write.file_id == file_id && !write.text.empty()) heads.emplace_back(split_frontmatter(write.text).head);
  }
  return heads;
}

const Replica::Impl::Intended* Replica::Impl::torn_write(const std::string& path, std::string_view bytes) const {
  // Not every shell can replace a file in one step. Of a write that nobody knows to be done, the beginning alone is there: it
  // was cut off, and what is missing was deleted by nobody.
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const auto found = std::ranges::find_if(writes->second, [&](const Intended& write) {
    if (write.is_under_way() || write.kind != FileRecord::Kind::Text) return false;
    const std::string text = write.text.empty() ? text_behind(path, FileRecord{.file_id = write.file_id}) : write.text;
    return bytes.size() < text.size() && text.starts_with(bytes);
  });
  return found == writes->second.end() ? nullptr : &*found;
}

void Replica::Impl::recall_writes() {
  // The texts that an earlier run was writing are not stored; those that the documents still have are known.
  for (auto& [path, writes] : intended_) {
    for (Intended& write : writes) {
      const FileRecord said{.hash = write.hash, .file_id = write.file_id};
      if (!write.text.empty() || write.is_under_way()) continue;
      if (std::string text = text_behind(path, said); sha256(text) == write.hash) write.text = std::move(text);
    }
  }
}

void Replica::Impl::intend_to_write(const std::string& path, Intended intended) {
  intended_[path].push_back(std::move(intended));  // perhaps once more: the earlier attempt is in doubt still
  persist_intended(path);
}

bool Replica::Impl::has_doubtful_write(const std::string& path) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return false;
  return !std::ranges::all_of(writes->second, &Intended::is_under_way);
}

void Replica::Impl::forget_doubtful_writes(const std::string& path) {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return;
  if (std::erase_if(writes->second, std::not_fn(&Intended::is_under_way)) != 0) persist_intended(path);
}

void Replica::Impl::forget_lost_writes() {
  // Of new files, and not there: they were not done.
  std::vector<std::string> lost;
  for (const auto& [path, writes] : intended_) {
    if (record(path) == nullptr && !wants_read_.contains(path)) lost.push_back(path);
  }
  for (const std::string& path : lost) forget_doubtful_writes(path);
}

void Replica::Impl::move_doubts(const std::string& from, const std::string& to) {
  // What is not known yet of a file goes with it: a loss of its end that may be half of a save, and writes of ours.
  if (auto shorter = truncated_.extract(from)) truncated_.insert_or_assign(to, std::move(shorter.mapped()));
  auto writes = intended_.extract(from);
  if (!writes) return;
  if (seen_meanwhile_.erase(from) != 0) seen_meanwhile_.insert(to);
  persist_intended(from);
  for (const Intended& write : writes.mapped()) {
    // Done before the rename, or too late, or after the file came back: only the answer tells, wherever the file is now.
    if (const auto asked = asked_.find(write.ticket); asked != asked_.end()) asked->second.path = to;
  }
  intended_.insert_or_assign(to, std::move(writes.mapped()));
  persist_intended(to);
}

void Replica::Impl::persist_intended(const std::string& path) {
  std::string value;
  const auto writes = intended_.find(path);
  if (writes != intended_.end() && writes->second.empty()) intended_.erase(writes);
  for (const Intended& write : intended_.contains(path) ? intended_.find(path)->second : std::vector<Intended>{}) {
    if (!value.empty()) value += '\n';
    value += write.hash.hex();
    if (!write.file_id.empty()) value.append("@").append(write.file_id);
    if (write.kind == FileRecord::Kind::Text) value.append("#").append(write.units);
  }
  emit(PersistRecord{std::string(kWritingPrefix).append(path), std::move(value)});
}

void Replica::Impl::note_written(const std::string& path, Intended done, std::string text) {
  FileRecord written{.kind = done.kind, .hash = done.hash, .file_id = std::move(done.file_id)};
  const FileRecord* const known = record(path);
  const std::string displaced = known != nullptr && known->file_id != written.file_id ? known->file_id : std::string();
  if (known != nullptr && known->file_id == written.file_id) written.unsaved = known->unsaved;
  if (written.kind == FileRecord::Kind::Text && text_behind(path, written) != text) {
    written.base = std::move(text);
    written.base_units = std::move(done.units);
  }
  // Writes are done in order: those before this one are over, and earlier attempts at it.
  std::vector<Intended>& writes = intended_[path];
  const auto end = std::ranges::find(writes.rbegin(), writes.rend(), written.hash, &Intended::hash).base();
  for (auto write = writes.begin(); write != end; ++write) settle(write->ticket);
  writes.erase(writes.begin(), end);
  persist_intended(path);
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
  const Intended* const ours = likely_write(path, before, edited);
  if (ours == nullptr || ours->file_id == known.file_id || ours->text == before) return;
  FileRecord written{.kind = FileRecord::Kind::Text, .hash = ours->hash, .base = ours->text, .file_id = ours->file_id};
  written.base_units = ours->units;
  save_record(path, std::move(written));
}

bool Replica::Impl::is_being_removed(const std::string& path) const {
  const FileWork* const work = work_.find(path);
  return work != nullptr && work->removal != Ticket{};
}

bool Replica::Impl::is_seen_before_removal(const std::string& path, const Sha256& hash) const {
  // Nothing was done to it yet, or it was made again as it was. The answer tells.
  const FileRecord* const known = record(path);
  return known != nullptr && known->hash == hash && is_being_removed(path) && work_.find(path)->busy;
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

void Replica::Impl::on_file_removed(const Asked& asked) {
  if (asked.is_settled) return;  // it was seen to be missing, or another one was put there since
  const std::string& path = asked.path;
  work_.erase(path);
  const FileRecord* const known = record(path);
  if (const auto renamed = renamed_under_removal_.extract(path); renamed && known != nullptr) {
    // The user wants it under the new name, where we took it away: it is renamed, and then written anew.
    const std::string to = renamed.mapped();
    mark_busy(to);
    rename_file(path, to, FileRecord(*known));
    work_.erase(to);
    drop_record(to);
    return reconcile(to);
  }
  note_removed(path);
}

void Replica::Impl::on_file_refused(const Asked& asked, const FileRefused& refused) {
  const std::string& path = asked.path;
  // A move or a removal that was seen to be done, or to be pointless: that it failed says nothing new.
  const bool is_of_write = intended_.contains(path) || seen_meanwhile_.contains(path);
  if (asked.is_settled && !is_of_write) return;
  if (!refused.reason.empty()) problem(path, std::string(refused.reason));
  const FileWork* const work = work_.find(path);
  const bool is_removal = work != nullptr && work->removal == refused.ticket;
  std::erase_if(called_again_, [&](const auto& entry) { return entry.second.to == path; });
  if (const OwnMove* const asked_for = own_moves_.find(path);
      asked_for != nullptr && asked_for->ticket == refused.ticket) {
    if (refused.in_doubt && record(asked_for->from) != nullptr) return doubt_move(path);
    was_not_moved(path);
  }
  if (const auto writes = intended_.find(path); writes != intended_.end()) {
    const auto answered = std::ranges::find(writes->second, refused.ticket, &Intended::ticket);
    const auto is_same_doubt = [&](const Intended& write) {
      return !write.is_under_way() && write.hash == answered->hash;
    };
    const bool is_known = answered != writes->second.end();
    if (is_known && refused.in_doubt && std::ranges::none_of(writes->second, is_same_doubt)) {
      answered->ticket = {};
    } else if (is_known) {
      writes->second.erase(answered);
      persist_intended(path);
    }
  }
  // Told again if it was the reason, and else looked at when it is tried again.
  const bool was_seen_meanwhile = !awaits_answer(path) && seen_meanwhile_.erase(path) != 0;
  FileWork next{.wait_until = now_ + kDiskRetry};
  if (is_removal && refused.in_doubt) next.removal = refused.ticket;
  next.left_to_watcher = next.removal != Ticket{} || own_moves_.is_leaving(path);  // so that it is looked at
  work_.put(path, next);
  if (was_seen_meanwhile && names_.to_key(refused.path) != path) {
    work_.erase(path);  // renamed meanwhile, and the shell looks where it was
    request_read(path);
  }
  if (const auto renamed = renamed_under_removal_.extract(path)) {
    work_.erase(path);
    on_moved(path, renamed.mapped());
    request_read(renamed.mapped());
  }
}

}  // namespace diaryx::sync
