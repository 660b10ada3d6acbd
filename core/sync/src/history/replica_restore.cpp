// Bringing files back: ordinary edits of today's documents, so that nothing that others did is undone with them (T20).
#include <utility>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/merge3.h"
#include "diaryx/sync/path.h"
#include "replica/replica_impl.h"
#include "roots.h"

namespace diaryx::sync {

void Replica::Impl::on_restore(const RestoreFiles& restore) {
  if (!joined_) return problem({}, "nothing can be restored before this device has met the server once");
  stop_waiting_for_waves();  // what is missing or shorter was done before this was asked for
  restores_.begin(restore.id);
  taking_away_ = true;  // a person decided, so it is no wave to be held
  for (const RestoreFile& file : restore.files) {
    const Result<WorkspacePath> path = parse_path(file.path);
    if (path && path->view() == file.path && is_carried(file.path)) restore_file(file);
  }
  taking_away_ = false;
  const std::set<uint64_t> writers = restores_.take_writers();
  if (options_.device.id.empty() || writers.empty()) return;
  edit_workspace([&](crdt::Transaction& txn) {
    crdt::Map map = workspace_.doc().map(kWritersRoot);
    for (const uint64_t client : writers) map.set(txn, std::to_string(client), crdt::Any::string(options_.device.id));
  });
}

void Replica::Impl::restore_file(const RestoreFile& file) {
  if (file.binary_before || file.binary_after) {
    restore_binary(file);
  } else if (!file.after) {
    restore_absence(file);
  } else if (!file.before) {
    if (workspace_.live_file(file.path) || workspace_.live_binary(file.path))
      return problem(file.path, "this file was not restored: there is one of that name again");
    bring_back(file);
  } else if (workspace_.live_file(file.renamed_from.empty() ? file.path : file.renamed_from)) {
    restore_text(file);
  } else {
    problem(file.path, "this file was not restored: it was renamed or deleted meanwhile");
  }
}

void Replica::Impl::restore_text(const RestoreFile& file) {
  const std::string present = file.renamed_from.empty() ? file.path : file.renamed_from;
  if (!text_is_here(present)) return problem(present, "this file was not restored: its text is not on this device yet");
  if (!apply_planned(file, present)) {
    // The plan does not fit this document: merge the texts.
    const std::string now = text_of(present);
    const std::string wanted =
        file.before == now ? *file.after : apply_edits(now, merge3(*file.before, *file.after, now));
    if (wanted != now) {
      remember_base(index_.id_at(present), present, version_of(present));
      commit_restored(present, set_file_text(present, wanted));
    }
  }
  if (file.renamed_from.empty()) return;
  if (workspace_.live_file(file.path) || workspace_.live_binary(file.path))
    return problem(present,
                   "this file did not get its old name back: another file is called \"" + file.path + "\" now");
  // Done as if the user had renamed it: the disk's answer makes the rename.
  if (const FileRecord* const known = record(present); known != nullptr && options_.write_files) {
    restores_.await_rename(present, file.path);
    const OwnWrites::Writes& writes =
        own_writes_.of(present);  // a text of then that is being written comes before the name
    const Sha256 expected = writes.empty() ? known->hash : writes.back().hash;
    return emit(MoveFile{present, file.path, expected, asked_.ask(file.path)});
  }
  rename_text(present, file.path, *workspace_.live_file(present));
}

bool Replica::Impl::apply_planned(const RestoreFile& file, const std::string& present) {
  const Result<crdt::StateVector> base = crdt::StateVector::decode(file.edit_base);
  const Result<crdt::UpdateSummary> edit = crdt::summarize_update_v1(file.edit);
  crdt::Doc& doc = bodies_.open(index_.document_of(present)).doc();
  if (!base || !edit || !doc.state_vector().covers(*base)) return false;
  const Version before = version_of(present);
  const Result<crdt::Commit> commit = doc.apply_update_v1(file.edit, crdt::TransactionOrigin::Restore);
  if (!commit) return false;
  if (!commit->changed()) return true;
  for (const crdt::StateVector::Entry& entry : edit->ends) restores_.add_writer(entry.client.value());
  remember_base(index_.id_at(present), present, before);
  commit_restored(present, commit->update_v1());
  return true;
}

void Replica::Impl::commit_restored(const std::string& present, Bytes update) {
  if (const FileRecord* known = record(present)) {
    FileRecord edited = *known;
    edited.unsaved = true;
    save_record(present, std::move(edited));
  }
  commit_body(index_.document_of(present), std::move(update));
  refresh_metadata(present);
  reconcile(present);
}

void Replica::Impl::bring_back(const RestoreFile& file) {
  if (options_.write_files) {
    // Done as if the user had put the file there again; it is read back and listed like any new file.
    restores_.await_file(file.path, restores_.id());
    emit(PersistRecord{std::string(kRestoredPrefix).append(file.path),
                       restores_.id()});  // perhaps read back in another run
    notify(FileChanged{file.path, FileChange::Created, {}});
    return emit(WriteText{file.path, *file.after, std::nullopt, asked_.ask(file.path)});
  }
  const std::optional<FileMetadata> entry = workspace_.file(file.path);
  if (!entry || is_left(file.path)) return problem(file.path, "this file was not restored: it has another name now");
  commit_body(index_.document_of(file.path), set_file_text(file.path, *file.after));
  const std::string id = said_id(entry);
  revive(id.empty() ? workspace_.new_file_id(file.path) : id, file.path);
}

void Replica::Impl::restore_absence(const RestoreFile& file) {
  const std::optional<FileMetadata> entry = workspace_.live_file(file.path);
  if (!entry) return;
  const FileRecord* known = record(file.path);
  const bool edited_on_disk = known != nullptr && known->base.has_value();
  if (!text_is_here(file.path) || text_of(file.path) != file.before || edited_on_disk)
    return problem(file.path, "this file was not taken away: it was edited meanwhile");
  const FileRecord gone = known != nullptr ? *known : FileRecord{};
  edit_workspace([&](crdt::Transaction& txn) { delete_entry(file.path, gone, txn); });
  index_file(file.path);
  reconcile(file.path);
}

void Replica::Impl::restore_binary(const RestoreFile& file) {
  const std::optional<BinaryRef> now = workspace_.live_binary(file.path);
  const auto hash_of = [](const std::optional<BinaryRef>& ref) { return ref ? ref->hash : std::string(); };
  if (hash_of(now) == hash_of(file.binary_after)) return;
  if (hash_of(now) != hash_of(file.binary_before) || workspace_.live_file(file.path))
    return problem(file.path, "this file was not restored: it changed meanwhile");
  BinaryRef ref = file.binary_after ? *file.binary_after : *now;
  ref.path = file.path;
  ref.deleted = !file.binary_after;
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_binary(txn, ref); });
  reconcile(file.path);
}

}  // namespace diaryx::sync
