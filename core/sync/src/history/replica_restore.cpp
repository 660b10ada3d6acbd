// Bringing files back: ordinary edits of today's documents, so that nothing that others did is undone with them (T20).
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/merge3.h"
#include "diaryx/sync/path.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {

void Replica::Impl::on_restore(const RestoreFiles& restore) {
  if (!joined_) return problem({}, "nothing can be restored before this device has met the server once");
  restore_id_ = restore.id;
  taking_away_ = true;  // a person decided, so it is no wave to be held
  for (const RestoreFile& file : restore.files) {
    const Result<WorkspacePath> path = parse_path(file.path);
    if (path && path->view() == file.path && is_carried(file.path)) restore_file(file);
  }
  taking_away_ = false;
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
  const std::string now = text_of(present);
  // What was typed since the plan was made stays: only what the plan changes is changed.
  const std::string wanted =
      file.before == now ? *file.after : apply_edits(now, merge3(*file.before, *file.after, now));
  if (wanted != now) {
    remember_base(present, now);
    Bytes update = set_document_text(present, wanted);
    if (const FileRecord* known = record(present)) {
      FileRecord edited = *known;
      edited.unsaved = true;
      save_record(present, std::move(edited));
    }
    commit_body(present, std::move(update));
    refresh_metadata(present);
    reconcile(present);
  }
  if (file.renamed_from.empty()) return;
  if (workspace_.live_file(file.path) || workspace_.live_binary(file.path))
    return problem(present,
                   "this file did not get its old name back: another file is called \"" + file.path + "\" now");
  // Done as if the user had renamed it: the disk's answer makes the rename.
  if (record(present) != nullptr && options_.write_files) return emit(MoveFile{present, file.path});
  rename_text(present, file.path, *workspace_.live_file(present));
}

void Replica::Impl::bring_back(const RestoreFile& file) {
  if (options_.write_files) {
    // Done as if the user had put the file there again; it is read back and listed like any new file.
    brought_back_.insert_or_assign(file.path, restore_id_);
    emit(PersistRecord{std::string(kRestoredPrefix).append(file.path),
                       restore_id_});  // perhaps read back in another run
    notify(FileChanged{file.path, FileChange::Created, {}});
    return emit(WriteText{file.path, *file.after, std::nullopt});
  }
  if (new_place(file.path)) return problem(file.path, "this file was not restored: it has another name now");
  commit_body(file.path, set_document_text(file.path, *file.after));
  revive_entry(file.path);
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
