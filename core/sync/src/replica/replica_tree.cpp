// Which file is which: renames, deletions, and paths that one file after another uses.
//
// A path names an entry of the list, and by default the body document too; neither is a file. A file is an id: its entry bears
// it, its document says it (`BodyDoc::owner`), and the record of what is on this disk remembers it. So:
// 1. A document is one file's for ever. The first file under a path has the document named by the path, which is where every
//    Diaryx peer looks; a file that takes a path where another was has a document named by its id (`_doc` of its entry).
// 2. A renamed file takes its operations into the document of its new name. All documents of a file hold the same operations,
//    so they may be united in any order, any number of times; whatever is typed under an old name finds the new one.
// 3. What is typed into a file on disk goes to the file that is there by its record, wherever the list has it by now.
// 4. `homes` of the list says where each file was put last. A file whose entry another one took over without knowing it is
//    listed again under another name, by whoever has its text; every device chooses the same name.
#include <algorithm>
#include <utility>

#include "diaryx/sync/path.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {

// --- files, paths and documents ---------------------------------------------------------------------------------

std::optional<std::string> Replica::Impl::listed_path(const std::string& document) const {
  if (document.starts_with(kOwnDocument)) {
    const std::optional<std::string> path = index_.live_path(document.substr(kOwnDocument.size()));
    if (path && index_.document_of(*path) == document) return path;
  }
  const bool is_own = index_.document_of(document) == document && workspace_.live_file(document);
  return is_own ? std::optional(document) : std::nullopt;
}

std::string Replica::Impl::file_id_of(const std::string& path, const FileRecord& known) const {
  if (!known.file_id.empty()) return known.file_id;
  if (std::string id = index_.id_at(path); !id.empty()) return id;
  return said_id(workspace_.file(path));
}

bool Replica::Impl::is_at_home(const std::string& path, const FileRecord& known) const {
  if (!workspace_.live_file(path)) return false;
  const std::string id = index_.id_at(path);
  return known.file_id.empty() || id.empty() || id == known.file_id;
}

std::string Replica::Impl::document_of_file(const std::string& file_id, const std::string& path) const {
  if (const std::optional<std::string> at = index_.live_path(file_id))
    return is_contested(*at) ? fullest_document(file_id, path, own_document(file_id)) : index_.document_of(*at);
  const std::optional<Home> home = workspace_.home(file_id);
  const std::string document = home ? home->document : index_.document_of(path);
  const bool is_here = bodies_.contains(document) && !bodies_.open(document).is_virgin();
  const std::string owner = is_here ? bodies_.open(document).owner() : std::string();
  if (!owner.empty() && !file_id.empty() && owner != file_id) return own_document(file_id);
  if (is_here || file_id.empty()) return document;
  return fullest_document(file_id, path, document);  // renamed and deleted elsewhere before we heard of either
}

std::string Replica::Impl::fullest_document(const std::string& file_id, const std::string& path,
                                            std::string otherwise) const {
  // The document that the list names for the file is not here, or another file's here: its text is in the one that it had here
  // last, which has most.
  std::string best = std::move(otherwise);
  crdt::StateVector most;
  for (const std::string& other : documents_of_file(file_id, path)) {
    crdt::StateVector known = bodies_.open(other).doc().state_vector();
    if (!known.covers(most)) continue;
    best = other;
    most = std::move(known);
  }
  return best;
}

std::string Replica::Impl::document_text(const std::string& document) const {
  const BodyDoc& body = bodies_.open(document);
  return body.head() + body.body();
}

std::string Replica::Impl::text_behind(const std::string& path, const FileRecord& known) const {
  if (is_at_home(path, known)) return text_of(path);
  return document_text(document_of_file(file_id_of(path, known), path));
}

bool Replica::Impl::is_free(const std::string& path) const {
  return !workspace_.live_file(path) && !workspace_.live_binary(path);
}

std::string Replica::Impl::other_name(const std::string& path, const std::string& file_id) const {
  for (int attempt = 0;; ++attempt) {
    const std::string salt = attempt == 0 ? std::string() : std::to_string(attempt);
    std::string name = conflict_copy(WorkspacePath(path), sha256(std::string(file_id) + salt)).str();
    if (is_free(name) || index_.id_at(name) == file_id) return name;
  }
}

