// Writes to this disk, from the wish to the answer, and what may have become of those that were never answered.
//
// A text that we put there is ours, whoever says it or does not: an answer may come late, say that it failed although it was done,
// or not come at all, because we died. So what is to be written is noted before it is asked for (`Intended`, stored as
// `writing:` records), and a text that is found is compared with that before it counts as somebody's edit.
#include <algorithm>
#include <utility>

#include "diaryx/sync/text_diff.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr DurationMs kDiskRetry{2'000};

size_t changed_bytes(std::string_view before, std::string_view after) {
  size_t changed = 0;
  for (const TextEdit& edit : diff_text(before, after)) changed += edit.erased_bytes + edit.inserted.size();
  return changed;
}

}  // namespace

void Replica::Impl::expect_answers(const std::string& path, std::span<const Intended> writes) {
  const auto is_open = [](const Intended& write) { return write.state != Intended::State::InDoubt; };
  const auto open = static_cast<size_t>(std::ranges::count_if(writes, is_open));
  if (open != 0) owed_answers_[path] += open;
}

void Replica::Impl::end_work(const std::string& path) {
  // What became of the file is seen before the answer to its removal, which is not taken for that to the next action.
  const auto work = work_.extract(path);
  if (work && work.mapped().removing) ++owed_answers_[path];
}

bool Replica::Impl::take_owed_answer(std::string_view path) {
  const auto owed = owed_answers_.find(path);
  if (owed == owed_answers_.end()) return false;
  if (--owed->second == 0) owed_answers_.erase(owed);
  return true;
}

std::string Replica::Impl::answered_path(std::string_view path) {
  // A write that was asked for under a name which this disk takes for the present one came to the present one.
  const auto renamed = renamed_writes_.find(path);
  if (renamed == renamed_writes_.end()) return std::string(path);
  std::string to = renamed->second.to;
  if (--renamed->second.answers == 0) renamed_writes_.erase(renamed);
  return to;
}

bool Replica::Impl::is_being_written(std::string_view path) const {
  const auto writes = intended_.find(path);
  return writes != intended_.end() &&
         std::ranges::count(writes->second, Intended::State::UnderWay, &Intended::state) != 0;
}

bool Replica::Impl::awaits_answer(std::string_view path) const {
  const auto work = work_.find(path);
  return (work != work_.end() && work->second.removing) || is_being_written(path) || owed_answers_.contains(path) ||
         renamed_writes_.contains(path);
}

bool Replica::Impl::wait_for_answer(const std::string& path) {
  // Another text than ours: seen before our write or after it? The answer tells: a write that is done was there first; one that
  // is refused, since there was something else, was not, and the shell says once more what is there. To guess by likeness would
  // lose one of two lines that are much alike.
  if (!is_being_written(path)) return false;
  seen_meanwhile_.insert(path);
  work_[path].busy = true;
  return true;
}

void Replica::Impl::on_file_written(std::string_view asked, const Sha256& hash) {
  const std::string path = answered_path(asked);
  note_answer(path, hash);
  // If the next write is under way, its answer is waited for as well.
  if (is_being_written(path) || seen_meanwhile_.erase(path) == 0) return;
  work_.erase(path);
  request_read(path);
}

void Replica::Impl::note_answer(std::string_view path, const Sha256& hash) {
  if (take_owed_answer(path)) return;
  const auto work = work_.find(path);
  const bool is_fetched = work != work_.end() && work->second.fetching == hash;
  if (work != work_.end()) work_.erase(work);
  if (const auto writes = intended_.find(path); writes != intended_.end()) {
    const auto answered = std::ranges::find_if(writes->second, [&](const Intended& write) {
      return write.hash == hash && write.state != Intended::State::InDoubt;
    });
    if (answered != writes->second.end()) answered->state = Intended::State::InDoubt;  // no other answer is to come
    if (const Intended* const ours = intended(path, hash)) return note_written(std::string(path), *ours, ours->text);
  }
  if (!is_fetched) return request_read(path);  // something happened in between: look at what is there
  save_record(path, FileRecord{.kind = FileRecord::Kind::Blob, .hash = hash});
  reconcile(path);
}

const Replica::Impl::Intended* Replica::Impl::intended(std::string_view path, const Sha256& hash) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const auto found = std::ranges::find(writes->second, hash, &Intended::hash);
  return found == writes->second.end() ? nullptr : &*found;
}

const Replica::Impl::Intended* Replica::Impl::likely_write(std::string_view path, std::string_view base,
                                                           std::string_view bytes) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const Intended* best = nullptr;
  size_t least = changed_bytes(base, bytes);
  for (const Intended& write : writes->second) {
    if (write.text.empty()) continue;
    const size_t changed = changed_bytes(write.text, bytes);
    if (changed > least || (changed == least && write.text != base)) continue;
    best = &write;
    least = changed;
  }
  return best;
}

const Replica::Impl::Intended* Replica::Impl::torn_write(std::string_view path, std::string_view bytes) const {
  // Not every shell can replace a file in one step. Of a write that nobody knows to be done, the beginning alone is there: it
  // was cut off, and what is missing was deleted by nobody.
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return nullptr;
  const auto found = std::ranges::find_if(writes->second, [&](const Intended& write) {
    if (write.state != Intended::State::InDoubt) return false;
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
      if (!write.text.empty() || write.state != Intended::State::InDoubt) continue;
      if (std::string text = text_behind(path, said); sha256(text) == write.hash) write.text = std::move(text);
    }
  }
}

