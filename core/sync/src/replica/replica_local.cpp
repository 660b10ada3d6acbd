// What the disk tells: edits, new files, and files that are no text.
#include <algorithm>
#include <utility>

#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/merge3.h"
#include "diaryx/sync/mime.h"
#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"
#include "replica/similarity.h"
#include "text_hunks.h"

namespace diaryx::sync {
namespace {

constexpr size_t kMaxUploadsAtOnce = 2;
constexpr uint32_t kMaxBackoffSteps = 6;

/// 500 ms, doubled with each attempt, at most half a minute.
DurationMs transfer_backoff(uint32_t attempts) {
  return DurationMs{std::min<int64_t>(30'000, int64_t{500} << std::min(attempts, kMaxBackoffSteps))};
}

bool share_a_line(std::string_view before, std::string_view after) {
  size_t kept = before.size();
  for (const Hunk& hunk : diff_lines(before, after)) kept -= hunk.old_size();
  return kept != 0;
}

}  // namespace

bool Replica::Impl::accept_path(const std::string& path) {
  if (!is_carried(path)) return false;
  if (parse_disk_path(path)) return true;
  problem(path, std::string("this file is not synced: ").append(describe(check_path(path))));
  return false;
}

// --- text files -------------------------------------------------------------------------------------------------

bool Replica::Impl::waits_in_vain(const std::string& path, const Sha256& hash) const {
  // The file is as we expected it and still could not be written (a full disk, no permission): trying again at once would
  // fail at once, so it waits for its time.
  const FileRecord* known = record(path);
  return work_.is_waiting(path) && known != nullptr && known->hash == hash && !gone_.contains(path) &&
         !wants_read_.contains(path);
}

bool Replica::Impl::waits_for_belief(const std::string& path) const {
  // It was told to be missing or other, and its record still says what it was before.
  return gone_.contains(path) || shortened_.contains(path) || rewritten_.contains(path);
}

void Replica::Impl::on_text_seen(const std::string& path, std::string_view bytes, Source source) {
  if (!accept_path(path)) return;
  uploads_.erase(path);  // what is there now is the answer, whatever else waits for this name
  const Sha256 hash = hash_of(bytes);
  const FileRecord* const before = record(path);
  const bool is_changed = before == nullptr || before->hash != hash;
  if (const OwnWrite* const ours = is_changed ? torn_write(path, bytes) : nullptr) {
    FileRecord half{.kind = FileRecord::Kind::Text, .hash = hash, .base = std::string(bytes), .file_id = ours->file_id};
    forget_doubtful_writes(path);
    save_record(path, std::move(half));
    return reconcile(path);
  }
  if (is_seen_before_removal(path, hash)) return;
  if (!is_valid_utf8(bytes)) return on_blob_seen(path, hash, bytes.size());
  const std::string key(path);
  if (const std::string* const to = own_moves_.doubted_target(path); to != nullptr && source == Source::Look)
    was_not_moved(std::string(*to));
  if (waits_in_vain(path, hash)) return;
  const bool may_be_told = source != Source::Watcher && !work_.is_left_to_watcher(path);
  end_work(key);
  gone_.erase(path);
  rewritten_.erase(key);

  if (const ShortenedText* const shorter = shortened_.find(path); shorter != nullptr && shorter->bytes != bytes) {
    const bool was_empty = shorter->bytes.empty();
    shortened_.erase(path);
    // Emptied, and then filled with something else altogether: not the old text with other words.
    const FileRecord* const old = record(path);
    if (was_empty && old != nullptr && !share_a_line(last_seen_text(path), bytes)) {
      work_.mark_busy(key);  // nothing is written in between
      merge_disk_text(path, *old, "");
      work_.end(key);
    }
  }
  const FileRecord* known = record(path);
  if (known != nullptr && known->hash == hash) {
    if (own_moves_.is_leaving(path) && wait_for_answer(key)) return;  // not moved yet, or back again
    forget_doubtful_writes(path);
    return reconcile(path);  // nothing new; perhaps a write waits for it
  }
  if (const OwnWrite* const ours = own_writes_.find(path, hash)) {
    // We wrote it and died, or did not hear yet that it is done.
    return note_written(key, *ours, std::string(bytes));
  }
  if (const OwnMove* const move = own_moves_.find(path); move != nullptr && known == nullptr) {
    const FileRecord* const moved = record(move->from);
    if (moved != nullptr && moved->hash == hash) return was_moved(key);
    wait_for_answer(key);
    return;
  }
  if (known != nullptr && may_be_told && leave_to_watcher(key, hash, source)) return;
  if (known != nullptr && known->kind == FileRecord::Kind::Text) {
    if (!settling_) {
      rewritten_.insert_or_assign(key, std::string(bytes));
      return;
    }
    if (wait_for_answer(key)) return;
    if (own_writes_.contains(path)) note_written_over(key, bytes);
    known = record(path);
    if (is_contested(path)) return read_when_possible(path);
    if (wait_for_wave(path, bytes)) return;
    return merge_disk_text(path, *known, bytes);
  }
  if (known == nullptr && !bytes.empty() && workspace_.live_file(path) && text_is_here(path) && !is_contested(path) &&
      text_of(path) == bytes) {
    // We wrote it and died before we could note that. (What is in the document of another file never was the text of this one.)
    save_record(path, FileRecord{.kind = FileRecord::Kind::Text, .hash = hash, .file_id = index_.id_at(path)});
    return reconcile(path);
  }
  if (known == nullptr && recognise_moved(key)) return on_text_seen(path, bytes);
  if (wait_for_answer(key)) return;
  if (const OwnWrite* const ours = known == nullptr ? own_writes_.likely(path, {}, bytes) : nullptr) {
    // We made this file, died before we could note that, and somebody edited it: an edit of what we wrote.
    FileRecord nothing{
        .kind = FileRecord::Kind::Text, .hash = sha256(ByteView{}), .base = "", .file_id = ours->file_id};
    nothing.base_units = encode_units({});
    return merge_disk_text(path, std::move(nothing), bytes);
  }
  if (!joined_) return read_when_possible(path);
  if (adopt_rename(path, hash, FileRecord::Kind::Text, bytes)) return;
  if (known == nullptr && may_be_told && leave_to_watcher(key, hash, source)) return;
  if (wait_for_other_half(path, bytes)) return;

  // A new file is listed together with its text, so that nobody sees it empty: first the server says what it has. Where
  // another file was before it has a document of its own, which nobody else can know; and what was deleted and is made again
  // goes on from the text that is here.
  const std::string document = index_.document_of(path);
  if (!is_left(path) && !(came_back(path) && is_of_entry(path, document))) {
    if (!open_bodies_.is_answered(document)) {
      open_body(document);
      return read_when_possible(path);
    }
  }
  place_new_text(key, bytes, hash);
}

bool Replica::Impl::recognise_moved(const std::string& path) {
  // Missing where it was, and there where the list has it: moved by us or by the user, and edited before anybody noted that. What
  // we were removing is missing for that, and what is new here is no edit of it.
  const std::set<std::string>& paths = records_.paths_of(index_.id_at(path));
  const auto from = std::ranges::find_if(paths, [&](const std::string& other) {
    const GoneFile* const gone = gone_.find(other);
    return gone != nullptr && !gone->is_ours;
  });
  if (from == paths.end()) return false;
  const std::string old_path = *from;
  FileRecord known = *record(old_path);
  move_doubts(old_path, path);
  drop_record(old_path);
  save_record(path, std::move(known));
  return true;
}

bool Replica::Impl::is_left(const std::string& path) const {
  // The file that was here lives on under another name.
  const std::optional<FileMetadata> entry = workspace_.file(path);
  return entry && entry->deleted && extra_text(*entry, kMovedTo);
}

bool Replica::Impl::is_of_entry(const std::string& path, const std::string& document) const {
  if (!bodies_.contains(document) || bodies_.open(document).is_virgin()) return false;
  const std::string owner = bodies_.open(document).owner();
  return owner.empty() || owner == extra_text(*workspace_.file(path), kFileId);
}

bool Replica::Impl::came_back(const std::string& path) const {
  // Deleted and made again: it goes on as the same file, since many programs save that way.
  const std::optional<FileMetadata> entry = workspace_.file(path);
  if (!entry || !entry->deleted || is_left(path)) return false;
  return !index_.live_path(said_id(entry));
}

bool Replica::Impl::goes_on(const std::string& path, std::string_view bytes) const {
  // Who did not delete it does not save it: there it is the file that was here only if its text says so. Else what is not in the new
  // text would be lost to whoever has that file still.
  const std::string id = said_id(workspace_.file(path));
  if (id.empty() || deleted_here_.contains(id) || restores_.is_under_way()) return true;
  const std::string document = document_of_file(id, path);
  const std::string before = document_text(document);
  if (before.empty()) return document == index_.document_of(path);
  return bytes.contains(before) || similarity_percent(before, bytes) >= kUnrelatedPercent;
}

void Replica::Impl::merge_disk_text(const std::string& path, FileRecord known, std::string_view bytes) {
  const std::string key(path);
  // The list may have another file here by now, or this one under another name: what was typed goes where the file is.
  const bool at_home = is_at_home(path, known);
  const std::string id = file_id_of(path, known);
  std::string document = at_home ? index_.document_of(path) : document_of_file(id, path);
  std::string doc_text = at_home ? text_of(path) : document_text(document);
  const Sha256 hash = hash_of(bytes);
  if (!at_home && !known.base && hash_of(doc_text) != known.hash) {
    // Renamed elsewhere, and what its new document has did not come yet: the one it had here has the text that the user saw.
    for (const std::string& other : documents_of_file(id, path)) {
      std::string text = document_text(other);
      if (hash_of(text) != known.hash) continue;
      document = other;
      doc_text = std::move(text);
      break;
    }
  }
  if (bytes == doc_text) {
    // We wrote it and died before we could note that, or somebody made the same change.
    known.hash = hash;
    known.base.reset();
    save_record(path, std::move(known));
    return reconcile(path);
  }
  if ((!known.base || bodies_.open(document).is_virgin()) && hash_of(doc_text) != known.hash) {
    // Nobody knows from which text the user started, or where that is, so no edit of anybody may be guessed.
    drop_record(path);
    keep_conflict_copy(key, bytes, hash);
    return reconcile_file(id);
  }
  const bool is_elsewhere_too = records_.paths_of(id).size() > 1;
  const std::optional<Version> before = is_elsewhere_too ? std::optional(version_of_document(document)) : std::nullopt;
  // A file that was empty is nobody's until somebody writes.
  if (is_file_id(id) && bodies_.open(document).owner().empty()) commit_body(document, bodies_.open(document).claim(id));
  Bytes update = merge_edit(path, document, known, doc_text, bytes);
  known.unsaved = known.unsaved || !update.empty();
  save_record(path, std::move(known));
  if (before) remember_base(id, {}, *before);
  commit_body(document, std::move(update));
  if (at_home) {
    refresh_metadata(path);
  } else if (const std::optional<std::string> elsewhere = index_.live_path(id)) {
    unite(id, document);  // renamed elsewhere, edited here
    refresh_metadata(*elsewhere);
    reconcile(*elsewhere);
  } else {
    revive(id.empty() ? workspace_.new_file_id(path) : id, key,
           document);  // deleted elsewhere, edited here: the edit wins
  }
  reconcile(path);
}

Bytes Replica::Impl::merge_edit(const std::string& path, const std::string& document, FileRecord& known,
                                std::string_view doc_text, std::string_view bytes) {
  std::string base = known.base.value_or(std::string(doc_text));
  const std::vector<std::string> heads = own_writes_.heads(path, known.file_id, base);
  // Perhaps the user started from a text that we put there and did not hear of yet.
  const OwnWrite* const ours = own_writes_.likely(path, base, bytes, Likeness::OfBodies);
  if (ours != nullptr) {
    base = ours->text;
    known.base = base;
    known.base_units = ours->units;
  }
  BodyDoc& body = bodies_.open(document);
  const SplitText before = split_frontmatter(base);
  const SplitText after = split_frontmatter(bytes);
  Result<TextUnits> units = known.base ? decode_units(known.base_units) : Result<TextUnits>(body.units());
  // What may contain some of a write of ours and yet is not near to it is compared, so that nothing is doubled.
  const bool exact = units && (ours != nullptr || !own_writes_.contains(path)) &&
                     length_of(units->body) == utf16_length(before.body) && doc_text == body.head() + body.body();
  forget_doubtful_writes(path);
  known.hash = hash_of(bytes);
  Bytes update;
  if (DX_PLANTED(2)) {
    update = body.set_text(after.head, after.body);
  } else if (exact) {
    update = body.merge_text(*units, {before.head, before.body}, {after.head, after.body}, heads);
  } else {
    const SplitText shown = split_frontmatter(doc_text);
    const std::string merged = base == doc_text ? std::string(after.body)
                                                : apply_edits(shown.body, merge3(before.body, after.body, shown.body));
    // (Another program may have typed a block into the body: then there is no head yet. One that is only shown, since an
    // old peer wrote the file, is made of nothing.)
    const bool is_in_body = !shown.head.empty() && doc_text == body.body();
    update = body.merge_head(is_in_body ? std::string_view() : before.head, after.head, merged,
                             is_in_body ? std::string_view() : shown.head,
                             is_in_body ? BodyDoc::Heads() : BodyDoc::Heads(heads));
  }
  const std::string now = exact || DX_PLANTED(2) ? body.head() + body.body() : std::string();
  known.base.reset();
  known.base_units.clear();
  if (exact && now == bytes) return update;
  known.base = bytes;
  if (exact) known.base_units = encode_units(*units);
  return update;
}

void Replica::Impl::create_entry(const std::string& path, std::string_view bytes, const std::string& file_id,
                                 const std::string& document) {
  const std::string_view head = split_frontmatter(bytes).head;
  const Result<Frontmatter> front = Frontmatter::parse(head);
  FileMetadata metadata = derive_metadata(front ? *front : Frontmatter(), WorkspacePath(path), clock_.wall());
  metadata.deleted = false;
  set_extra_text(metadata, kHeadMark, head_mark(head));
  set_extra_text(metadata, kFileId, file_id);
  if (document != path) set_extra_text(metadata, kDocument, document);
  if (!bytes.empty()) set_extra_text(metadata, kHasText, "1");
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_file(txn, path, metadata);
    workspace_.set_home(txn, file_id, {path, document, {}});
    if (std::optional<BinaryRef> ref = workspace_.live_binary(path)) {
      ref->deleted = true;  // its bytes are text now
      workspace_.set_binary(txn, *ref);
    }
  });
  deleted_here_.erase(file_id);
  index_file(path);
  open_body(document);
  unite(file_id);  // what was typed into it under older names had no place while it was not listed
}

void Replica::Impl::place_new_text(const std::string& path, std::string_view bytes, const Sha256& hash) {
  if (restores_.on_file_read(path)) emit(PersistRecord{std::string(kRestoredPrefix).append(path), {}});
  forget_doubtful_writes(path);  // what is there is known now
  const FileRecord* const known = record(path);
  const std::optional<BinaryRef> ref = workspace_.live_binary(path);
  // It was no text, and whoever made a text of it had not seen what is there now.
  if (ref && (known == nullptr || ref->hash != known->hash.hex())) return keep_conflict_copy(path, bytes, hash);
  const SplitText split = split_frontmatter(bytes);
  const std::optional<FileMetadata> entry = workspace_.file(path);
  const bool listed = entry && !entry->deleted;
  const std::optional<std::string> old_id = entry ? extra_text(*entry, kFileId) : std::nullopt;
  const bool is_back = came_back(path) && goes_on(path, bytes);
  std::string id;
  std::string document;
  if (listed || (is_back && old_id && is_file_id(*old_id))) {
    id = old_id.value_or(std::string());
    document = listed ? index_.document_of(path) : document_for(path, id);
  } else if (!entry || is_back) {
    document = path;
    id = seed_name(path, split.head, split.body);
  } else {
    id = workspace_.new_file_id(path);
    document = own_document(id);
  }
  const bool text_is_missing =
      is_contested(path) || (listed && bodies_.open(document).is_virgin() && extra_text(*entry, kHasText));
  if (text_is_missing && id != seed_name(path, split.head, split.body)) return keep_conflict_copy(path, bytes, hash);
  if (!listed) create_entry(path, bytes, id, document);
  BodyDoc& body = bodies_.open(document);
  Bytes update;
  HistoryOrigin origin = HistoryOrigin::Local;
  if (body.is_virgin()) {
    update = DX_PLANTED(1) ? body.set_text(split.head, split.body) : seed_update(document, id, split.head, split.body);
    origin = HistoryOrigin::Import;
    if (!update.empty() && !DX_PLANTED(1)) {
      DX_ASSERT(body.doc().apply_update_v1(update, crdt::TransactionOrigin::Import));
    }
  } else if (text_of(path) != bytes) {
    const bool is_same = !is_back && says_the_same(path, split);
    if (!is_back && !is_same) return keep_conflict_copy(path, bytes, hash);
    const std::string body_here(is_same ? std::string_view(body.body()) : split.body);
    update = set_file_text(path, std::string(split.head) + body_here);
  }
  save_record(
      path,
      FileRecord{
          .kind = FileRecord::Kind::Text, .hash = hash, .unsaved = !update.empty(), .file_id = index_.id_at(path)});
  commit_body(document, std::move(update), origin);
  refresh_metadata(path);
  reconcile(path);
}

// Only an old peer wrote the entry, and this is what it left on the disk: other quotes, another order of fields, titles of links, a
// time zone; and in the snapshots of its server a blank line before the body. Taken over as an edit of what the entry would be
// rendered to, field by field, whoever does it at the same time.
bool Replica::Impl::says_the_same(const std::string& path, const SplitText& disk) const {
  const std::optional<FileMetadata> entry = workspace_.file(path);
  if (!entry || extra_text(*entry, kHeadMark)) return false;
  const BodyDoc& body = bodies_.open(index_.document_of(path));
  const std::string_view exported = !disk.head.empty() && disk.body.starts_with('\n') ? disk.body.substr(1) : disk.body;
  if (!body.head().empty() || (body.body() != disk.body && body.body() != exported)) return false;
  const Result<Frontmatter> listed = Frontmatter::parse(head_of(path));
  const Result<Frontmatter> here = Frontmatter::parse(disk.head);
  const auto meaning = [&](const Frontmatter& front) {
    return derive_metadata(front, WorkspacePath(path), clock_.wall());
  };
  return listed && here && content_equal(meaning(*listed), meaning(*here));
}

void Replica::Impl::keep_conflict_copy(const std::string& path, std::string_view bytes, const Sha256& hash) {
  // A file of its own from now on: it is moved on disk to the name that the list gives it.
  const SplitText split = split_frontmatter(bytes);
  std::string name = conflict_copy(WorkspacePath(path), hash).str();
  std::string id = seed_name(name, split.head, split.body);  // so that two devices with this text make one copy
  if (index_.id_at(name) != id && (workspace_.file(name) || !is_free(name))) {
    id = workspace_.new_file_id(path);
    name = other_name(path, id);
  }
  if (!index_.live_path(id)) {
    const std::string document = document_for(name, id);
    create_entry(name, bytes, id, document);
    Bytes seed = bodies_.open(document).is_virgin() ? seed_update(document, id, split.head, split.body) : Bytes();
    if (!seed.empty()) DX_ASSERT(bodies_.open(document).doc().apply_update_v1(seed, crdt::TransactionOrigin::Import));
    commit_body(document, std::move(seed), HistoryOrigin::Import);
    problem(path, "this file was here before with other content; yours is kept as \"" + name + "\"");
  }
  save_record(path, FileRecord{.kind = FileRecord::Kind::Text, .hash = hash, .unsaved = true, .file_id = id});
  reconcile(path);
  reconcile(name);
}

void Replica::Impl::refresh_metadata(const std::string& path) {
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry) return;
  const std::string head = head_of(path);
  const Result<Frontmatter> front = Frontmatter::parse(head);
  if (!front) {
    return problem(path, "synced as it is, its fields are not read: " + describe(front.error()));
  }
  FileMetadata fresh = carry_over(derive_metadata(*front, WorkspacePath(path), clock_.wall()), *entry);
  fresh.deleted = false;
  if (same_meaning(fresh, *entry)) return;
  set_extra_text(fresh, kHeadMark, head_mark(head));
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_file(txn, path, fresh); });
}