std::string Replica::Impl::document_for(const std::string& path, const std::string& file_id) const {
  // The path's own document if it is this file's, or nobody's yet.
  const bool unused = !bodies_.contains(path) || bodies_.open(path).is_virgin();
  const std::string owner = unused ? std::string() : bodies_.open(path).owner();
  if (!file_id.empty() && owner == file_id) return path;
  const std::optional<FileMetadata> entry = workspace_.file(path);
  const bool was_here = entry && extra_text(*entry, kFileId) == file_id && !extra_text(*entry, kDocument);
  if (owner.empty() && (was_here || (!entry && unused))) return path;
  return own_document(file_id);
}

bool Replica::Impl::index_file(const std::string& path) { return index_.note(path, workspace_.file(path)); }

// --- renames and deletions --------------------------------------------------------------------------------------

void Replica::Impl::on_gone(const std::string& path, Source source) {
  uploads_.erase(path);  // an upload may have no other answer than this
  // A new file that could not be written (a full disk) waits for its time.
  if (work_.is_waiting(path) && record(path) == nullptr) return;
  if (const std::string* const to = own_moves_.doubted_target(path); to != nullptr && source == Source::Look)
    return was_moved(std::string(*to));
  const bool is_ours = work_.is_removing(path) || overtaken_.is_removing(path);
  end_work(path);
  wants_read_.erase(path);
  newcomers_.erase(path);
  shortened_.erase(path);
  rewritten_.erase(path);
  // Before a write or a move of ours came to it, or after? The answer tells, and what is there is looked at then.
  const bool is_to_be_told = awaits_answer(path);
  if (is_to_be_told) seen_meanwhile_.insert(path);
  const FileRecord* known = record(path);
  if (known == nullptr) {
    forget_doubtful_writes(path);
    if (!own_writes_.is_under_way(path))
      reconcile(path);  // the list may have another file here, which it was in the way of
    return;
  }
  // Found by an action of ours, so the watcher's news may still be on their way; or that answer is.
  const bool may_be_told = (source != Source::Watcher || is_to_be_told) && !own_moves_.is_leaving(path);
  // One that waits goes on waiting: a read that was under way misses the file as well.
  const GoneFile* const gone = gone_.find(path);
  if (gone != nullptr && (gone->held || (gone->wait_until && (may_be_told || is_just_moved(*gone))))) return;
  gone_.put(path, GoneFile{.wait_until = may_be_told ? std::optional(clock_.now() + kRenameGrace) : std::nullopt,
                           .is_ours = is_ours || (gone != nullptr && gone->is_ours)});
}

void Replica::Impl::on_moved(const std::string& from, const std::string& to) {
  if (own_moves_.contains(from) && record(from) == nullptr) {
    if (record(to) == nullptr) {
      was_moved(from);  // it came to be there by our move
    } else {
      wait_for_answer(from);  // or what we did there before is told only now
    }
  }
  if (const OwnMove* const move = own_moves_.find(to); move != nullptr && move->from == from) {
    asked_.settle(own_moves_.take(to).ticket);  // the user was faster
  }
  work_.end(to);
  const bool is_awaited = work_.is_left_to_watcher(from);
  const bool was_edited = rewritten_.erase(from) != 0;  // told in the same batch
  const bool was_to_be_read = wants_read_.erase(from) != 0 || uploads_.contains(from) || was_edited;
  end_work(from);
  if (names_.is_same_place(from, to)) follow_removal(from, to);
  gone_.erase(from);
  newcomers_.erase(from);
  const FileRecord* known = record(from);
  if (known == nullptr) {
    request_read(to);
    return reconcile(from);  // if it made room for another content
  }
  restores_.on_renamed(from, to);
  const FileRecord moved = *known;
  const FileRecord* const there = record(to);
  const bool is_seen = there != nullptr && there->file_id == moved.file_id && there->hash == moved.hash;
  const bool free_target = there == nullptr || is_seen;
  const bool is_text = moved.kind == FileRecord::Kind::Text;
  if (!accept_path(to) || !free_target || (!is_text && !is_free(to))) {
    on_gone(from);
    if (accept_path(to)) request_read(to);
    return;
  }
  rename_file(from, to, moved);
  if (was_to_be_read) request_read(to);
  if (is_awaited) request_read(from);  // the watcher has said where the file went that was there
}

