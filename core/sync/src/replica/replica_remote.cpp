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

constexpr DurationMs kMetadataGrace{1'000};
constexpr uint64_t kTurns = 8;
constexpr int64_t kTurnMs = 250;

}  // namespace

// --- documents --------------------------------------------------------------------------------------------------

void Replica::Impl::on_update_made(const UpdateMade& made) {
  made_ = &made;
  if (made.doc == kWorkspaceName) {
    apply_workspace(made.update, /*answer=*/false, made.origin);
  } else if (made.doc.starts_with(kBodyPrefix)) {
    apply_body(std::string(made.doc.substr(kBodyPrefix.size())), made.update, made.origin);
  }
  made_ = nullptr;
}

void Replica::Impl::apply_workspace(ByteView update, bool answer, HistoryOrigin origin) {
  const Result<crdt::Commit> commit = workspace_.doc().apply_update_v1(update);
  if (!commit) {
    return problem({}, std::string(made_ ? "the host gave" : "the server sent") +
                           " a change of the file list that cannot be read: " + describe(commit.error()));
  }
  if (commit->changed()) {
    file_count_.reset();
    persist(std::string(kWorkspaceName), commit->update_v1(), origin, std::string(made_ ? made_->note : ""));
    if (made_) send_workspace(workspace_link_.on_local_update(commit->update_v1()));
  }
  const bool catching_up = !workspace_link_.answered();
  const bool first_answer = answer && catching_up;
  if (answer) {
    send_workspace(workspace_link_.on_step2(workspace_.doc(), update));
    if (workspace_.doc().has_pending()) tell_incomplete({});
  } else {
    send_workspace(workspace_link_.ask_for_base(workspace_.doc()));
  }
  if (first_answer) on_workspace_answered();

  // First know every entry, then act: a rename is two of them.
  const std::vector<std::string> changed = commit->changed_keys(kFilesRoot);
  std::set<std::string> arrived;
  std::set<std::string> replaced;  // paths that another file has now
  std::set<std::string> homes;  // of files that may have lost their entry
  for (const std::string& key : changed) {
    const Result<WorkspacePath> path = parse_path(key);
    if (!path) continue;
    const std::string before = index_.id_at(path->str());
    if (index_file(path->str())) arrived.insert(path->str());
    // What is listed now was perhaps not before: it is in step only when it was asked for.
    if (is_carried(path->view()) && workspace_.live_file(path->str())) open_body(index_.document_of(path->str()));
    if (index_.id_at(path->str()) == before) continue;
    replaced.insert(path->str());
    if (!before.empty()) homes.insert(before);
  }
  for (std::string& id : commit->changed_keys(kHomesRoot)) homes.insert(std::move(id));
  if (first_answer && std::exchange(check_all_homes_, false)) {
    for (std::string& id : workspace_.file_ids()) homes.insert(std::move(id));
  }
  if (catching_up) give_way(replaced, commit->changed_keys(kHomesRoot));
  for (const std::string& key : changed) {
    const Result<WorkspacePath> path = parse_path(key);
    if (path && is_carried(path->view())) {
      if (arrived.contains(path->str())) unite(index_.id_at(path->str()));
      on_file_entry_changed(path->str());
    } else if (!path) {
      problem(key, std::string("another device names a file that cannot be used: ").append(describe(check_path(key))));
    }
  }
  for (const std::string& id : homes) {
    if (!index_.live_path(id) && !revive_if_edited(id, {})) relist_if_lost(id);
  }
  for (const std::string& key : commit->changed_keys(kBinariesRoot)) {
    const Result<WorkspacePath> path = parse_path(key);
    if (!path || path->view() != key || !is_carried(key)) continue;
    part_kinds(key);
    reconcile(key);
  }
}

