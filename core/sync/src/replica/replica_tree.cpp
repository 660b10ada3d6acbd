// Which file is which: renames, deletions, and keys that one file after another uses.
//
// A key is a path and names the body document on the wire, so a document outlives the file it was made for. Three rules
// keep one file's text out of another:
// 1. A file that takes a key where another was begins an era of the document (`BodyDoc::begin_era`). Whoever has edits
//    that the beginner of the era had not seen takes them out of the document again and to where the older file is now.
// 2. Nothing is sent into a document before the server said what it holds, so offline edits of the older file never get
//    there at all.
// 3. Two texts without one common operation are two files, whatever their key: one of them gets another name.
#include <algorithm>
#include <utility>

#include "diaryx/base/base64.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"
#include "replica/similarity.h"

namespace diaryx::sync {
namespace {

/// How long the halves of one rename may be apart; watchers collect their news for less than this.
constexpr DurationMs kRenameGrace{1'000};
/// Beyond this many new files in a batch none of them is compared with the missing ones.
constexpr size_t kMaxNewcomers = 64;
/// Neighbours that a text is compared with before it counts as one of a kind.
constexpr size_t kMaxNeighbours = 64;
/// A longer state vector is left out of a tombstone.
constexpr size_t kMaxSeenBytes = 2048;

}  // namespace

// --- renames and deletions --------------------------------------------------------------------------------------

void Replica::Impl::on_gone(std::string_view path) {
  if (const auto parked = parked_moves_.find(path); parked != parked_moves_.end()) {
    // Its rename is not told yet: what is missing now is the file under its old name.
    const std::string from = parked->second;
    parked_moves_.erase(parked);
    return on_gone(from);
  }
  const auto work = work_.find(path);
  const bool found_by_our_write = work != work_.end() && work->second.retry_at;
  if (is_parked(path)) return;  // renamed, as we know, and not told yet
  // A new file that could not be written (a full disk) waits for its time.
  if (found_by_our_write && record(path) == nullptr) return;
  if (work != work_.end()) work_.erase(work);
  uploads_.erase(std::string(path));
  if (const auto waiting = wants_read_.find(path); waiting != wants_read_.end()) wants_read_.erase(waiting);
  if (const auto newcomer = newcomers_.find(path); newcomer != newcomers_.end()) newcomers_.erase(newcomer);
  if (const auto shorter = truncated_.find(path); shorter != truncated_.end()) truncated_.erase(shorter);
  const FileRecord* known = record(path);
  if (known == nullptr) return;
  if (const auto gone = gone_.find(path); gone != gone_.end() && gone->second.held) return;
  gone_.insert_or_assign(std::string(path),
                         GoneFile{*known, found_by_our_write ? std::optional(now_ + kRenameGrace) : std::nullopt});
}

void Replica::Impl::on_moved(std::string_view from, std::string_view to) {
  const bool ours = own_moves_.erase(std::string(to)) != 0;
  work_.erase(std::string(to));
  work_.erase(std::string(from));
  gone_.erase(std::string(from));
  if (const auto parked = parked_moves_.extract(std::string(from))) return on_moved(parked.mapped(), to);
  const FileRecord* known = record(from);
  if (known == nullptr) {
    request_read(to);
    return reconcile(from);  // if it made room for another content
  }
  const FileRecord moved = *known;
  const bool free_target = record(to) == nullptr;
  if (ours && free_target) {
    drop_record(from);
    save_record(to, moved);
    reconcile(to);
    reconcile(from);  // if it made room for another file
    return reconcile_older_names(to);
  }
  const bool target_is_new = !workspace_.live_file(to) && !workspace_.live_binary(to);
  if (!accept_path(to) || !free_target || !target_is_new) {
    on_gone(from);
    if (accept_path(to)) request_read(to);
    return;
  }
  rename_file(std::string(from), std::string(to), moved);
}

bool Replica::Impl::adopt_rename(std::string_view to, const Sha256& hash, FileRecord::Kind kind) {
  if (workspace_.live_file(to) || workspace_.live_binary(to)) return false;
  const auto from = std::ranges::find_if(
      gone_, [&](const auto& entry) { return entry.second.record.kind == kind && entry.second.record.hash == hash; });
  if (from == gone_.end()) return false;
  const std::string path = from->first;
  const FileRecord known = from->second.record;
  gone_.erase(from);
  rename_file(path, std::string(to), known);
  return true;
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
    if (record.published) record.published = workspace_.binary_id(to);
    drop_record(from);
    save_record(to, std::move(record));
    return reconcile(to);
  }
  const auto open = open_bodies_.find(to);
  if (workspace_.file(to) && (open == open_bodies_.end() || !open->second.link.answered())) {
    // The key was another file's. Before it is used anew, we must know all that is in its document.
    parked_moves_.insert_or_assign(to, from);
    return open_body(to);
  }
  std::optional<FileMetadata> entry = workspace_.live_file(from);
  if (!entry) {
    if (const std::optional<std::string> elsewhere = new_place(from); elsewhere && elsewhere != to) {
      // Renamed elsewhere too, and we know it already: this rename is the later one.
      inherit_moved_body(from, *elsewhere);
      drop_record(from);
      // Perhaps the file is on disk under that name, too: then it is not the one that was moved, and has to go.
      const FileRecord* const there = record(*elsewhere);
      const std::optional<FileRecord> left = there == nullptr ? std::nullopt : std::optional(*there);
      rename_file(*elsewhere, to, known);
      if (!left) return;
      save_record(*elsewhere, *left);
      return reconcile(*elsewhere);
    }
    // Deleted elsewhere, renamed here: the user wants it. It stays the same file, in case somebody else wants it, too.
    entry = workspace_.file(from);
  }
  if (!entry || known.kind != FileRecord::Kind::Text) {
    drop_record(from);
    return request_read(to);
  }
  entry->deleted = false;
  const std::string before = text_of(from);
  rename_text(from, to, *std::move(entry));
  FileRecord record = known;
  if (!record.base && text_of(to) != before && sha256(before) == record.hash) record.base = before;
  drop_record(from);
  save_record(to, std::move(record));
  reconcile(to);
}

void Replica::Impl::rename_text(const std::string& from, const std::string& to, FileMetadata entry) {
  FileMetadata moved = entry;
  moved.filename = file_name(to);
  moved.modified_at = wall_clock_;
  set_extra_text(moved, kMovedTo, std::nullopt);
  // An entry of an old peer has no id; two devices that rename it at once find the same one here.
  if (!extra_text(moved, kFileId))
    set_extra_text(moved, kFileId, sha256(from + format_metadata(entry)).hex().substr(0, 16));
  entry.deleted = true;
  entry.modified_at = wall_clock_;
  set_extra_text(entry, kFileId, extra_text(moved, kFileId));
  set_extra_text(entry, kMovedTo, to);
  set_extra_text(entry, kSeen, std::nullopt);
  set_extra_text(entry, kEra, era_mark(from));
  set_extra_text(moved, kEra, std::nullopt);
  set_extra_text(moved, kSeen, std::nullopt);
  set_extra_text(moved, kSeen, std::nullopt);
  move_body(from, to);
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_file(txn, from, entry);
    workspace_.set_file(txn, to, moved);
  });
  index_file(from);
  index_file(to);
  open_body(to);
}

