// Deletions, and files that come back because somebody edited what another one deleted. All documents of a file are united first,
// so that what comes back is the whole text.

#include <algorithm>
#include <utility>

#include "diaryx/base/base64.h"
#include "diaryx/sync/path.h"
#include "fault.h"
#include "replica/replica_impl.h"

namespace diaryx::sync {
namespace {

/// A longer state vector is left out of a tombstone.
constexpr size_t kMaxSeenBytes = 2048;
/// A file that was renamed more often than this while a device was away is found when it is renamed once more.
constexpr int kMaxMoves = 64;

}  // namespace

void Replica::Impl::delete_entry(const std::string& path, const FileRecord& known, crdt::Transaction& txn) {
  if (known.kind == FileRecord::Kind::Blob) {
    std::optional<BinaryRef> ref = workspace_.live_binary(path);
    if (!ref || ref->hash != known.hash.hex()) return;  // changed elsewhere meanwhile: the change wins
    ref->deleted = true;
    return workspace_.set_binary(txn, *ref);
  }
  std::optional<FileMetadata> entry = workspace_.live_file(path);
  if (!entry || !is_at_home(path, known)) return;  // renamed elsewhere: that wins
  const std::string id = index_.id_at(path);
  const std::string document = is_contested(path) ? document_of_file(id, path) : index_.document_of(path);
  const bool is_behind = known.base && (document == index_.document_of(path) || *known.base != document_text(document));
  if (is_behind) return;  // edited elsewhere: that wins, too
  const std::optional<std::string> seen = seen_mark(document);
  entry->deleted = true;
  entry->modified_at = clock_.wall();
  set_extra_text(*entry, kMovedTo, std::nullopt);
  set_extra_text(*entry, kSeen, seen);
  deleted_here_.insert(id);
  workspace_.set_file(txn, path, *entry);
  workspace_.set_home(txn, id, {path, index_.document_of(path), seen.value_or(std::string(kSeenUnknown))});
}

std::optional<std::string> Replica::Impl::seen_mark(const std::string& document) const {
  const Bytes vector = bodies_.open(document).doc().state_vector().encode();
  if (vector.size() > kMaxSeenBytes) return std::nullopt;
  return to_base64(vector);
}

bool Replica::Impl::is_unseen(const std::string& document, const std::string& seen) const {
  if (!bodies_.contains(document)) return false;
  const Result<Bytes> bytes = from_base64(seen);
  if (!bytes) return false;
  const Result<crdt::StateVector> vector = crdt::StateVector::decode(*bytes);
  if (!vector) return false;
  // What was taken out again is no edit, and what is said of the document is none.
  const BodyDoc& body = bodies_.open(document);
  crdt::DeleteSet known = body.doc().delete_set();
  known.merge(body.notes());
  return !known.covers(operations_between(*vector, body.doc().state_vector()));
}

Replica::Impl::Whereabouts Replica::Impl::whereabouts(const std::string& file_id) const {
  const std::optional<Home> home = workspace_.home(file_id);
  if (!home || index_.live_path(file_id)) return {};
  if (!home->seen.empty()) return {home->path, home->seen};
  // Deleted by somebody while somebody else said that it is alive, or overwritten.
  std::string at = home->path;
  for (int i = 0; i < kMaxMoves; ++i) {
    const std::optional<FileMetadata> entry = workspace_.file(at);
    if (!entry || !entry->deleted || extra_text(*entry, kFileId) != file_id) break;
    const std::optional<std::string> next = extra_text(*entry, kMovedTo);
    if (!next || !parse_path(*next) || !is_carried(*next))
      return {at, extra_text(*entry, kSeen).value_or(std::string(kSeenUnknown))};
    at = *next;
  }
  return {at, {}};
}

bool Replica::Impl::revive_if_edited(const std::string& file_id, const std::string& also) {
  // Whoever deleted it had not seen an edit that is here: the edit wins.
  const Whereabouts last = whereabouts(file_id);
  if (last.seen.empty()) return false;
  bool edited = false;
  for (const std::string& document : documents_of_file(file_id, also))
    edited = edited || is_unseen(document, last.seen);
  if (!edited) return false;
  revive(file_id, last.path, also);
  return true;
}

void Replica::Impl::revive(const std::string& file_id, const std::string& path, const std::string& also) {
  const Whereabouts last = whereabouts(file_id);
  const std::string wanted = last.path.empty() ? path : last.path;
  const std::string name = is_free(wanted) ? wanted : other_name(wanted, file_id);
  if (name != wanted)
    problem(wanted, "another file has this name now; the text that was edited meanwhile is kept as \"" + name + "\"");
  put_file(name, file_id, document_of_file(file_id, path));
  unite(file_id, also);
  reconcile_records(file_id);
  reconcile(name);
}

std::set<std::string> Replica::Impl::documents_of_file(const std::string& file_id, const std::string& also) const {
  // A document that is not known to be this file's must say so itself.
  std::set<std::string> documents;
  const auto add = [&](const std::string& document, bool listed) {
    if (!bodies_.contains(document) || bodies_.open(document).is_virgin()) return;
    const std::string owner = bodies_.open(document).owner();
    if (owner == file_id || (listed && owner.empty())) documents.insert(document);
  };
  for (const std::string& document : index_.old_documents_of(file_id)) add(document, true);
  if (const std::optional<Home> home = workspace_.home(file_id)) add(home->document, true);
  add(own_document(file_id), true);
  if (!also.empty()) add(also, false);
  return documents;
}

void Replica::Impl::unite(const std::string& file_id, const std::string& also) {
  const std::optional<std::string> at = index_.live_path(file_id);
  if (!at || DX_PLANTED(6)) return;
  const std::string document = index_.document_of(*at);
  for (const std::string& other : documents_of_file(file_id, also)) {
    if (other == document) continue;
    moved_from_ = other;
    give_body(bodies_.state(other), document);
  }
}

void Replica::Impl::give_body(ByteView state, const std::string& to) {
  BodyDoc brought(options_.client, moved_from_);
  if (!brought.doc().apply_update_v1(state) || brought.doc().is_empty()) return;
  const std::string id = brought.owner();
  // What is on this disk may be as in the document that is brought, and not as in the one that is the file's from now on.
  const auto remember_brought = [&] {
    if (!paths_without_base(id, {}).empty()) remember_base(id, {}, {brought.head() + brought.body(), brought.units()});
  };
  // Another file's by now: see `on_document_taken`.
  const std::string owner = bodies_.open(to).owner();
  if (!owner.empty() && !id.empty() && id != owner) return remember_brought();
  // The same operations under the new key: whatever was typed under the old one arrives too, once.
  const std::optional<std::string> path = listed_path(to);
  const Version before = version_of_document(to);
  const crdt::StateVector known = bodies_.open(to).doc().state_vector();
  const Result<crdt::Commit> commit = bodies_.open(to).doc().apply_update_v1(state);
  if (!commit) return;
  const bool is_new = commit->changed();
  if (is_new) remember_base(id, path.value_or(std::string()), before);
  if (is_new || before.text != brought.head() + brought.body()) remember_brought();
  if (!is_new) return;
  commit_body(to, commit->update_v1(), HistoryOrigin::Move, moved_from_);
  take_out_strays(to, known);
}

}  // namespace diaryx::sync
