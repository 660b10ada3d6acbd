#include "diaryx/sync/replica.h"

#include <algorithm>
#include <utility>

#include "diaryx/sync/frontmatter.h"
#include "diaryx/sync/path.h"
#include "diaryx/sync/unicode.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kNamePrefix = "name:";
constexpr std::string_view kJoinedKey = "joined";

template <typename... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

// --- restoring --------------------------------------------------------------------------------------------------

Replica::Impl::Impl(ReplicaOptions options)
    : options_(std::move(options)),
      workspace_(options_.client),
      bodies_(options_.client),
      open_bodies_(options_.max_in_flight, options_.answer_timeout),
      following_(options_.full_check_after, options_.updates_per_cursor),
      names_(options_.disk),
      outgoing_(options_.breaker),
      incoming_(options_.breaker) {}

Result<void> Replica::Impl::restore_update(std::string_view doc, ByteView update) {
  if (doc == kWorkspaceName) {
    DX_TRY(const crdt::Commit commit, workspace_.doc().apply_update_v1(update));
    for (const std::string& path : commit.changed_keys(kFilesRoot)) index_file(path);
  } else if (doc.starts_with(kBodyPrefix)) {
    return restore_body(std::string(doc.substr(kBodyPrefix.size())), update);
  }
  return {};
}

bool is_about_disk(std::string_view record_key) {
  return record_key.starts_with(kFileRecordPrefix) || record_key.starts_with(kNamePrefix) ||
         record_key.starts_with(kWritingPrefix) || record_key.starts_with(kRestoredPrefix);
}

Result<void> Replica::Impl::restore_record(std::string_view key, std::string_view value) {
  if (key == kJoinedKey) joined_ = true;
  if (key == kCursorRecord) return following_.restore(value);
  if (key.starts_with(kUnsyncedPrefix)) unsynced_.restore(std::string(key.substr(kUnsyncedPrefix.size())));
  if (key.starts_with(kNamePrefix)) {
    restored_names_.insert_or_assign(std::string(key.substr(kNamePrefix.size())), std::string(value));
    named_ = false;
  }
  if (key.starts_with(kRestoredPrefix))
    restores_.await_file(std::string(key.substr(kRestoredPrefix.size())), std::string(value));
  if (key.starts_with(kWritingPrefix))
    return own_writes_.restore(std::string(key.substr(kWritingPrefix.size())), value);
  if (!key.starts_with(kFileRecordPrefix)) return {};
  DX_TRY(FileRecord record, FileRecord::decode(value));
  records_.put(std::string(key.substr(kFileRecordPrefix.size())), std::move(record));
  unscanned_ = true;
  named_ = false;
  return {};
}

// --- events -----------------------------------------------------------------------------------------------------

void Replica::Impl::handle(const Event& event, TimestampMs now, std::vector<Action>& out) {
  clock_.show(now);
  out_ = &out;
  names();
  note_what_restoring_left();
  if (std::exchange(is_fresh_, false))
    own_writes_.recall([this](const auto& path, const OwnWrite& write) { return text_behind_write(path, write); });
  dispatch(event);
  take_away();
  pump();
  pump_uploads();
  keep_cursor();
  barrier_if_needed();
  announce();
  restores_.end_batch();
  out_ = nullptr;
}