void Replica::Impl::give_way(const std::set<std::string>& replaced, const std::vector<std::string>& changed_homes) {
  // While we were away somebody gave a name to one file and we gave it to another: the first to reach the server has it.
  for (const std::string& id : changed_homes) {
    const std::optional<Home> home = workspace_.home(id);
    if (!home || !home->seen.empty() || index_.live_path(id)) continue;
    const std::string ours = index_.id_at(home->path);
    if (ours.empty() || replaced.contains(home->path)) continue;
    const std::string name = other_name(home->path, ours);
    const std::string document = index_.document_of(home->path);
    create_entry(home->path, "", id, home->document);
    put_file(name, ours, document);
    reconcile_records(ours);
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
    name_own_document(path);
    open_body(index_.document_of(path));
    adopt_old_peer_metadata(path);
    doubt_metadata(path);
    part_kinds(path);
    fold_doubled_file(path);
  } else if (const std::optional<std::string> id = extra_text(*entry, kFileId)) {
    if (const std::optional<std::string> target = index_.live_path(*id)) {
      unite(*id, path);
      reconcile(*target);
    } else {
      revive_if_edited(*id, path);
    }
  }
  if (const auto waiting = wants_read_.find(path); waiting != wants_read_.end()) {
    wants_read_.erase(waiting);
    return request_read(path);
  }
  reconcile(path);
}

std::vector<std::string> Replica::Impl::paths_without_base(const std::string& file_id, const std::string& path) const {
  std::set<std::string> paths = records_.paths_of(file_id);
  if (!path.empty()) paths.emplace(path);
  std::vector<std::string> found;
  for (const std::string& at : paths) {
    const FileRecord* known = record(at);
    if (known != nullptr && known->kind == FileRecord::Kind::Text && !known->base) found.push_back(at);
  }
  return found;
}

void Replica::Impl::remember_base(const std::string& file_id, const std::string& path, const Version& before) {
  for (const std::string& at : paths_without_base(file_id, path)) {
    if (hash_of(before.text) != record(at)->hash) continue;
    FileRecord behind = *record(at);
    behind.base = before.text;
    behind.base_units = encode_units(before.units);
    save_record(at, std::move(behind));
  }
}

bool Replica::Impl::apply_body(const std::string& key, ByteView update, HistoryOrigin origin, bool foreign) {
  std::optional<std::string> path = listed_path(key);
  const std::string owner = bodies_.open(key).owner();
  const bool may_be_taken = is_file_id(owner) && may_claim(update);
  // The text as it was is looked at only where a file on this disk may be left with it.
  const bool is_base = !paths_without_base(path ? index_.id_at(*path) : owner, path.value_or(std::string())).empty();
  const Version before = may_be_taken || is_base ? version_of_document(key) : Version{};
  const Bytes state = may_be_taken ? bodies_.state(key) : Bytes();
  const crdt::StateVector ours = bodies_.open(key).doc().state_vector();
  const Result<crdt::Commit> commit = bodies_.open(key).doc().apply_update_v1(update);
  if (!commit) {
    problem(key, std::string(made_ ? "the host gave" : "the server sent") +
                     " a change of this file that cannot be read: " + describe(commit.error()));
    if (!made_) mark_unsynced(key);
    return false;
  }
  if (bodies_.open(key).doc().has_pending()) mark_unsynced(key);  // what waits for its base is not stored here
  if (!commit->changed()) return true;
  persist(std::string(kBodyPrefix) + key, commit->update_v1(), origin, std::string(made_ ? made_->note : ""));
  if (made_) send_body(key, payload_of_edit(key, commit->update_v1()));

  // At the first answer the file that the server has there was first; ours goes on elsewhere.
  if (foreign) commit_body(key, bodies_.open(key).note_left(owner));
  const std::string holder = bodies_.open(key).owner();
  if (may_be_taken && holder != owner) {
    on_document_taken(key, owner, holder, state, before.text);
  } else {
    remember_base(path ? index_.id_at(*path) : owner, path.value_or(std::string()), before);
    take_out_strays(key, ours);
  }
  path = listed_path(key);
  if (!path) follow_edit_of_unlisted(key);
  path = listed_path(key);
  if (!path) return true;
  if (is_contested(*path)) relist_if_lost(bodies_.open(key).owner());
  name_own_document(*path);
  if (const auto waiting = wants_read_.find(*path); waiting != wants_read_.end() && !is_contested(*path)) {
    wants_read_.erase(waiting);
    request_read(*path);
  }
  reconcile(*path);
  reconcile_records(index_.id_at(*path));
  doubt_metadata(*path);
  if (commit->touched(kBodyRoot) && !made_ && index_.document_of(*path) == key)
    notify(BodyChanged{*path, bodies_.open(key).body()});
  return true;
}