// --- other files ------------------------------------------------------------------------------------------------

void Replica::Impl::on_blob_seen(const std::string& path, const Sha256& hash, uint64_t size_bytes) {
  if (!accept_path(path)) return;
  uploads_.erase(path);  // as above
  if (waits_in_vain(path, hash) || is_seen_before_removal(path, hash)) return;
  end_work(path);
  gone_.erase(path);
  shortened_.erase(path);
  const FileRecord* known = record(path);
  if (known != nullptr && known->hash == hash) {
    forget_doubtful_writes(path);
    if (joined_ && workspace_.binary(path) && is_free(path) && was_taken_unseen(path, *known)) {
      return start_upload(path, hash, size_bytes);
    }
    return reconcile(path);
  }
  // We fetched it and died, or did not hear yet that it is done.
  if (const OwnWrite* const ours = own_writes_.find(path, hash)) return note_written(path, *ours, ours->text);
  if (own_writes_.is_under_way(path) && wait_for_answer(path)) return;
  forget_doubtful_writes(path);  // what is there is known now
  // (Before the batch is over: then what is missing is deleted.)
  if (joined_ && known == nullptr && adopt_rename(path, hash, FileRecord::Kind::Blob)) return;
  if (!joined_ || !workspace_link_.answered()) return read_when_possible(path);

  if (const std::string text = index_.document_of(path); workspace_.live_file(path) && !is_answered(text)) {
    open_body(text);  // what others typed there meanwhile was first
    return read_when_possible(path);
  }

  const std::optional<BinaryRef> ref = workspace_.live_binary(path);
  if (ref && ref->hash == hash.hex())
    return save_record(path, FileRecord{.kind = FileRecord::Kind::Blob, .hash = hash});
  if (is_wanted_otherwise(path, hash)) return keep_blob_copy(path, hash);
  start_upload(path, hash, size_bytes);
}