void Replica::Impl::dispatch(const Event& event) {
  const auto key = [this](std::string_view disk_path) {
    const std::optional<std::string> leaving = leaving_name(disk_path);
    return leaving ? *leaving : names().own_key(disk_path);
  };
  const auto see = [this](std::string_view disk_path) {
    if (const std::optional<std::string> leaving = leaving_name(disk_path)) return *leaving;
    const std::optional<std::string> there = names().key_of_place(disk_path);
    std::string seen = names().see(disk_path);
    // Renamed in case or form alone, and nobody told: its folder was, before a write of ours came to it.
    if (there && *there != seen && record(*there) != nullptr && record(seen) == nullptr) on_moved(*there, seen);
    return seen;
  };
  const auto source = [this](Ticket ticket) {
    if (ticket == Ticket{}) return Source::Watcher;
    return asked_.take(ticket) ? Source::Look : Source::Met;  // what was met is told behind a refusal
  };
  // An answer is for the file that it was asked for, whoever has that name by now.
  const auto answer = [&](const auto& event, auto take) {
    if (const std::optional<AskedAction> asked = asked_.take(event.ticket)) {
      take(*asked);
    } else {
      request_read(key(event.path));
    }
  };
  std::visit(Overloaded{
                 [&](const Connected&) { on_connected(); },
                 [&](const Disconnected&) { on_disconnected(); },
                 [&](const BinaryReceived& e) { on_binary(e.frame); },
                 [&](const TextReceived& e) { on_text(e.json); },
                 [&](const TextFileSeen& e) { on_text_seen(see(e.path), e.bytes, source(e.ticket)); },
                 [&](const BlobFileSeen& e) {
                   asked_.take(e.ticket);
                   on_blob_seen(see(e.path), e.hash, e.size_bytes);
                 },
                 [&](const FileGone& e) { on_gone(key(e.path), source(e.ticket)); },
                 [&](const FileMoved& e) {
                   if (const std::optional<AskedAction> asked = asked_.take(e.ticket)) {
                     const OwnMove* const move = own_moves_.find(asked->path);
                     if (move != nullptr && move->ticket == e.ticket) return on_own_move(asked->path, e.was_copied);
                     if (asked->is_settled) return;  // the watcher was faster, and another file may be there by now
                   }
                   const std::string from = key(e.from);
                   if (options_.disk.peculiar() && names_.to_key(e.to) == from)
                     names_.respell(from, e.to);  // an alias no more
                   on_moved(from, names().see(e.to));
                 },
                 [&](const FilesSettled&) { on_files_settled(); },
                 [&](const FileWritten& e) { answer(e, [&](const AskedAction& asked) { on_file_written(asked, e); }); },
                 [&](const FileRemoved& e) { answer(e, [&](const AskedAction& asked) { on_file_removed(asked, e); }); },
                 [&](const FileRefused& e) { answer(e, [&](const AskedAction& asked) { on_file_refused(asked, e); }); },
                 [&](const BlobUploaded& e) { on_blob_uploaded(key(e.path), e.hash); },
                 [&](const TransferFailed& e) {
                   const std::optional<AskedAction> asked = asked_.take(e.ticket);
                   on_transfer_failed(asked ? asked->path : key(e.path), e);
                 },
                 [&](const FocusFiles& e) {
                   focus_ = e.paths;
                   for (const std::string& path : focus_) {
                     const std::string document = index_.document_of(path);
                     if (workspace_.live_file(path) && !in_step(document)) open_body(document, /*first=*/true);
                   }
                 },
                 [&](const UpdateMade& e) { on_update_made(e); },
                 [&](const ReleaseHeld&) { release_held(); },
                 [&](const UndoHeld&) { undo_held(); },
                 [&](const RestoreFiles& e) { on_restore(e); },
                 [&](const DeadlineReached&) { on_deadline(); },
             },
             event);
}

// --- names ------------------------------------------------------------------------------------------------------

DiskNames& Replica::Impl::names() const {
  if (std::exchange(named_, true) || !options_.disk.peculiar()) return names_;
  for (const auto& [key, disk_path] : std::exchange(restored_names_, {})) {
    kept_names_.insert(key);
    if (records_.find(key) != nullptr) names_.restore(key, disk_path);
  }
  for (const auto& [path, known] : records_) names_.to_disk(path);
  // What the last run was writing or moving when it died may be there, too, under the names it had chosen.
  for (const auto& [path, writes] : own_writes_) names_.to_disk(path);
  for (const auto& [path, known] : records_) {
    if (const std::optional<std::string> target = index_.live_path(known.file_id)) names_.to_disk(*target);
  }
  return names_;
}

std::optional<std::string> Replica::Impl::leaving_name(std::string_view disk_path) const {
  // A move of ours is under way: the file is still there under the name that its key gave up. That name leads elsewhere by now
  // if the move is one in case or form alone, if another file is to have the place, or if it was an alias.
  if (!options_.disk.peculiar()) return std::nullopt;
  const std::vector<std::string> sources = own_moves_.leaving_place(std::string(disk_path));
  const auto source = std::ranges::find_if(sources, [&](const std::string& key) { return record(key) != nullptr; });
  if (source == sources.end()) return std::nullopt;
  const std::optional<std::string> next = names_.key_of_place(disk_path);
  const bool is_used_anew = next && names_.disk_name(*next) == disk_path;
  return is_used_anew ? std::nullopt : std::optional(*source);
}

