// What the server tells, and bringing the files on disk to what the documents say.
#include <algorithm>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/render.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kFilesRoot = "files";
constexpr std::string_view kBinariesRoot = "binaries";
constexpr DurationMs kMetadataGrace{1'000};
constexpr uint64_t kTurns = 8;
constexpr int64_t kTurnMs = 250;

}  // namespace

// --- documents --------------------------------------------------------------------------------------------------

void Replica::Impl::apply_workspace(ByteView update, bool answer, HistoryOrigin origin) {
  const Result<crdt::Commit> commit = workspace_.doc().apply_update_v1(update);
  if (!commit) {
    return problem({}, "the server sent a change of the file list that cannot be read: " + describe(commit.error()));
  }
  if (commit->changed()) {
    file_count_.reset();
    persist("workspace", commit->update_v1(), origin);
  }
  const bool first_answer = answer && !workspace_link_.answered();
  if (answer) send_workspace(workspace_link_.on_step2(workspace_.doc(), update));
  if (first_answer) on_workspace_answered();

  // First know every entry, then act: a rename is two of them.
  const std::vector<std::string> changed = commit->changed_keys(kFilesRoot);
  std::set<std::string, std::less<>> arrived;
  for (const std::string& key : changed) {
    const Result<WorkspacePath> path = parse_path(key);
    if (!path) continue;
    if (index_file(path->str())) arrived.insert(path->str());
    // What is listed now was perhaps not before: it is in step only when it was asked for.
    if (is_carried(path->view()) && workspace_.live_file(path->view())) open_body(path->view());
  }
  for (const std::string& key : changed) {
    const Result<WorkspacePath> path = parse_path(key);
    if (path && is_carried(path->view())) {
      on_file_entry_changed(path->str());
      if (arrived.contains(path->str())) collect_moved_text(path->str());
    } else if (!path) {
      problem(key, std::string("another device names a file that cannot be used: ").append(describe(check_path(key))));
    }
  }
  for (const std::string& key : commit->changed_keys(kBinariesRoot)) {
    const Result<WorkspacePath> path = parse_path(key);
    if (path && path->view() == key && is_carried(key)) reconcile(key);
  }
}

void Replica::Impl::on_file_entry_changed(const std::string& path) {
  const std::optional<FileMetadata> entry = workspace_.file(path);
  if (!entry) return;
  if (is_id_key(path)) {
    if (entry->deleted) return;
    return problem(path, "another program keeps a file (\"" + entry->filename +
                             "\") under an id instead of its path; it is not written to this disk");
  }
  if (!entry->deleted) {
    open_body(path);
    adopt_old_peer_metadata(path);
    doubt_metadata(path);
    fold_doubled_file(path);
  } else if (const std::optional<std::string> target = new_place(path)) {
    inherit_moved_body(path, *target);
    reconcile(*target);
  } else if (follow_deleted_file(path)) {
    return reconcile(path);
  } else if (was_edited_unseen(path)) {
    // Whoever deleted it had not seen an edit that is here: the edit wins.
    revive_entry(path);
  }
  reconcile(path);
}

void Replica::Impl::remember_base(std::string_view path, const std::string& before) {
  const FileRecord* known = record(path);
  if (known == nullptr || known->kind != FileRecord::Kind::Text || known->base || sha256(before) != known->hash) return;
  FileRecord behind = *known;
  behind.base = before;
  save_record(path, std::move(behind));
}

bool Replica::Impl::apply_body(std::string_view key, ByteView update, HistoryOrigin origin) {
  const std::string before = text_of(key);
  const std::string body_before = bodies_.open(key).body();
  std::optional<EndedEra> era;
  if (may_begin_era(update)) era = EndedEra{bodies_.open(key).era(key), bodies_.state(key), before};
  const Result<crdt::Commit> commit = bodies_.open(key).doc().apply_update_v1(update);
  if (!commit) {
    problem(key, "the server sent a change of this file that cannot be read: " + describe(commit.error()));
    mark_unsynced(key);
    return false;
  }
  if (bodies_.open(key).doc().has_pending()) mark_unsynced(key);  // what waits for its base is not stored here
  if (!commit->changed()) return true;
  persist(std::string("body:").append(key), commit->update_v1(), origin);
  repair_lost_seed(key, update);

  if (era && era->name != bodies_.open(key).era(key)) {
    on_era_ended(std::string(key), *era);
    collect_moved_text(
        std::string(key));  // what was typed into this file under older names, and had no place here before
  } else {
    remember_base(key, before);
  }
  follow_edit_of_deleted(key);
  reconcile(key);
  doubt_metadata(key);
  if (!workspace_.live_file(key)) return true;
  if (std::string text = bodies_.open(key).body(); text != body_before) {
    notify(BodyChanged{std::string(key), std::move(text)});
  }
  return true;
}

