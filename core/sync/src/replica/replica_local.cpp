// What the disk tells: edits, new files, renames, deletions, and the answers to our own writes.
#include <algorithm>
#include <utility>

#include "diaryx/base/utf.h"
#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/merge3.h"
#include "diaryx/sync/mime.h"
#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr DurationMs kDiskRetry{2'000};
constexpr size_t kMaxUploadsAtOnce = 2;
constexpr uint32_t kMaxBackoffSteps = 6;

/// 500 ms, doubled with each attempt, at most half a minute.
DurationMs transfer_backoff(uint32_t attempts) {
  return DurationMs{std::min<int64_t>(30'000, int64_t{500} << std::min(attempts, kMaxBackoffSteps))};
}

}  // namespace

bool Replica::Impl::accept_path(std::string_view path) {
  if (!is_carried(path)) return false;
  if (parse_disk_path(path)) return true;
  problem(path, std::string("this file is not synced: ").append(describe(check_path(path))));
  return false;
}

// --- text files -------------------------------------------------------------------------------------------------

bool Replica::Impl::waits_in_vain(std::string_view path, const Sha256& hash) const {
  // The file is as we expected it and still could not be written (a full disk, no permission): trying again at once would
  // fail at once, so it waits for its time.
  const auto work = work_.find(path);
  const FileRecord* known = record(path);
  return work != work_.end() && work->second.retry_at && known != nullptr && known->hash == hash &&
         !gone_.contains(path) && !wants_read_.contains(path);
}

void Replica::Impl::on_text_seen(std::string_view path, std::string_view bytes) {
  if (!accept_path(path) || is_parked_source(path)) return;  // another file already: read once the rename is done
  const Sha256 hash = sha256(bytes);
  if (!is_valid_utf8(bytes)) return on_blob_seen(path, hash, bytes.size());
  const std::string key(path);
  if (waits_in_vain(path, hash)) return;
  work_.erase(key);
  uploads_.erase(key);
  if (const auto gone = gone_.find(path); gone != gone_.end()) gone_.erase(gone);

  if (const auto copy = conflicts_.find(path); copy != conflicts_.end() && copy->second.hash == hash) {
    on_file_written(path, hash);  // the copy was there already
  }
  const FileRecord* known = record(path);
  if (const auto shorter = truncated_.find(path); shorter != truncated_.end() && shorter->second.bytes != bytes) {
    truncated_.erase(shorter);
  }
  if (known != nullptr && known->hash == hash) return reconcile(path);  // nothing new; perhaps a write waits for it
  if (known != nullptr && known->kind == FileRecord::Kind::Text) {
    if (wait_for_wave(path, *known, bytes)) return;
    return merge_disk_text(path, *known, bytes);
  }
  if (known == nullptr && !bytes.empty() && workspace_.live_file(path) && bodies_.contains(path) &&
      text_of(path) == bytes) {
    // We wrote it and died before we could note that.
    save_record(path, FileRecord{.kind = FileRecord::Kind::Text, .hash = hash});
    return reconcile(path);
  }
  if (!joined_) return read_when_possible(path);
  if (parked_moves_.contains(path)) return;  // read again once the rename is done
  if (adopt_rename(path, hash, FileRecord::Kind::Text)) return;
  if (wait_for_other_half(path, bytes)) return;

  // A new file is listed together with its text, so that nobody sees it empty: first the server says what it has.
  const auto open = open_bodies_.find(path);
  if (open == open_bodies_.end() || !open->second.link.answered()) {
    open_body(path);
    return read_when_possible(path);
  }
  place_new_text(key, bytes, hash);
}

void Replica::Impl::merge_disk_text(std::string_view path, FileRecord known, std::string_view bytes) {
  const std::string key(path);
  const std::string doc_text = text_of(path);
  const Sha256 hash = sha256(bytes);
  if (bytes == doc_text) {
    // We wrote it and died before we could note that, or somebody made the same change.
    known.hash = hash;
    known.base.reset();
    save_record(path, std::move(known));
    return reconcile(path);
  }
  if (!known.base && sha256(doc_text) != known.hash) {
    // Nobody knows from which text the user started, so no edit of anybody may be guessed.
    drop_record(path);
    return keep_conflict_copy(key, bytes, hash);
  }
  const std::string base = known.base.value_or(doc_text);
  const std::string merged = DX_PLANTED(2)      ? std::string(bytes)
                             : base == doc_text ? std::string(bytes)
                                                : apply_edits(doc_text, merge3(base, bytes, doc_text));
  Bytes update = set_document_text(path, merged);
  known.hash = hash;
  known.base = merged == bytes ? std::nullopt : std::optional(std::string(bytes));
  known.unsaved = known.unsaved || !update.empty();
  save_record(path, std::move(known));
  commit_body(path, std::move(update));
  if (const std::optional<std::string> target = new_place(path)) {
    inherit_moved_body(path, *target);  // renamed elsewhere, edited here
    reconcile(*target);
  } else if (!workspace_.live_file(path)) {
    revive_entry(key);  // deleted elsewhere, edited here: the edit wins
  }
  refresh_metadata(path);
  reconcile(path);
}

void Replica::Impl::revive_entry(const std::string& path) {
  const std::optional<FileMetadata> tombstone = workspace_.file(path);
  const std::optional<std::string> id = tombstone ? extra_text(*tombstone, kFileId) : std::nullopt;
  create_entry(path, text_of(path), id ? *id : workspace_.new_file_id(path));
}

void Replica::Impl::create_entry(const std::string& path, std::string_view bytes, std::string file_id) {
  const std::string_view head = split_frontmatter(bytes).head;
  const Result<Frontmatter> front = Frontmatter::parse(head);
  FileMetadata metadata = derive_metadata(front ? *front : Frontmatter(), WorkspacePath(path), wall_clock_);
  metadata.deleted = false;
  set_extra_text(metadata, kHeadMark, head_mark(head));
  set_extra_text(metadata, kFileId, std::move(file_id));
  if (!bytes.empty()) set_extra_text(metadata, kHasText, "1");
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_file(txn, path, metadata);
    if (std::optional<BinaryRef> ref = workspace_.live_binary(path)) {
      ref->deleted = true;  // its bytes are text now
      workspace_.set_binary(txn, *ref);
    }
  });
  deleted_here_.erase(path);
  index_file(path);
  open_body(path);
}