bool Replica::Impl::is_still_there(const OwnMove& move) const {
  // A move was not done. Perhaps that is because the user took its file away first, and since then the name is free, or another
  // file's that the user put there: to give it back would take it from that one.
  if (gone_.contains(move.from) || (record(move.from) == nullptr && !move.copy)) return false;
  const std::optional<std::string> there = names_.key_of_place(move.disk_from);
  const bool is_used_anew = there && names_.is_same_place(names_.disk_name(*there), move.disk_from);
  return !is_used_anew || record(*there) == nullptr;  // else it was chosen for a file that is not there yet
}

void Replica::Impl::name_for_disk(Action& action) {
  const auto name = [this](std::string& path) {
    std::string disk = names_.to_disk(path);
    if (to_nfc(disk) != to_nfc(path)) {
      problem(path, "this disk cannot hold that name beside the others; the file is stored as \"" + disk + "\"");
    }
    path = std::move(disk);
  };
  std::visit(Overloaded{
                 [&](ReadFile& a) {
                   const std::string* const to = own_moves_.target_of(a.path);
                   if (to == nullptr) return name(a.path);
                   a.path = own_moves_.find(*to)->disk_from;  // which it has given up
                 },
                 [&](WriteText& a) { name(a.path); },
                 [&](FetchBlob& a) { name(a.path); },
                 [&](RemoveFile& a) { name(a.path); },
                 [&](UploadBlob& a) { name(a.path); },
                 [&](MoveFile& a) {
                   const std::string from = names_.to_disk(a.from);
                   names_.rename(a.from, a.to);
                   a.from = from;
                   name(a.to);
                 },
                 [](auto&) {},
             },
             action);
}

void Replica::Impl::emit(Action action) {
  if (options_.disk.peculiar()) name_for_disk(action);
  out_->push_back(std::move(action));
}

// --- texts ------------------------------------------------------------------------------------------------------

std::string Replica::Impl::head_of(const std::string& path) const {
  std::string head = bodies_.open(index_.document_of(path)).head();
  if (!head.empty()) return head;
  const std::optional<FileMetadata> entry = workspace_.file(path);
  return entry ? head_without_text(*entry, path) : std::string();
}

std::string Replica::Impl::text_of(const std::string& path) const {
  return head_of(path) + bodies_.open(index_.document_of(path)).body();
}

Sha256 Replica::Impl::hash_of(std::string_view text) const {
  if (text.size() > kMostHashedBytes) return sha256(text);
  for (const auto& known : hashed_) {
    if (known && known->first == text) return known->second;
  }
  std::swap(hashed_[0], hashed_[1]);
  return hashed_[0].emplace(text, sha256(text)).second;
}

Replica::Impl::Version Replica::Impl::version_of(const std::string& path) const {
  return {text_of(path), bodies_.open(index_.document_of(path)).units()};
}

Replica::Impl::Version Replica::Impl::version_of_document(const std::string& document) const {
  const std::optional<std::string> path = listed_path(document);
  return path ? version_of(*path) : Version{document_text(document), bodies_.open(document).units()};
}

bool Replica::Impl::text_is_here(const std::string& path) const {
  const std::string document = index_.document_of(path);
  if (is_answered(document)) return true;
  return bodies_.contains(document) && !bodies_.open(document).is_virgin();
}

Bytes Replica::Impl::set_document_text(const std::string& document, std::string_view shown_head,
                                       std::string_view text) {
  const SplitText split = split_frontmatter(text);
  BodyDoc& body = bodies_.open(document);
  // A head that was only rendered from an old peer's metadata stays out of the document until someone edits it.
  return body.set_text(split.head, split.body, shown_head);
}

Bytes Replica::Impl::set_file_text(const std::string& path, std::string_view text) {
  return set_document_text(index_.document_of(path), head_of(path), text);
}

// --- shared -----------------------------------------------------------------------------------------------------