bool Replica::Impl::text_goes_on(const std::string& path) const {
  // The list has a text here that whoever made other bytes of the file on this disk had not seen.
  if (!workspace_.live_file(path)) return false;
  const FileRecord* const known = record(path);
  return known == nullptr || known->kind == FileRecord::Kind::Blob || known->base || !is_at_home(path, *known);
}

bool Replica::Impl::is_wanted_otherwise(const std::string& path, const Sha256& hash) const {
  // The list has other bytes here than whoever made these of the file on this disk had seen, or a text.
  const FileRecord* const known = record(path);
  const std::optional<BinaryRef> ref = workspace_.live_binary(path);
  if (ref && ref->hash != hash.hex() && (known == nullptr || ref->hash != known->hash.hex())) return true;
  return text_goes_on(path);
}

void Replica::Impl::keep_blob_copy(const std::string& path,
                                   Sha256 hash) {  // by value: it may be the record's, which goes
  const WorkspacePath copy = conflict_copy(WorkspacePath(path), hash);
  problem(path, "this file was changed here and elsewhere; yours is kept as \"" + copy.str() + "\"");
  const Ticket ticket = asked_.ask(copy.str());
  own_moves_.put(copy.str(), OwnMove{path, names_.disk_name(path), ticket, hash});
  drop_record(path);
  work_.mark_busy(copy.str());
  emit(MoveFile{path, copy.str(), hash, ticket});
}