void Replica::Impl::follow_edit_of_unlisted(const std::string& document) {
  std::string id = bodies_.open(document).owner();
  if (id.empty()) id = said_id(workspace_.file(document));
  if (!is_file_id(id)) return;
  if (const std::optional<std::string> target = index_.live_path(id)) {
    // Edits that arrive under a key that is no longer used belong to the file's new name.
    unite(id, document);
    return reconcile(*target);
  }
  // Whoever wrote this did not know that the file was deleted, nor did whoever deleted it know this: the edit wins.
  if (revive_if_edited(id, document)) return;
  const Whereabouts last = whereabouts(id);
  if (last.seen == kSeenUnknown && deleted_here_.contains(id)) return revive(id, last.path, document);
  relist_if_lost(id);
}

void Replica::Impl::on_body_ready(const std::string& key) {
  const std::optional<std::string> listed = listed_path(key);
  if (listed) adopt_old_peer_metadata(*listed);
  const std::optional<Home> home =
      key.starts_with(kOwnDocument) ? workspace_.home(key.substr(kOwnDocument.size())) : std::nullopt;
  std::set<std::string> waiting;  // for this document, which may have moved on to another path meanwhile
  const auto add = [&](const std::string& path) {
    if (wants_read_.contains(path)) waiting.insert(path);
  };
  add(key);
  if (listed) add(*listed);
  if (home) add(home->path);
  for (const std::string& path : index_.paths_with(key)) add(path);
  for (const std::string& path : waiting) {
    wants_read_.erase(path);
    request_read(path);
  }
  if (listed) reconcile(*listed);
}

void Replica::Impl::adopt_old_peer_metadata(const std::string& path) {
  const std::string document = index_.document_of(path);
  if (!open_bodies_.is_answered(document)) return;
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry || extra_text(*entry, kHeadMark)) return;  // our own devices change the head itself
  BodyDoc& body = bodies_.open(document);
  const std::string head = body.head();
  if (head.empty()) return;  // rendered from the metadata as long as nobody edits it
  const Result<Frontmatter> front = Frontmatter::parse(head);
  if (!front) return;
  const FileMetadata said = derive_metadata(*front, WorkspacePath(path), entry->modified_at);
  if (same_meaning(said, *entry)) return;
  const Result<std::string> merged = merge_into_head(head, path, said, *entry);
  if (!merged) return;
  commit_body(document, body.set_text(*merged, std::string(body.body())));
}

void Replica::Impl::doubt_metadata(const std::string& path) {
  // An entry is one value, so of two devices that changed different fields one wins (T4), while the heads are merged. The
  // entry that belongs to a head mostly comes right behind it; when none does, the merged head is read anew.
  const std::string document = index_.document_of(path);
  if (!bodies_.contains(document)) return;
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  const std::optional<std::string> mark = entry ? extra_text(*entry, kHeadMark) : std::nullopt;
  if (!mark || is_contested(path) || *mark == head_mark(bodies_.open(document).head())) {
    doubtful_.erase(path);
    if (doubtful_.empty()) doubtful_due_.reset();
    return;
  }
  doubtful_.emplace(path);
  // Not all devices at once: the first one spares the others the work.
  const auto turn = static_cast<int64_t>(options_.client.value() % kTurns);
  if (!doubtful_due_) doubtful_due_ = clock_.now() + kMetadataGrace + DurationMs{turn * kTurnMs};
}