void Replica::Impl::persist(std::string doc, Bytes update, HistoryOrigin origin, std::string note) {
  if (restores_.is_under_way() && (origin == HistoryOrigin::Local || origin == HistoryOrigin::Import)) {
    origin = HistoryOrigin::Restore;
    note = restores_.id();
  }
  if (doc.starts_with(kBodyPrefix)) following_.count_update();
  emit(PersistUpdate{std::move(doc), std::move(update), origin, std::move(note)});
}

void Replica::Impl::say_who(crdt::Transaction& txn) {
  if (options_.device.id.empty() || said_who_) return;
  said_who_ = true;
  workspace_.doc()
      .map(kWritersRoot)
      .set(txn, std::to_string(options_.client.value()), crdt::Any::string(options_.device.id));
  const crdt::Map devices = workspace_.doc().map(kDevicesRoot);
  if (devices.get_string(options_.device.id) != options_.device.name)
    workspace_.doc().map(kDevicesRoot).set(txn, options_.device.id, crdt::Any::string(options_.device.name));
}

void Replica::Impl::commit_body(const std::string& key, Bytes update, HistoryOrigin origin, std::string note) {
  if (update.empty()) return;
  if (!said_who_ && origin == HistoryOrigin::Local) edit_workspace([](crdt::Transaction&) {});
  Bytes payload = payload_of_edit(key, update);
  if (!DX_PLANTED(3)) persist(std::string(kBodyPrefix).append(key), std::move(update), origin, std::move(note));
  send_body(key, std::move(payload));
}

Bytes Replica::Impl::payload_of_edit(const std::string& key, ByteView update) {
  if (in_step(key)) open_bodies_.open_in_step(key);
  mark_unsynced(key);
  if (!open_bodies_.is_open(key)) {
    if (following_.is_following() && listed_path(key)) open_body(key);
    return {};
  }
  Bytes payload = open_bodies_.on_local_update(key, update);
  note_if_saved(key);
  return payload;
}

crdt::Transaction Replica::Impl::begin_workspace_edit() {
  crdt::Transaction txn = workspace_.doc().transact();
  say_who(txn);
  return txn;
}

void Replica::Impl::end_workspace_edit(crdt::Transaction txn) {
  const crdt::Commit commit = std::move(txn).commit();
  if (!commit.changed()) return;
  file_count_.reset();
  persist(std::string(kWorkspaceName), commit.update_v1(), HistoryOrigin::Local);
  send_workspace(workspace_link_.on_local_update(commit.update_v1()));
}

void Replica::Impl::save_record(const std::string& path, FileRecord record) {
  emit(PersistRecord{std::string(kFileRecordPrefix).append(path), record.encode()});
  const bool is_new = records_.find(path) == nullptr;
  records_.put(path, std::move(record));
  // A file that is leaving gave its name up, so that another one can have it. It is still there under that name, and not under one
  // that would be chosen beside the other's.
  if (!options_.disk.peculiar() || (!is_new && own_moves_.is_leaving(path))) return;
  keep_name(path, names_.to_disk(path));
}

void Replica::Impl::keep_name(const std::string& path, const std::string& disk_path) {
  // A name that this disk made different from the key is the same after a restart; and the next file with that key does not inherit it.
  const bool is_kept = disk_path != path;
  if (!is_kept && kept_names_.erase(path) == 0) return;
  if (is_kept) kept_names_.insert(path);
  emit(PersistRecord{std::string(kNamePrefix).append(path), is_kept ? disk_path : std::string()});
}

void Replica::Impl::drop_record(const std::string& path) {
  if (records_.find(path) == nullptr) return;
  emit(PersistRecord{std::string(kFileRecordPrefix).append(path), {}});
  release_name(path);
  gone_.erase(path);
  forget_doubtful_writes(path);
  records_.erase(path);
}

void Replica::Impl::release_name(const std::string& path) {
  if (!options_.disk.peculiar() || changing_hands_.contains(path)) return;
  keep_name(path, path);
  names_.release(path);
}

const FileRecord* Replica::Impl::record(const std::string& path) const { return records_.find(path); }

void Replica::Impl::problem(const std::string& path, std::string message) {
  std::string once = std::string(path) + '\0' + message;
  if (!reported_.insert(std::move(once)).second) return;
  notify(Problem{path, std::move(message)});
}