void Replica::Impl::move_body(const std::string& from, const std::string& to) {
  const std::optional<FileMetadata> tombstone = workspace_.file(to);
  const crdt::StateVector there = bodies_.open(to).doc().state_vector();
  const crdt::StateVector here = bodies_.open(from).doc().state_vector();
  const std::string head = bodies_.open(from).head();
  const std::string body = bodies_.open(from).body();
  const Bytes state = bodies_.state(from);
  const std::optional<FileMetadata> entry = workspace_.file(from);
  const bool was_here_last = tombstone && entry && extra_text(*tombstone, kFileId) &&
                             extra_text(*tombstone, kFileId) == extra_text(*entry, kFileId) &&
                             extra_text(*tombstone, kEra) == era_mark(to);
  // The file comes back to a name that nobody used meanwhile: what others typed under it belongs to it.
  if (was_here_last) return give_body(state, to);
  BodyDoc& target = bodies_.open(to);
  if (!here.covers(there)) {
    const PastEra past = tombstone ? departed(to, *tombstone) : PastEra{};
    return commit_body(to, target.begin_era(to, workspace_.new_file_id(to), past, state, head, body),
                       HistoryOrigin::Move, from);
  }
  moved_from_ = from;
  give_body(state, to);
  // A file that comes back to a key from which its text was taken: deletions are for ever, so it is typed in again.
  commit_body(to, bodies_.open(to).set_text(head, body));
}