void Replica::Impl::rename_file(const std::string& from, const std::string& to, const FileRecord& known) {
  if (const std::optional<BinaryRef> ref = workspace_.live_binary(from); ref && known.kind == FileRecord::Kind::Blob) {
    BinaryRef moved = *ref;
    BinaryRef tombstone = *ref;
    moved.path = to;
    tombstone.deleted = true;
    edit_workspace([&](crdt::Transaction& txn) {
      workspace_.set_binary(txn, tombstone);
      workspace_.set_binary(txn, moved);
    });
    FileRecord record = known;
    if (!record.published.empty()) record.published = {*workspace_.binary_id(to)};
    move_doubts(from, to);
    drop_record(from);
    save_record(to, std::move(record));
    return reconcile(to);
  }
  if (known.kind != FileRecord::Kind::Text) {
    drop_record(from);
    return request_read(to);
  }
  move_doubts(from, to);
  // Renamed elsewhere too, and we know it already: this rename is the later one.
  std::string present = from;
  if (!is_at_home(from, known)) present = index_.live_path(file_id_of(from, known)).value_or(from);
  // Deleted elsewhere, renamed here: the user wants it. It stays the same file, in case somebody else wants it, too.
  std::optional<FileMetadata> entry = workspace_.file(present);
  FileRecord record = known;
  std::string name = to;
  if (present != to) {
    const std::string id = file_id_of(from, known);
    if (!is_free(to)) name = other_name(to, id.empty() ? from : id);  // another file took the name meanwhile
    if (entry && (id.empty() || extra_text(*entry, kFileId) == id)) {
      const Version before = version_of_document(document_of_file(id.empty() ? index_.id_at(present) : id, present));
      record.file_id = rename_text(present, name, *std::move(entry));
      if (!record.base && text_of(name) != before.text && sha256(before.text) == record.hash) {
        record.base = before.text;
        record.base_units = encode_units(before.units);
      }
    } else if (!id.empty()) {
      put_file(name, id, document_of_file(id, from));
    } else {
      drop_record(from);
      return request_read(to);
    }
  }
  drop_record(from);
  save_record(to, record);
  reconcile(to);
  reconcile(name);
  reconcile(from);
  if (present != from) reconcile(present);  // another file may be on disk there, which waited for this one
  reconcile_records(record.file_id);
}

std::string Replica::Impl::rename_text(const std::string& from, const std::string& to, FileMetadata entry) {
  const std::string id = file_id_of_entry(from, entry);
  const std::string old_document = is_contested(from) ? document_of_file(id, from) : index_.document_of(from);
  const std::string document = document_for(to, id);
  FileMetadata moved = entry;
  moved.filename = file_name(to);
  moved.modified_at = clock_.wall();
  moved.deleted = false;
  set_extra_text(moved, kFileId, id);
  set_extra_text(moved, kMovedTo, std::nullopt);
  set_extra_text(moved, kSeen, std::nullopt);
  set_extra_text(moved, kDocument, document == to ? std::nullopt : std::optional(document));
  entry.deleted = true;
  entry.modified_at = clock_.wall();
  set_extra_text(entry, kFileId, id);
  set_extra_text(entry, kMovedTo, to);
  set_extra_text(entry, kSeen, std::nullopt);
  move_text(old_document, document, id);
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_file(txn, from, entry);
    workspace_.set_file(txn, to, moved);
    workspace_.set_home(txn, id, {to, document, {}});
  });
  index_file(from);
  index_file(to);
  deleted_here_.erase(id);
  open_body(document);
  return id;
}

void Replica::Impl::put_file(const std::string& path, const std::string& file_id, const std::string& present_document) {
  const std::string document = document_for(path, file_id);
  const std::string text = document_text(present_document);
  move_text(present_document, document, file_id);
  create_entry(path, text, file_id, document);
}

void Replica::Impl::move_text(const std::string& from, const std::string& to, const std::string& file_id) {
  if (from == to) return;
  moved_from_ = from;
  give_body(bodies_.state(from), to);
  if (!bodies_.open(to).is_virgin() && bodies_.open(to).owner().empty())
    commit_body(to, bodies_.open(to).claim(file_id), HistoryOrigin::Move, from);
}

void Replica::Impl::reconcile_file(const std::string& file_id) {
  if (const std::optional<std::string> path = index_.live_path(file_id)) reconcile(*path);
}

void Replica::Impl::reconcile_records(const std::string& file_id) {
  // The file may be on disk under several of its names: those that were not moved waited for the one that was.
  for (const std::string& path : std::set(records_.paths_of(file_id))) {
    const FileRecord* known = record(path);
    if (known != nullptr && !is_at_home(path, *known)) reconcile(path);
  }
}

}  // namespace diaryx::sync