void Replica::Impl::check_metadata() {
  if (!doubtful_due_ || *doubtful_due_ > clock_.now()) return;
  doubtful_due_.reset();
  for (const std::string& path : std::exchange(doubtful_, {})) {
    const std::optional<FileMetadata> entry = workspace_.live_file(path);
    const std::optional<std::string> mark = entry ? extra_text(*entry, kHeadMark) : std::nullopt;
    if (!mark || is_contested(path)) continue;
    if (*mark != head_mark(bodies_.open(index_.document_of(path)).head())) refresh_metadata(path);
  }
}

// --- files ------------------------------------------------------------------------------------------------------

void Replica::Impl::reconcile(const std::string& path) {
  if (!options_.write_files || !joined_) return;
  if (work_.is_pending(path)) return;
  // A fetch takes its time, so nothing else is asked for while one is under way: it could be overtaken.
  if (own_writes_.is_fetch_under_way(path) || own_moves_.is_leaving(path)) return work_.mark_busy(path);
  if (uploads_.contains(path) || waits_for_belief(path)) return;
  if (const std::optional<BinaryRef> ref = workspace_.live_binary(path)) return reconcile_blob(path, *ref);
  if (workspace_.live_file(path)) {
    incoming_.came_back(path);
    return reconcile_text(path);
  }
  if (const FileRecord* known = record(path)) return reconcile_absent(path, FileRecord(*known));
  release_name(path);  // chosen for a write that is not wanted any more
}

bool Replica::Impl::make_room(const std::string& path, const FileRecord& known) {
  // What is on disk here is a file that the list has elsewhere, or nowhere. True if it left, or is to be waited for.
  const std::string id = file_id_of(path, known);
  if (id.empty()) return false;
  if (!index_.live_path(id)) {
    if (known.unsaved && !workspace_.home(id)) {
      revive(id, path);
    } else if (!revive_if_edited(id, index_.document_of(path))) {
      relist_if_lost(id);
    }
  }
  const std::optional<std::string> target = index_.live_path(id);
  if (!target || *target == path) return false;
  unite(id, path);
  if (const OwnMove* const move = own_moves_.find(*target)) return move->from == path;  // on its way
  if (record(*target) != nullptr) return false;  // in the way of each other: each is written over where it is
  move_on_disk(path, *target);
  return true;
}

bool Replica::Impl::comes_from_elsewhere(const std::string& path) {
  // The file is on this disk under another name: it is moved, not written a second time.
  const std::string id = index_.id_at(path);
  for (const std::string& other : std::set(records_.paths_of(id))) {
    if (other != path) reconcile(other);
  }
  const std::set<std::string>& left = records_.paths_of(id);
  return !left.empty() && !left.contains(path);
}

void Replica::Impl::reconcile_absent(const std::string& path, const FileRecord& known) {
  if (known.kind == FileRecord::Kind::Text) {
    if (!workspace_.file(path)) return;  // never listed: not ours to remove
    if (make_room(path, known)) return;
    if (workspace_.live_file(path)) return reconcile(path);
    if (DX_PLANTED(8)) return revive(file_id_of(path, known), path);
  } else if (!workspace_.binary(path)) {
    return;
  } else if (was_taken_unseen(path, known)) {
    // Whoever deleted it had not seen the version that is here: it is sent anew (`on_blob_seen`).
    return request_read(path);
  }
  if (!ask_to_take(path, HeldChange::Kind::Deletion)) return;
  const Ticket ticket = asked_.ask(path);
  work_.start_removal(path, ticket);
  const bool goes_on = records_.paths_of(known.file_id).size() > 1;  // here, under the name that it was copied to
  if (!goes_on) notify(FileChanged{path, FileChange::Removed, {}});
  emit(RemoveFile{path, known.hash, ticket});
}

bool Replica::Impl::was_taken_unseen(const std::string& path, const FileRecord& known) const {
  return !known.published.empty() && std::ranges::none_of(known.published, [&](const crdt::Id& id) {
    return workspace_.binary_replaced_knowingly(path, id);
  });
}