bool Replica::Impl::is_parked(std::string_view path) const {
  return parked_moves_.contains(path) || is_parked_source(path);
}

bool Replica::Impl::is_parked_source(std::string_view path) const {
  return std::ranges::any_of(parked_moves_, [&](const auto& move) { return move.second == path; });
}

void Replica::Impl::finish_parked_move(std::string_view to) {
  const auto parked = parked_moves_.extract(std::string(to));
  if (!parked) return;
  const FileRecord* known = record(parked.mapped());
  if (known != nullptr && !workspace_.live_file(to) && !workspace_.live_binary(to)) {
    rename_file(parked.mapped(), parked.key(), FileRecord(*known));
  } else {
    on_gone(parked.mapped());
  }
  request_read(to);  // perhaps edited meanwhile; its answer also settles what is gone
  request_read(parked.mapped());  // perhaps another file has the old name by now
}

void Replica::Impl::reconcile_older_names(std::string_view path) {
  // The file was on disk under several of its names: those that were not moved waited for the one that was.
  const auto id = id_of_.find(path);
  const auto old_paths = id == id_of_.end() ? old_paths_of_.end() : old_paths_of_.find(id->second);
  if (old_paths == old_paths_of_.end()) return;
  for (const std::string& old : std::set(old_paths->second)) {
    if (record(old) != nullptr && !workspace_.live_file(old)) reconcile(old);
  }
}

// --- a rename and an edit that nobody saw ------------------------------------------------------------------------

bool Replica::Impl::wait_for_other_half(std::string_view path, std::string_view bytes) {
  if (workspace_.live_file(path) || workspace_.live_binary(path) || newcomers_.size() >= kMaxNewcomers) return false;
  if (bytes.size() < kMinSimilarBytes || settling_) return false;
  const bool any =
      std::ranges::any_of(gone_, [](const auto& entry) { return entry.second.record.kind == FileRecord::Kind::Text; });
  if (!any) return false;
  newcomers_.insert_or_assign(std::string(path), Newcomer{std::string(bytes), sha256(bytes)});
  return true;
}

void Replica::Impl::match_newcomers() {
  const std::map<std::string, Newcomer, std::less<>> newcomers = std::exchange(newcomers_, {});
  if (newcomers.empty()) return;
  // The last known text of each missing file.
  std::map<std::string, std::string, std::less<>> texts;
  for (const auto& [path, gone] : gone_) {
    if (gone.record.kind != FileRecord::Kind::Text || texts.size() > kMaxNewcomers) continue;
    std::string text = gone.record.base ? *gone.record.base : text_of(path);
    if (sha256(text) == gone.record.hash) texts.emplace(path, std::move(text));
  }
  struct Pair {
    std::string from;
    std::string to;
  };
  std::vector<Pair> alike;
  std::map<std::string_view, int> rivals;  // per file: pairs that are not clearly unrelated
  if (texts.size() <= kMaxNewcomers) {
    for (const auto& [from, text] : texts) {
      for (const auto& [to, newcomer] : newcomers) {
        const uint32_t percent = similarity_percent(text, newcomer.bytes);
        if (percent < kUnrelatedPercent) continue;
        ++rivals[from];
        ++rivals[to];
        if (percent >= kSimilarPercent) alike.push_back({from, to});
      }
    }
  }
  settling_ = true;
  for (const auto& [from, to] : alike) {
    if (rivals[from] != 1 || rivals[to] != 1 || is_one_of_many(from, texts.at(from))) continue;
    const FileRecord known = gone_.at(from).record;
    gone_.erase(from);
    rename_file(from, to, known);
  }
  for (const auto& [path, newcomer] : newcomers) on_text_seen(path, newcomer.bytes);
  settling_ = false;
}

bool Replica::Impl::is_one_of_many(std::string_view path, std::string_view text) const {
  // Notes made from a template resemble each other, so resemblance says nothing about them.
  size_t compared = 0;
  for (const auto& [other, known] : records_) {
    if (other == path || known.kind != FileRecord::Kind::Text || gone_.contains(other)) continue;
    if (++compared > kMaxNeighbours) return false;
    if (similarity_percent(text, text_of(other)) >= kUnrelatedPercent) return true;
  }
  return false;
}

void Replica::Impl::on_files_settled() {
  scanned_ = true;
  match_newcomers();
  send_deletions();
}