void Replica::Impl::place_new_text(const std::string& path, std::string_view bytes, const Sha256& hash) {
  const bool listed = workspace_.live_file(path).has_value();
  const std::optional<FileMetadata> tombstone = listed ? std::nullopt : workspace_.file(path);
  const bool came_back = tombstone.has_value();
  // The file that was here before lives on under another name: what is typed into that one must not come here.
  const bool tombstone_moved = came_back && extra_text(*tombstone, kMovedTo).has_value();
  if (const auto restored = brought_back_.extract(path)) {
    restore_id_ = restored.mapped();
    emit(PersistRecord{std::string(kRestoredPrefix).append(path), {}});
  }
  if (!listed) create_entry(path, bytes, workspace_.new_file_id(path));
  BodyDoc& body = bodies_.open(path);
  Bytes update;
  HistoryOrigin origin = HistoryOrigin::Local;
  if (came_back && tombstone_moved && !body.is_virgin()) {
    const SplitText split = split_frontmatter(bytes);
    update = body.begin_era(path, workspace_.new_file_id(path), departed(path, *tombstone), kEmptyUpdate, split.head,
                            split.body);
  } else if (body.is_virgin()) {
    const SplitText split = split_frontmatter(bytes);
    update = DX_PLANTED(1) ? body.set_text(split.head, split.body) : seed_update(path, split.head, split.body);
    origin = HistoryOrigin::Import;
    if (!update.empty() && !DX_PLANTED(1)) {
      DX_ASSERT(body.doc().apply_update_v1(update, crdt::TransactionOrigin::Import));
      open_bodies_[path].own_seed = seed_name(path, split.head, split.body);
    }
  } else if (text_of(path) != bytes) {
    if (!came_back) return keep_conflict_copy(path, bytes, hash);
    update = set_document_text(path, bytes);
  }
  save_record(path, FileRecord{.kind = FileRecord::Kind::Text, .hash = hash, .unsaved = !update.empty()});
  commit_body(path, std::move(update), origin);
  refresh_metadata(path);
  reconcile(path);
}