void Replica::Impl::start_upload(const std::string& path, const Sha256& hash, uint64_t size_bytes) {
  if (size_bytes == 0) return publish_blob(path, hash, size_bytes);  // every device can make that one itself
  uploads_.put(path, Upload{.hash = hash, .size_bytes = size_bytes});
}

void Replica::Impl::pump_uploads() {
  if (!workspace_link_.answered()) return;
  while (const auto* const next = uploads_.start_next(kMaxUploadsAtOnce)) {
    const auto& [path, upload] = *next;
    emit(UploadBlob{path, upload.hash, upload.size_bytes, std::string(mime_type_of(path)), asked_.next_ticket()});
  }
}

void Replica::Impl::on_blob_uploaded(const std::string& path, const Sha256& hash) {
  const Upload* const upload = uploads_.find(path);
  if (upload == nullptr || upload->hash != hash) return;
  const uint64_t size_bytes = upload->size_bytes;
  uploads_.erase(path);
  publish_blob(path, hash, size_bytes);
}

void Replica::Impl::publish_blob(const std::string& path, const Sha256& hash, uint64_t size_bytes) {
  // Perhaps only since it began to be sent.
  if (is_wanted_otherwise(path, hash)) return keep_blob_copy(path, hash);
  FileRecord sent{.kind = FileRecord::Kind::Blob, .hash = hash};
  if (const FileRecord* const known = record(path); known != nullptr && known->hash == hash) {
    if (!was_taken_unseen(path, *known))
      return reconcile(path);  // we hear only now of who had seen it and took it away
    sent.published = known->published;
  }
  const BinaryRef ref{.path = path,
                      .source = "local",
                      .hash = hash.hex(),
                      .mime_type = std::string(mime_type_of(path)),
                      .size = size_bytes,
                      .uploaded_at = clock_.wall()};
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_binary(txn, ref);
    // A Markdown file whose bytes are no text any more is carried as a blob from now on. What others type into the text
    // meanwhile brings it back, under another name.
    if (workspace_.live_file(path)) delete_entry(path, *record(path), txn);
  });
  index_file(path);
  sent.published.push_back(*workspace_.binary_id(path));
  save_record(path, std::move(sent));
}

void Replica::Impl::on_transfer_failed(const std::string& path, const TransferFailed& failure) {
  if (const Upload* const upload = uploads_.find(path); upload != nullptr && upload->hash == failure.hash) {
    Upload failed = *upload;
    failed.busy = false;
    failed.failed_finally = failure.final_failure;
    failed.wait_until = clock_.now() + transfer_backoff(failed.attempts++);
    uploads_.put(path, failed);
    return problem(path, "the file could not be sent: " + std::string(failure.reason));
  }
  if (!own_writes_.cancel_fetch(path, failure.hash)) return;  // wanted no more
  emit(own_writes_.record(path));
  if (seen_meanwhile_.erase(path) != 0) {
    work_.end(path);
    return request_read(path);
  }
  work_.fail(path, clock_.now() + transfer_backoff(work_.failures(path)));
  problem(path, "the file could not be fetched: " + std::string(failure.reason));
}

// --- reading ----------------------------------------------------------------------------------------------------

void Replica::Impl::read_when_possible(const std::string& path) { wants_read_.emplace(path); }

void Replica::Impl::request_read(const std::string& path) {
  if (!work_.start_read(path)) return;
  emit(ReadFile{path, asked_.ask(path)});
}

}  // namespace diaryx::sync