void Replica::Impl::delete_entry(std::string_view path, const FileRecord& known, crdt::Transaction& txn) {
  if (known.kind == FileRecord::Kind::Blob) {
    std::optional<BinaryRef> ref = workspace_.live_binary(path);
    if (!ref || ref->hash != known.hash.hex()) return;  // changed elsewhere meanwhile: the change wins
    ref->deleted = true;
    return workspace_.set_binary(txn, *ref);
  }
  std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry || known.base) return;  // edited elsewhere, not yet written here: the edit wins
  entry->deleted = true;
  entry->modified_at = wall_clock_;
  set_extra_text(*entry, kMovedTo, std::nullopt);
  set_extra_text(*entry, kEra, std::nullopt);
  set_extra_text(*entry, kSeen, seen_mark(path));
  deleted_here_.emplace(path);
  workspace_.set_file(txn, path, *entry);
}

std::optional<std::string> Replica::Impl::seen_mark(std::string_view path) const {
  const Bytes vector = bodies_.open(path).doc().state_vector().encode();
  if (vector.size() > kMaxSeenBytes) return std::nullopt;
  return to_base64(vector);
}

bool Replica::Impl::follow_deleted_file(std::string_view path) {
  // Renamed elsewhere, then deleted there, by somebody who had not seen the edits that are here under the old name.
  std::string at(path);
  constexpr int kMaxSteps = 64;
  for (int i = 0; i < kMaxSteps; ++i) {
    const std::optional<FileMetadata> entry = workspace_.file(at);
    if (!entry || !entry->deleted) return false;
    const std::optional<std::string> next = extra_text(*entry, kMovedTo);
    if (!next) break;
    if (!parse_path(*next) || !is_carried(*next)) return false;
    at = *next;
  }
  if (at == path) return false;
  inherit_moved_body(path, at);
  if (!was_edited_unseen(at)) return false;
  revive_entry(at);
  reconcile(at);
  return true;
}

bool Replica::Impl::was_edited_unseen(std::string_view path) const {
  const std::optional<FileMetadata> tombstone = workspace_.file(path);
  if (!tombstone || !tombstone->deleted || extra_text(*tombstone, kMovedTo) || !bodies_.contains(path)) return false;
  const std::optional<std::string> mark = extra_text(*tombstone, kSeen);
  if (!mark) return false;
  const Result<Bytes> bytes = from_base64(*mark);
  if (!bytes) return false;
  const Result<crdt::StateVector> seen = crdt::StateVector::decode(*bytes);
  if (!seen) return false;
  // What was taken out again is no edit.
  const crdt::Doc& doc = bodies_.open(path).doc();
  return !doc.delete_set().covers(operations_between(*seen, doc.state_vector()));
}

// --- identity ---------------------------------------------------------------------------------------------------

bool Replica::Impl::index_file(const std::string& path) {
  const std::optional<FileMetadata> entry = workspace_.file(path);
  const std::optional<std::string> id = entry ? extra_text(*entry, kFileId) : std::nullopt;
  if (entry && entry->deleted && id) old_paths_of_[*id].insert(path);
  const auto old = id_of_.find(path);
  const bool live = entry && !entry->deleted && id;
  if (old != id_of_.end()) {
    if (live && old->second == *id) return false;
    paths_of_[old->second].erase(path);
    id_of_.erase(old);
  }
  if (!live) return false;
  id_of_.insert_or_assign(path, *id);
  paths_of_[*id].insert(path);
  return true;
}

void Replica::Impl::collect_moved_text(const std::string& path) {
  const auto id = id_of_.find(path);
  if (id == id_of_.end()) return;
  const auto old_paths = old_paths_of_.find(id->second);
  if (old_paths == old_paths_of_.end()) return;
  for (const std::string& old : std::set(old_paths->second)) {
    const std::optional<FileMetadata> tombstone = workspace_.file(old);
    if (tombstone && tombstone->deleted && extra_text(*tombstone, kFileId) == id->second) inherit_moved_body(old, path);
  }
}

void Replica::Impl::fold_doubled_file(const std::string& path) {
  const auto id = id_of_.find(path);
  if (id == id_of_.end()) return;
  const std::set<std::string> paths = paths_of_[id->second];
  if (paths.size() < 2) return;
  // Two devices gave the file different names at once. The name that sorts first stays; the text of all goes there.
  // Every device that sees both writes the same, so it does not matter how many do.
  const std::string& kept = *paths.begin();
  for (const std::string& other : paths) {
    if (other == kept) continue;
    FileMetadata tombstone = *workspace_.live_file(other);
    tombstone.deleted = true;
    set_extra_text(tombstone, kMovedTo, kept);
    set_extra_text(tombstone, kEra, era_mark(other));
    edit_workspace([&](crdt::Transaction& txn) { workspace_.set_file(txn, other, tombstone); });
    index_file(other);
    inherit_moved_body(other, kept);
    reconcile(other);
  }
  reconcile(kept);
}