void Replica::Impl::keep_conflict_copy(const std::string& path, std::string_view bytes, const Sha256& hash) {
  // The original stays as it is until the copy is durable: see on_file_written.
  const WorkspacePath copy = conflict_copy(WorkspacePath(path), hash);
  if (!conflicts_.emplace(copy.str(), ConflictCopy{path, hash, std::string(bytes)}).second) return;
  problem(path, "this file was here before with other content; yours is kept as \"" + copy.str() + "\"");
  emit(WriteText{copy.str(), std::string(bytes), std::nullopt});
}

void Replica::Impl::refresh_metadata(std::string_view path) {
  const std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry) return;
  const std::string head = head_of(path);
  const Result<Frontmatter> front = Frontmatter::parse(head);
  if (!front) {
    return problem(
        path, "the frontmatter is not valid YAML, so the file is synced as plain text: " + describe(front.error()));
  }
  FileMetadata fresh = carry_over(derive_metadata(*front, WorkspacePath(path), wall_clock_), *entry);
  fresh.deleted = false;
  if (same_meaning(fresh, *entry)) return;
  set_extra_text(fresh, kHeadMark, head_mark(head));
  edit_workspace([&](crdt::Transaction& txn) { workspace_.set_file(txn, path, fresh); });
}

// --- other files ------------------------------------------------------------------------------------------------

void Replica::Impl::on_blob_seen(std::string_view path, const Sha256& hash, uint64_t size_bytes) {
  if (!accept_path(path) || waits_in_vain(path, hash) || is_parked_source(path)) return;
  work_.erase(std::string(path));
  if (const auto gone = gone_.find(path); gone != gone_.end()) gone_.erase(gone);
  const FileRecord* known = record(path);
  if (known != nullptr && known->hash == hash) {
    uploads_.erase(std::string(path));
    return reconcile(path);
  }
  if (!joined_ || !workspace_link_.answered()) return read_when_possible(path);
  if (known == nullptr && adopt_rename(path, hash, FileRecord::Kind::Blob)) return;

  const std::optional<BinaryRef> ref = workspace_.live_binary(path);
  if (ref && ref->hash == hash.hex())
    return save_record(path, FileRecord{.kind = FileRecord::Kind::Blob, .hash = hash});
  const bool changed_elsewhere = ref && (known == nullptr || ref->hash != known->hash.hex());
  if (!changed_elsewhere) return start_upload(path, hash, size_bytes);
  keep_blob_copy(path, hash);
}

void Replica::Impl::keep_blob_copy(std::string_view path, const Sha256& hash) {
  const WorkspacePath copy = conflict_copy(WorkspacePath(path), hash);
  problem(path, "this file was changed here and elsewhere; yours is kept as \"" + copy.str() + "\"");
  drop_record(path);
  work_[copy.str()].busy = true;
  own_moves_.insert_or_assign(copy.str(), std::string(path));
  emit(MoveFile{std::string(path), copy.str()});
}

void Replica::Impl::start_upload(std::string_view path, const Sha256& hash, uint64_t size_bytes) {
  if (size_bytes == 0)
    return publish_blob(std::string(path), hash, size_bytes);  // every device can make that one itself
  uploads_.insert_or_assign(std::string(path), Upload{.hash = hash, .size_bytes = size_bytes});
}

void Replica::Impl::pump_uploads() {
  if (phase_ != Phase::Active || !workspace_link_.answered()) return;
  auto flying = std::ranges::count_if(uploads_, [](const auto& entry) { return entry.second.busy; });
  for (auto& [path, upload] : uploads_) {
    if (flying >= static_cast<ptrdiff_t>(kMaxUploadsAtOnce)) return;
    if (upload.busy || upload.failed_finally || upload.retry_at) continue;
    upload.busy = true;
    ++flying;
    emit(UploadBlob{path, upload.hash, upload.size_bytes, std::string(mime_type_of(path))});
  }
}