void Replica::Impl::withdraw_if_taken(const std::string& path, BinaryRef ref, const FileRecord& known) {
  // We sent it anew, and hear only now of somebody who had seen it and took it away: that was the later word of a person.
  if (known.published.size() < 2 || known.published.back() != workspace_.binary_id(path)) return;
  if (was_taken_unseen(path, known)) return;
  ref.deleted = true;
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_binary(txn, ref); });
  reconcile(path);
}

void Replica::Impl::reconcile_text(const std::string& path) {
  if (wants_read_.contains(path)) return;
  const FileRecord* known = record(path);
  if (known != nullptr && was_taken_unseen(path, *known)) {
    // Whoever made a text of the file had not seen what is here.
    return keep_blob_copy(path, known->hash);
  }
  const bool is_other = known != nullptr && known->kind == FileRecord::Kind::Text && !is_at_home(path, *known);
  if (is_other) {
    if (make_room(path, FileRecord(*known))) return;
    known = record(path);
  }
  if (known == nullptr && comes_from_elsewhere(path)) return;
  const std::string document = index_.document_of(path);
  if ((known == nullptr || is_other) && !is_answered(document)) {  // what the server has may still differ
    unsynced_.leave(document);
    return;
  }
  if (!text_is_here(path) || is_contested(path)) return;
  const bool may_be_empty = known != nullptr && !is_other && !known->base;
  if (!may_be_empty && bodies_.open(document).is_virgin() && extra_text(*workspace_.live_file(path), kHasText)) return;
  std::string text = text_of(path);
  const Sha256 hash = hash_of(text);
  if (known != nullptr && known->hash == hash) {
    if (known->base || is_other) {
      FileRecord in_step = *known;
      in_step.base.reset();
      in_step.base_units.clear();
      if (is_other) in_step.file_id = index_.id_at(path);
      save_record(path, std::move(in_step));
    }
    return;
  }
  if (own_moves_.contains(path)) return;
  if (known != nullptr && !is_other && known->base && is_truncation(*known->base, text) &&
      !ask_to_take(path, HeldChange::Kind::Truncation)) {
    return;
  }
  work_.mark_busy(path);
  const Ticket ticket = asked_.ask(path);
  intend_to_write(path, {hash, index_.id_at(path), encode_units(bodies_.open(document).units()), text, ticket});
  const std::optional<Sha256> expected = known == nullptr ? std::nullopt : std::optional(known->hash);
  if (DX_PLANTED(9) && known != nullptr) save_record(path, FileRecord{.hash = hash});
  notify(FileChanged{path, expected ? FileChange::Changed : FileChange::Created, {}});
  emit(WriteText{path, std::move(text), expected, ticket});
}

void Replica::Impl::reconcile_blob(const std::string& path, const BinaryRef& ref) {
  const FileRecord* known = record(path);
  const Result<Sha256> hash = Sha256::from_hex(ref.hash);
  if (!hash || wants_read_.contains(path) || own_moves_.contains(path)) return;
  if (known != nullptr && known->hash == *hash) return withdraw_if_taken(path, ref, *known);
  if (known != nullptr && known->kind == FileRecord::Kind::Text) {
    if (make_room(path, FileRecord(*known))) return;  // its text goes on under another name
    known = record(path);
  }
  if (!connection_.is_active() && ref.size != 0) return;
  if (known != nullptr && was_taken_unseen(path, *known)) {
    // Whoever wrote the entry that holds had not seen ours: both contents are wanted.
    return keep_blob_copy(path, known->hash);
  }
  work_.mark_busy(path);
  const Ticket ticket = asked_.ask(path);
  intend_to_write(path, {.hash = *hash, .ticket = ticket, .kind = FileRecord::Kind::Blob});
  const std::optional<Sha256> expected = known == nullptr ? std::nullopt : std::optional(known->hash);
  notify(FileChanged{path, expected ? FileChange::Changed : FileChange::Created, {}});
  emit(FetchBlob{path, *hash, ref.size, expected, ticket});
}

}  // namespace diaryx::sync