std::optional<std::string> Replica::Impl::era_mark(std::string_view path) const {
  std::string era = bodies_.open(path).era(path);
  return era.empty() ? std::nullopt : std::optional(std::move(era));
}

std::optional<std::string> Replica::Impl::new_place(std::string_view path) const {
  const std::optional<FileMetadata> entry = workspace_.file(path);
  if (!entry || !entry->deleted || !extra_text(*entry, kMovedTo)) return std::nullopt;
  return place_of(departed(path, *entry));
}

PastEra Replica::Impl::departed(std::string_view path, const FileMetadata& tombstone) const {
  PastEra past{.target = extra_text(tombstone, kMovedTo).value_or(std::string()),
               .file_id = extra_text(tombstone, kFileId).value_or(std::string()),
               .known = {}};
  if (past.target == path) past.target.clear();
  return past;
}

std::optional<std::string> Replica::Impl::place_of(const PastEra& past) const {
  if (const auto paths = paths_of_.find(past.file_id); paths != paths_of_.end() && !paths->second.empty()) {
    return *paths->second.begin();
  }
  if (!parse_path(past.target) || !is_carried(past.target)) return std::nullopt;
  const std::optional<std::string> target =
      workspace_.live_file(past.target) ? std::optional(past.target) : workspace_.moved_to(past.target);
  if (!target) return std::nullopt;
  // Another file may have taken that name in the meantime. (Entries of old peers have no id.)
  const auto id = id_of_.find(*target);
  if (!past.file_id.empty() && id != id_of_.end() && id->second != past.file_id) return std::nullopt;
  return target;
}

void Replica::Impl::inherit_moved_body(std::string_view from, std::string_view to) {
  if (DX_PLANTED(6) || from == to || !bodies_.contains(from) || bodies_.open(from).is_virgin()) return;
  // The text may come before the list of files: then the document is another file's already.
  const std::optional<FileMetadata> tombstone = workspace_.file(from);
  if (tombstone && tombstone->deleted && extra_text(*tombstone, kEra) != era_mark(from)) return;
  moved_from_ = from;
  give_body(bodies_.state(from), to);
}

bool Replica::Impl::are_two_files(const BodyDoc& a, const BodyDoc& b) {
  const crdt::StateVector known = b.doc().state_vector();
  const crdt::StateVector vector = a.doc().state_vector();
  const bool share_nothing = std::ranges::none_of(
      vector, [&](const crdt::StateVector::Entry& entry) { return known.get(entry.client) != Clock{0}; });
  const std::string seed = a.seed_name();
  // What was typed into a file that seemed empty has no seed: it belongs to the text that came late.
  return share_nothing && !seed.empty() && !b.seed_name().empty() && seed != b.seed_name();
}

void Replica::Impl::give_body(ByteView state, std::string_view to) {
  const Result<WorkspacePath> target = parse_path(to);
  if (!target) return;
  // Another file is there. Whoever gave the two one name finds another for one of them; then this is tried again.
  BodyDoc brought(options_.client);
  if (!brought.doc().apply_update_v1(state) || are_two_files(brought, bodies_.open(target->view()))) return;
  // The same operations under the new key: whatever was typed under the old one arrives too, once.
  const std::string before = text_of(target->view());
  const Result<crdt::Commit> commit = bodies_.open(target->view()).doc().apply_update_v1(state);
  if (!commit || !commit->changed()) return;
  remember_base(target->view(), before);
  commit_body(target->view(), commit->update_v1(), HistoryOrigin::Move, moved_from_);
}

// --- eras -------------------------------------------------------------------------------------------------------