void Replica::Impl::follow_edit_of_deleted(std::string_view key) {
  if (!workspace_.live_file(key) && (deleted_here_.contains(key) || was_edited_unseen(key))) {
    // Whoever wrote this did not know that the file was deleted here, nor did we know the edit: the edit wins.
    deleted_here_.erase(std::string(key));
    revive_entry(std::string(key));
    return;
  }
  // Edits that arrive under a key that is no longer used belong to the file's new name.
  if (const std::optional<std::string> target = new_place(key)) {
    inherit_moved_body(key, *target);
    reconcile(*target);
  } else if (!workspace_.live_file(key)) {
    follow_deleted_file(key);
  }
}

void Replica::Impl::repair_lost_seed(std::string_view key, ByteView incoming) {
  const auto open = open_bodies_.find(key);
  if (open == open_bodies_.end() || open->second.own_seed.empty()) return;
  BodyDoc& body = bodies_.open(key);
  // Empty: the seed that held belonged to a file that has left this key.
  if (const std::string holds = body.seed_name(); holds.empty() || holds == open->second.own_seed) return;
  // Two devices imported different files under one name at the same moment, so the document holds both. The seed that
  // holds now is the other one, everywhere. What came stands alone when its text needs nothing of ours.
  open->second.own_seed.clear();
  // (Its deletion of our entry in `seed` may stay pending there.)
  BodyDoc theirs(options_.client);
  if (!theirs.doc().apply_update_v1(incoming) || !theirs.doc().missing().empty() || theirs.doc().is_empty()) return;
  // Ours was renamed meanwhile: its new name has the text of both, since no file is left here to be kept as a copy.
  if (record(key) == nullptr && new_place(key)) return;
  commit_body(key, body.set_text(theirs.head(), theirs.body()));
  if (record(key) == nullptr) return;
  // Our text is on our disk: read it again as a file that was never synced, which keeps it as a conflict copy.
  drop_record(key);
  request_read(key);
}

void Replica::Impl::on_body_ready(std::string_view key) {
  adopt_old_peer_metadata(key);
  finish_parked_move(key);
  if (const auto waiting = wants_read_.find(key); waiting != wants_read_.end()) {
    wants_read_.erase(waiting);
    return request_read(key);
  }
  reconcile(key);
}

void Replica::Impl::adopt_old_peer_metadata(std::string_view path) {
  const auto open = open_bodies_.find(path);
  if (open == open_bodies_.end() || !open->second.link.answered()) return;
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry || extra_text(*entry, kHeadMark)) return;  // our own devices change the head itself
  BodyDoc& body = bodies_.open(path);
  const std::string head = body.head();
  if (head.empty()) return;  // rendered from the metadata as long as nobody edits it
  const Result<Frontmatter> front = Frontmatter::parse(head);
  if (!front) return;
  const FileMetadata said = derive_metadata(*front, WorkspacePath(path), entry->modified_at);
  if (same_meaning(said, *entry)) return;
  const Result<std::string> merged = merge_into_head(head, path, said, *entry);
  if (!merged) return;
  commit_body(path, body.set_text(*merged, body.body()));
}

void Replica::Impl::doubt_metadata(std::string_view path) {
  // An entry is one value, so of two devices that changed different fields one wins (T4), while the heads are merged. The
  // entry that belongs to a head mostly comes right behind it; when none does, the merged head is read anew.
  if (!bodies_.contains(path)) return;
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  const std::optional<std::string> mark = entry ? extra_text(*entry, kHeadMark) : std::nullopt;
  if (!mark || *mark == head_mark(bodies_.open(path).head())) {
    if (const auto found = doubtful_.find(path); found != doubtful_.end()) doubtful_.erase(found);
    if (doubtful_.empty()) doubtful_due_.reset();
    return;
  }
  doubtful_.emplace(path);
  // Not all devices at once: the first one spares the others the work.
  const auto turn = static_cast<int64_t>(options_.client.value() % kTurns);
  if (!doubtful_due_) doubtful_due_ = now_ + kMetadataGrace + DurationMs{turn * kTurnMs};
}

void Replica::Impl::check_metadata() {
  if (!doubtful_due_ || *doubtful_due_ > now_) return;
  doubtful_due_.reset();
  for (const std::string& path : std::exchange(doubtful_, {})) {
    const std::optional<FileMetadata> entry = workspace_.live_file(path);
    const std::optional<std::string> mark = entry ? extra_text(*entry, kHeadMark) : std::nullopt;
    if (mark && *mark != head_mark(bodies_.open(path).head())) refresh_metadata(path);
  }
}

// --- files ------------------------------------------------------------------------------------------------------