void Replica::Impl::intend_to_write(const std::string& path, Intended intended) {
  intended_[path].push_back(std::move(intended));  // perhaps once more: the earlier attempt is in doubt still
  persist_intended(path);
}

bool Replica::Impl::has_doubtful_write(std::string_view path) const {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return false;
  return std::ranges::count(writes->second, Intended::State::InDoubt, &Intended::state) != 0;
}

void Replica::Impl::forget_doubtful_writes(std::string_view path) {
  const auto writes = intended_.find(path);
  if (writes == intended_.end()) return;
  const auto is_doubtful = [](const Intended& write) { return write.state == Intended::State::InDoubt; };
  if (std::erase_if(writes->second, is_doubtful) != 0) persist_intended(path);
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
  persist_intended(from);
  if (names_.is_same_place(from, to)) {
    const auto under_way = std::ranges::count(writes.mapped(), Intended::State::UnderWay, &Intended::state);
    if (under_way != 0) renamed_writes_[from] = {to, static_cast<size_t>(under_way)};
  } else {
    expect_answers(from, writes.mapped());
    for (Intended& write : writes.mapped()) write.state = Intended::State::InDoubt;  // done, or too late
  }
  intended_.insert_or_assign(to, std::move(writes.mapped()));
  persist_intended(to);
}

void Replica::Impl::persist_intended(std::string_view path) {
  std::string value;
  const auto writes = intended_.find(path);
  if (writes != intended_.end() && writes->second.empty()) intended_.erase(writes);
  for (const Intended& write : intended_.contains(path) ? intended_.find(path)->second : std::vector<Intended>{}) {
    if (!value.empty()) value += '\n';
    value += write.hash.hex();
    if (!write.file_id.empty()) value.append("@").append(write.file_id);
    value.append("#").append(write.units);
  }
  emit(PersistRecord{std::string(kWritingPrefix).append(path), std::move(value)});
}

void Replica::Impl::note_written(const std::string& path, Intended done, std::string text) {
  FileRecord written{.kind = FileRecord::Kind::Text, .hash = done.hash, .file_id = std::move(done.file_id)};
  const FileRecord* const known = record(path);
  const std::string displaced = known != nullptr && known->file_id != written.file_id ? known->file_id : std::string();
  if (known != nullptr && known->file_id == written.file_id) written.unsaved = known->unsaved;
  if (text_behind(path, written) != text) {
    written.base = std::move(text);
    written.base_units = std::move(done.units);
  }
  // Writes are done in order: those before this one are over, and earlier attempts at it.
  std::vector<Intended>& writes = intended_[path];
  const auto end = std::ranges::find(writes.rbegin(), writes.rend(), written.hash, &Intended::hash).base();
  expect_answers(path, {writes.begin(), end});
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

void Replica::Impl::on_file_removed(std::string_view path) {
  take_owed_answer(path);
  work_.erase(std::string(path));
  const FileRecord* const known = record(path);
  if (const auto renamed = renamed_under_removal_.extract(std::string(path)); renamed && known != nullptr) {
    // The user wants it under the new name, where we took it away: it is renamed, and then written anew.
    const std::string to = renamed.mapped();
    work_[to].busy = true;
    rename_file(std::string(path), to, FileRecord(*known));
    work_.erase(to);
    drop_record(to);
    return reconcile(to);
  }
  const std::string id = known == nullptr ? std::string() : known->file_id;
  drop_record(path);
  reconcile(path);
  reconcile_file(id);
}

void Replica::Impl::on_file_refused(std::string_view asked, const FileRefused& refused) {
  const std::string path = answered_path(asked);
  std::erase_if(called_again_, [&](const auto& entry) { return entry.second.to == path; });
  if (const auto move = own_moves_.extract(path)) {
    if (record(path) == nullptr) names_.release(path);
    names_.respell(move.mapped().from, move.mapped().disk_from);
    work_[move.mapped().from] =
        FileWork{.retry_at = now_ + kDiskRetry};  // if it is gone, perhaps the user moved it first
  }
  const bool is_news = !take_owed_answer(path);
  if (const auto writes = intended_.find(path); is_news && writes != intended_.end()) {
    // They are answered in order.
    const auto is_doubtful = [](const Intended& write) { return write.state == Intended::State::InDoubt; };
    const auto answered = std::ranges::find_if_not(writes->second, is_doubtful);
    const auto is_same_doubt = [&](const Intended& write) {
      return is_doubtful(write) && write.hash == answered->hash;
    };
    const bool is_known = answered != writes->second.end();
    if (is_known && refused.in_doubt && std::ranges::none_of(writes->second, is_same_doubt)) {
      answered->state = Intended::State::InDoubt;
    } else if (is_known) {
      writes->second.erase(answered);
      persist_intended(path);
    }
  }
  // Told again if it was the reason, and else looked at when it is tried again.
  if (!is_being_written(path)) seen_meanwhile_.erase(path);
  FileWork& work = work_[path];
  work = FileWork{.retry_at = now_ + kDiskRetry};
  if (!refused.reason.empty()) problem(path, std::string(refused.reason));
  if (const auto renamed = renamed_under_removal_.extract(path)) {
    work_.erase(path);
    on_moved(path, renamed.mapped());
    request_read(renamed.mapped());
  }
}

}  // namespace diaryx::sync