// --- getters ----------------------------------------------------------------------------------------------------

std::optional<std::string> Replica::Impl::file_text(const std::string& path) const {
  if (!workspace_.live_file(path)) return std::nullopt;
  std::string text = text_of(path);
  // A document without operations is an empty file if that is what is on this disk.
  const FileRecord* const known = record(path);
  const bool is_here = text_is_here(path) || (known != nullptr && known->hash == sha256(text));
  return is_here ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<std::string> Replica::Impl::body_text(const std::string& path) const {
  const std::string document = index_.document_of(path);
  if (!bodies_.contains(document)) return std::nullopt;
  return bodies_.open(document).body();
}

Replica::Replica(ReplicaOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Replica::Replica(Replica&&) noexcept = default;
Replica& Replica::operator=(Replica&&) noexcept = default;
Replica::~Replica() = default;

Result<void> Replica::restore_update(std::string_view doc, ByteView update) {
  return impl_->restore_update(doc, update);
}
Result<void> Replica::restore_record(std::string_view key, std::string_view value) {
  return impl_->restore_record(key, value);
}
void Replica::handle(const Event& event, TimestampMs now, std::vector<Action>& out) { impl_->handle(event, now, out); }
std::optional<TimestampMs> Replica::next_deadline() const { return impl_->next_deadline(); }
ReplicaStatus Replica::status() const { return impl_->status(); }
bool Replica::settled() const { return impl_->settled(); }

std::vector<std::string> Replica::known_files() const {
  std::vector<std::string> paths;
  for (const auto& [path, record] : impl_->records_) paths.push_back(impl_->names().disk_name(path));
  return paths;
}

std::vector<std::string> Replica::files_with(const Sha256& hash) const {
  std::vector<std::string> paths;
  const auto collect = [&](const std::string& path, const FileRecord&) {
    paths.push_back(impl_->names().disk_name(path));
    return false;  // and on to the next one
  };
  impl_->records_.find_with(hash, collect);
  return paths;
}

std::string Replica::disk_path(std::string_view key) const { return impl_->names().disk_name(key); }
std::string Replica::key_of(std::string_view disk_path) const { return impl_->names().to_key(disk_path); }

std::optional<Sha256> Replica::known_hash(const std::string& path) const {
  const std::string key = impl_->names().to_key(path);
  const FileRecord* const known = impl_->records_.find(key);
  if (known == nullptr) return std::nullopt;
  return impl_->waits_for_belief(key) ? Sha256{} : known->hash;
}

Sha256 Replica::hash_of(std::string_view text) const { return impl_->hash_of(text); }
std::vector<HeldChange> Replica::held() const { return impl_->held(); }
std::vector<std::string> Replica::text_files() const { return impl_->workspace_.live_files(); }
std::vector<BinaryRef> Replica::binary_files() const { return impl_->workspace_.live_binaries(); }
std::optional<std::string> Replica::file_text(const std::string& path) const { return impl_->file_text(path); }

std::optional<std::string> Replica::body_text(const std::string& path) const { return impl_->body_text(path); }

std::optional<FileMetadata> Replica::metadata(const std::string& path) const { return impl_->workspace_.file(path); }

ClientId Replica::client_of(std::string_view doc) const {
  const ClientId client = impl_->options_.client;
  return doc.starts_with(kBodyPrefix) ? body_client(client, std::string(doc.substr(kBodyPrefix.size()))) : client;
}

Bytes Replica::document_state(std::string_view doc) const {
  if (doc == kWorkspaceName) return impl_->workspace_.doc().encode_update_v1();
  if (doc.starts_with(kBodyPrefix)) return impl_->bodies_.state(std::string(doc.substr(kBodyPrefix.size())));
  return to_bytes(kEmptyUpdate);
}

std::vector<std::string> Replica::documents() const {
  std::vector<std::string> names;
  if (!impl_->workspace_.doc().is_empty()) names.emplace_back(kWorkspaceName);
  for (const std::string& key : impl_->bodies_.keys()) names.push_back(std::string(kBodyPrefix) + key);
  return names;
}

}  // namespace diaryx::sync