void Replica::Impl::on_era_ended(const std::string& key, const EndedEra& before) {
  BodyDoc old(options_.client);
  if (!old.doc().apply_update_v1(before.state) || old.doc().is_empty()) return;
  const std::optional<PastEra> past = bodies_.open(key).past_era(key, before.name);
  const crdt::StateVector known = past ? past->known : bodies_.open(key).known_before(key);
  const crdt::DeleteSet late = operations_between(known, old.doc().state_vector());
  if (!late.empty()) commit_body(key, bodies_.open(key).erase_operations(late));
  std::optional<std::string> target = past ? place_of(*past) : std::nullopt;
  // The list of files may come after the text: then the name that the era's beginner gave it is the best we know.
  if (!target && past && parse_path(past->target) && !workspace_.file(past->target)) target = past->target;
  // Imported here and never seen there: not the file that left, though it had the same name.
  const bool is_other = target && *target != key && are_two_files(old, bodies_.open(*target));
  if (target && *target != key && !is_other) {
    moved_from_ = key;
    if (!late.empty()) give_body(before.state, *target);
    move_on_disk(key, *target);
    return reconcile(*target);
  }
  if (!late.empty()) keep_document_copy(key, before, past && !is_other ? past->file_id : std::string());
}

bool Replica::Impl::is_foreign(std::string_view key, const DocLink& link, ByteView theirs) const {
  if (!link.their_vector() || link.their_vector()->empty() || !bodies_.contains(key)) return false;
  const crdt::StateVector ours = bodies_.open(key).doc().state_vector();
  const bool share_something =
      std::ranges::any_of(ours, [&](const auto& entry) { return link.their_vector()->get(entry.client) != Clock{0}; });
  if (ours.empty() || share_something) return false;
  // They lack all of ours, so what they send is all they have.
  BodyDoc other(options_.client);
  if (!other.doc().apply_update_v1(theirs) || other.doc().is_empty()) return false;
  return are_two_files(bodies_.open(key), other) || (!other.seed_name().empty() && !workspace_.moved_here(key).empty());
}

bool Replica::Impl::split_unrelated(const std::string& key, ByteView theirs) {
  const EndedEra own{{}, bodies_.state(key), text_of(key)};
  BodyDoc& body = bodies_.open(key);
  const crdt::StateVector ours = body.doc().state_vector();
  const Result<crdt::Commit> commit = body.doc().apply_update_v1(theirs);
  if (!commit) {
    problem(key, "the server sent a change of this file that cannot be read: " + describe(commit.error()));
    return false;
  }
  persist("body:" + key, commit->update_v1(), HistoryOrigin::Sync);
  commit_body(key, body.erase_operations(operations_between({}, ours)));
  if (own.text.empty()) return true;
  // If our file came here by a rename, its id goes with it, and the name belongs to the other file.
  std::string file_id;
  for (const std::string& from : workspace_.moved_here(key)) {
    const std::optional<FileMetadata> tombstone = workspace_.file(from);
    if (std::optional<std::string> id = extra_text(*tombstone, kFileId)) file_id = *std::move(id);
  }
  const auto listed = id_of_.find(key);
  if (!file_id.empty() && listed != id_of_.end() && listed->second == file_id) {
    create_entry(key, text_of(key), sha256("split:" + file_id + key).hex().substr(0, 16));
  }
  keep_document_copy(key, own, std::move(file_id));
  collect_moved_text(key);
  return true;
}

void Replica::Impl::keep_document_copy(const std::string& key, const EndedEra& own, std::string file_id) {
  const Sha256 hash = sha256(own.text);
  const std::string copy = conflict_copy(WorkspacePath(key), hash).str();
  problem(key, "another file has this name now; yours is kept as \"" + copy + "\"");
  moved_from_ = key;
  give_body(own.state, copy);
  if (file_id.empty()) file_id = sha256("copy:" + copy).hex().substr(0, 16);
  if (!workspace_.live_file(copy)) create_entry(copy, own.text, std::move(file_id));
  collect_moved_text(copy);
  move_on_disk(key, copy);
  reconcile(copy);
  reconcile(key);
}

void Replica::Impl::move_on_disk(const std::string& from, const std::string& to) {
  const FileRecord* known = record(from);
  if (!options_.write_files || known == nullptr || known->kind != FileRecord::Kind::Text || record(to) != nullptr)
    return;
  if (gone_.contains(from) || is_parked(to) || is_parked(from) || own_moves_.contains(to) || wants_read_.contains(to))
    return;
  if (const auto work = work_.find(from); work != work_.end() && work->second.busy) return;
  work_[to].busy = true;
  work_[from].busy = true;
  own_moves_.insert_or_assign(to, from);
  notify(FileChanged{to, FileChange::Moved, from});
  emit(MoveFile{from, to});
}

}  // namespace diaryx::sync