void Replica::Impl::on_blob_uploaded(std::string_view path, const Sha256& hash) {
  const auto upload = uploads_.find(path);
  if (upload == uploads_.end() || upload->second.hash != hash) return;
  const uint64_t size_bytes = upload->second.size_bytes;
  uploads_.erase(upload);
  publish_blob(std::string(path), hash, size_bytes);
}

void Replica::Impl::publish_blob(const std::string& path, const Sha256& hash, uint64_t size_bytes) {
  const BinaryRef ref{.path = path,
                      .source = "local",
                      .hash = hash.hex(),
                      .mime_type = std::string(mime_type_of(path)),
                      .size = size_bytes,
                      .uploaded_at = wall_clock_};
  edit_workspace([&](crdt::Transaction& txn) {
    workspace_.set_binary(txn, ref);
    // A Markdown file whose bytes are no text any more is carried as a blob from now on.
    if (std::optional<FileMetadata> entry = workspace_.live_file(path)) {
      entry->deleted = true;
      entry->modified_at = wall_clock_;
      workspace_.set_file(txn, path, *entry);
    }
  });
  save_record(path, FileRecord{.kind = FileRecord::Kind::Blob, .hash = hash, .published = workspace_.binary_id(path)});
}

void Replica::Impl::on_transfer_failed(const TransferFailed& failure) {
  if (const auto upload = uploads_.find(failure.path);
      upload != uploads_.end() && upload->second.hash == failure.hash) {
    Upload& state = upload->second;
    state.busy = false;
    state.failed_finally = failure.final_failure;
    state.retry_at = now_ + transfer_backoff(state.attempts++);
    return problem(failure.path, "the file could not be sent: " + std::string(failure.reason));
  }
  FileWork& work = work_[std::string(failure.path)];
  work.busy = false;
  work.retry_at = now_ + transfer_backoff(work.attempts++);
  problem(failure.path, "the file could not be fetched: " + std::string(failure.reason));
}

// --- reading ----------------------------------------------------------------------------------------------------

void Replica::Impl::read_when_possible(std::string_view path) { wants_read_.emplace(path); }

void Replica::Impl::request_read(std::string_view path) {
  FileWork& work = work_[std::string(path)];
  if (work.busy) return;
  work.busy = true;
  emit(ReadFile{std::string(path)});
}

// --- answers to our own writes ----------------------------------------------------------------------------------

void Replica::Impl::on_file_written(std::string_view path, const Sha256& hash) {
  if (const auto found = conflicts_.find(path); found != conflicts_.end()) {
    // The user's text is safe under its new name: from now on it is what the original was on disk.
    const ConflictCopy copy = std::move(found->second);
    conflicts_.erase(found);
    save_record(copy.original, FileRecord{.kind = FileRecord::Kind::Text, .hash = copy.hash, .base = copy.bytes});
    reconcile(copy.original);
    if (!workspace_.live_file(path)) request_read(path);
    return;
  }
  const auto work = work_.find(path);
  if (work == work_.end()) return request_read(path);  // something happened in between: look at what is there
  FileRecord written{.kind = FileRecord::Kind::Blob, .hash = hash};
  if (work->second.writing) {
    written.kind = FileRecord::Kind::Text;
    if (const FileRecord* known = record(path)) written.unsaved = known->unsaved;
    if (text_of(path) != *work->second.writing) written.base = std::move(work->second.writing);
  }
  work_.erase(work);
  save_record(path, std::move(written));
  reconcile(path);
}

void Replica::Impl::on_file_removed(std::string_view path) {
  work_.erase(std::string(path));
  drop_record(path);
  reconcile(path);
}

void Replica::Impl::on_file_refused(std::string_view path, std::string_view reason) {
  if (const auto move = own_moves_.extract(std::string(path))) {
    names_.rename(path, move.mapped());
    work_[move.mapped()] = FileWork{.retry_at = now_ + kDiskRetry};  // if it is gone, perhaps the user moved it first
  }
  FileWork& work = work_[std::string(path)];
  work = FileWork{.retry_at = now_ + kDiskRetry};
  if (!reason.empty()) problem(path, std::string(reason));
}

}  // namespace diaryx::sync