void Replica::Impl::reconcile(std::string_view path) {
  if (!options_.write_files || !joined_) return;
  if (const auto work = work_.find(path); work != work_.end() && (work->second.busy || work->second.retry_at)) return;
  if (uploads_.contains(path) || gone_.contains(path) || truncated_.contains(path) || is_parked(path)) return;
  if (const std::optional<BinaryRef> ref = workspace_.live_binary(path)) return reconcile_blob(path, *ref);
  if (const auto held = held_incoming_.find(path); held != held_incoming_.end() && workspace_.live_file(path)) {
    if (held->second == HeldChange::Kind::Deletion) held_incoming_.erase(held);  // it came back by itself
  }
  if (workspace_.live_file(path)) return reconcile_text(path);
  if (const FileRecord* known = record(path)) return reconcile_absent(path, FileRecord(*known));
  names_.release(path);  // chosen for a write that is not wanted any more
}

void Replica::Impl::reconcile_absent(std::string_view path, const FileRecord& known) {
  const std::optional<FileMetadata> entry = workspace_.file(path);
  if (known.kind == FileRecord::Kind::Text) {
    if (!entry) return;  // never listed: not ours to remove
    const std::optional<std::string> target = new_place(path);
    if (target && own_moves_.contains(*target)) return;  // on its way
    if (target && record(*target) == nullptr && !wants_read_.contains(*target)) {
      work_[*target].busy = true;
      own_moves_.insert_or_assign(*target, std::string(path));
      notify(FileChanged{*target, FileChange::Moved, std::string(path)});
      return emit(MoveFile{std::string(path), *target});
    }
    // Edited here, deleted elsewhere before the edit arrived: the edit wins.
    if (!target && (known.unsaved || DX_PLANTED(8))) {
      revive_entry(std::string(path));
      return reconcile(path);
    }
  } else if (!workspace_.binary(path)) {
    return;
  } else if (known.published && !workspace_.binary_replaced_knowingly(path, *known.published)) {
    // Whoever deleted it had not seen the version that is here: it is sent anew.
    drop_record(path);
    return request_read(path);
  }
  if (!ask_to_take(path, HeldChange::Kind::Deletion)) return;
  work_[std::string(path)].busy = true;
  notify(FileChanged{std::string(path), FileChange::Removed, {}});
  emit(RemoveFile{std::string(path), known.hash});
}

void Replica::Impl::reconcile_text(std::string_view path) {
  if (wants_read_.contains(path) || !text_is_here(path)) return;
  const FileRecord* known = record(path);
  if (known == nullptr && !is_answered(path)) {  // what the server has may still differ
    left_over_.emplace(path);
    return;
  }
  if (known == nullptr && bodies_.open(path).is_virgin() && extra_text(*workspace_.live_file(path), kHasText)) return;
  std::string text = text_of(path);
  const Sha256 hash = sha256(text);
  if (known != nullptr && known->hash == hash) {
    if (known->base) {
      FileRecord in_step = *known;
      in_step.base.reset();
      save_record(path, std::move(in_step));
    }
    return;
  }
  if (own_moves_.contains(path)) return;
  if (known != nullptr && known->base && is_truncation(*known->base, text) &&
      !ask_to_take(path, HeldChange::Kind::Truncation)) {
    return;
  }
  FileWork& work = work_[std::string(path)];
  work.busy = true;
  work.writing = text;
  const std::optional<Sha256> expected = known == nullptr ? std::nullopt : std::optional(known->hash);
  if (DX_PLANTED(9) && known != nullptr) save_record(path, FileRecord{.hash = hash});
  notify(FileChanged{std::string(path), expected ? FileChange::Changed : FileChange::Created, {}});
  emit(WriteText{std::string(path), std::move(text), expected});
}

void Replica::Impl::reconcile_blob(std::string_view path, const BinaryRef& ref) {
  const FileRecord* known = record(path);
  const Result<Sha256> hash = Sha256::from_hex(ref.hash);
  if (!hash || wants_read_.contains(path) || own_moves_.contains(path)) return;
  if (known != nullptr && known->hash == *hash) return;
  if (phase_ != Phase::Active && ref.size != 0) return;
  if (known != nullptr && known->published && !workspace_.binary_replaced_knowingly(path, *known->published)) {
    // Whoever wrote the entry that holds had not seen ours: both contents are wanted.
    return keep_blob_copy(path, known->hash);
  }
  FileWork& work = work_[std::string(path)];
  work.busy = true;
  const std::optional<Sha256> expected = known == nullptr ? std::nullopt : std::optional(known->hash);
  notify(FileChanged{std::string(path), expected ? FileChange::Changed : FileChange::Created, {}});
  emit(FetchBlob{std::string(path), *hash, ref.size, expected});
}

}  // namespace diaryx::sync
