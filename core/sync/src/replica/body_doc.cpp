#include "replica/body_doc.h"

#include <algorithm>
#include <array>
#include <span>

#include "diaryx/base/base64.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/sort.h"
#include "diaryx/base/utf.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/text_diff.h"
#include "fault.h"
#include "roots.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kClaimPrefix = "file:";
/// With the key of the document, since a file takes its notes along into its other documents.
constexpr std::string_view kLeftPrefix = "left:";
/// With the client: for which file it writes here. A client's note comes before all else of it, so whoever has a letter has that.
constexpr std::string_view kWriterPrefix = "by:";

std::string writer_key(ClientId client) { return std::string(kWriterPrefix).append(std::to_string(client.value())); }

ClientId first_bits(const Sha256& digest) {
  uint64_t id = 0;
  for (size_t i = 0; i < 4; ++i) id = (id << 8) | digest.bytes[i];
  return ClientId{id};
}

std::vector<std::string> noted(const crdt::Map& map, std::string_view prefix, std::string_view suffix = {}) {
  std::vector<std::string> names;
  for (const std::string& key : map.keys()) {
    if (!key.starts_with(prefix) || !key.ends_with(suffix) || key.size() == prefix.size() + suffix.size()) continue;
    names.push_back(key.substr(prefix.size(), key.size() - prefix.size() - suffix.size()));
  }
  sort_compactly(names);
  return names;
}

void apply_difference(crdt::Transaction& txn, crdt::Text& text, std::string_view before, std::string_view after) {
  const std::vector<TextEdit> edits = diff_text(before, after);
  // From the last to the first, so that earlier positions stay true.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
    if (DX_PLANTED(7) && edits.size() > 1 && edit == edits.rbegin()) continue;
    if (edit->erased.value() != 0) DX_ASSERT(text.erase(txn, edit->at, edit->erased));
    if (!edit->inserted.empty()) DX_ASSERT(text.insert(txn, edit->at, edit->inserted));
  }
}

/// The operations of one client from `from` on, but for `notes`, which are sorted.
void add_operations(crdt::DeleteSet& ids, const crdt::StateVector::Entry& entry, Clock from,
                    std::span<const crdt::Id> notes) {
  for (const crdt::Id& note : notes) {
    if (note.client != entry.client || note.clock < from) continue;
    if (note.clock > from) ids.add(entry.client, from, note.clock - from);
    from = note.clock + Length{1};
  }
  if (from < entry.clock) ids.add(entry.client, from, entry.clock - from);
}

ClientId seed_client(std::string_view key, std::string_view head, std::string_view body) {
  constexpr std::string_view kSeparator{"\0", 1};
  Sha256Hasher hasher;
  for (const std::string_view part : {key, head, body}) {
    hasher.update(part);
    hasher.update(kSeparator);
  }
  return first_bits(hasher.finish());
}

}  // namespace

ClientId body_client(ClientId replica, const std::string& key) {
  return first_bits(sha256(std::to_string(replica.value()) + ":" + std::string(key)));
}

ClientId writer_for(ClientId client, std::string_view file_id) {
  return file_id.empty() ? client : body_client(client, std::string(kClaimPrefix).append(file_id));
}

BodyDoc::BodyDoc(ClientId client, const std::string& key)
    : client_(client),
      key_(key),
      doc_({.client = client}),
      head_(doc_),
      body_(doc_.text(kBodyRoot)),
      seed_(doc_.map(kSeedRoot)) {}

BodyDoc::Shown& BodyDoc::shown() const {
  const uint32_t now = doc_.transaction_count();
  if (!shown_ || shown_->transaction != now) shown_ = Shown{now, head_.to_string(), body_.to_string(), std::nullopt};
  return *shown_;
}

const TextUnits& BodyDoc::units() const {
  Shown& now = shown();
  if (!now.units) now.units = TextUnits{body_.spans()};
  return *now.units;
}

Bytes BodyDoc::set_text(std::string_view head, std::string_view body, std::string_view shown) {
  const std::string old_head = this->head();
  return merge_head(old_head.empty() ? shown : std::string_view(old_head), head, body, shown);
}

Bytes BodyDoc::merge_head(std::string_view before, std::string_view after, std::string_view body,
                          std::string_view shown, Heads other_heads) {
  const std::string old_body = this->body();
  if (before == after && old_body == body) return {};
  crdt::Transaction txn = write();
  head_.carry(txn, before, after, shown, other_heads);
  apply_difference(txn, body_, old_body, body);
  const crdt::Commit commit = std::move(txn).commit();
  return commit.changed() ? commit.update_v1() : Bytes{};
}

Bytes BodyDoc::merge_text(TextUnits& units, Parts before, Parts after, Heads other_heads) {
  const auto edits_of = [](std::string_view old_text, std::string_view new_text) {
    std::vector<TextEdit> edits = diff_text(old_text, new_text);
    if (DX_PLANTED(7) && edits.size() > 1) edits.pop_back();
    return edits;
  };
  const std::vector<TextEdit> in_body = edits_of(before.body, after.body);
  if (before.head == after.head && in_body.empty()) return {};
  crdt::Transaction txn = write();
  head_.carry(txn, before.head, after.head, {}, other_heads);
  units.body = carry_edits(body_, txn, units.body, in_body);
  const crdt::Commit commit = std::move(txn).commit();
  return commit.changed() ? commit.update_v1() : Bytes{};
}

Bytes BodyDoc::restore_text(std::string_view key, std::string_view head, std::string_view body) {
  const Bytes state = doc_.encode_update_v1();
  const Bytes vector = doc_.state_vector().encode();
  BodyDoc twin(seed_client(std::string(key).append(as_text(vector)), head, body), key_);
  DX_ASSERT(twin.doc_.apply_update_v1(state));
  Bytes update = twin.set_text(head, body);
  if (!update.empty()) DX_ASSERT(doc_.apply_update_v1(update, crdt::TransactionOrigin::Local));
  return update;
}

std::string BodyDoc::owner() const {
  const std::vector<std::string> claims = noted(seed_, kClaimPrefix);
  for (const std::string& id : claims) {
    if (!seed_.get_string(left_key(id))) return id;
  }
  return claims.empty() && files_that_left().empty() ? std::string() : std::string(kNobody);
}

std::vector<std::string> BodyDoc::rivals() const {
  std::vector<std::string> others = noted(seed_, kClaimPrefix);
  std::erase(others, owner());
  return others;
}

ClientId BodyDoc::writer() const { return writer_of(owner()); }
ClientId BodyDoc::writer_of(std::string_view holder) const {
  return holder == kNobody ? client_ : writer_for(client_, holder);
}

crdt::Transaction BodyDoc::write() {
  const std::string holder = owner();
  const ClientId client = writer_of(holder);
  doc_.set_client(client);
  crdt::Transaction txn = doc_.transact();
  if (client != client_ && doc_.state_vector().get(client) == Clock{0})
    seed_.set(txn, writer_key(client), crdt::Any::string(holder));
  return txn;
}

crdt::DeleteSet BodyDoc::strays(const crdt::StateVector& before) const {
  const std::string holder = owner();
  if (holder.empty()) return {};
  std::vector<std::string> others = files_that_left();
  for (std::string& rival : rivals()) others.push_back(std::move(rival));
  std::optional<std::vector<crdt::Id>> notes;  // most of the time there are no strays
  crdt::DeleteSet ids;
  for (const crdt::StateVector::Entry& entry : doc_.state_vector()) {
    const Clock start = before.get(entry.client);
    if (start >= entry.clock) continue;
    const std::optional<std::string> wrote_for = seed_.get_string(writer_key(entry.client));
    const bool is_other = wrote_for ? *wrote_for != holder
                                    : std::ranges::count(others, std::to_string(entry.client.value())) != 0;  // a seed
    if (!is_other) continue;
    if (!notes) notes = lasting_notes();
    add_operations(ids, entry, start, *notes);
  }
  return ids;
}

crdt::DeleteSet BodyDoc::operations() const {
  const std::vector<crdt::Id> notes = lasting_notes();
  crdt::DeleteSet ids;
  for (const crdt::StateVector::Entry& entry : doc_.state_vector()) add_operations(ids, entry, Clock{0}, notes);
  return ids;
}

crdt::DeleteSet BodyDoc::notes() const {
  crdt::DeleteSet ids;
  for (const std::string& key : seed_.keys()) {
    if (const std::optional<crdt::Id> note = seed_.current_id(key)) ids.add(note->client, note->clock, Length{1});
  }
  return ids;
}

std::vector<crdt::Id> BodyDoc::lasting_notes() const {
  std::vector<crdt::Id> ids;
  for (const std::string& key : seed_.keys()) {
    if (!key.starts_with(kWriterPrefix) && !key.starts_with(kLeftPrefix)) continue;
    if (const std::optional<crdt::Id> note = seed_.current_id(key)) ids.push_back(*note);
  }
  sort_compactly(ids);
  return ids;
}

Bytes BodyDoc::claim(const std::string& file_id) {
  return file_id.empty() ? Bytes{} : note(std::string(kClaimPrefix).append(file_id));
}
Bytes BodyDoc::note_left(const std::string& file_id) {
  return note(left_key(file_id), std::string(kClaimPrefix).append(file_id));
}
std::vector<std::string> BodyDoc::files_that_left() const { return noted(seed_, kLeftPrefix, "@" + key_); }
std::string BodyDoc::left_key(const std::string& file_id) const {
  return std::string(kLeftPrefix).append(file_id).append("@").append(key_);
}

Bytes BodyDoc::note(std::string_view added, std::string_view withdrawn) {
  doc_.set_client(client_);  // that of no file: notes stay when a file's operations are taken out
  crdt::Transaction txn = doc_.transact();
  if (!seed_.get_string(added)) seed_.set(txn, added, crdt::Any::string("1"));
  if (!withdrawn.empty()) seed_.erase(txn, withdrawn);
  const crdt::Commit commit = std::move(txn).commit();
  return commit.changed() ? commit.update_v1() : Bytes{};
}

Bytes BodyDoc::erase_operations(const crdt::DeleteSet& ids) {
  if (ids.empty()) return {};
  Bytes update{0};  // no struct
  const Bytes deletions = ids.encode_v1();
  update.insert(update.end(), deletions.begin(), deletions.end());
  const Result<crdt::Commit> commit = doc_.apply_update_v1(update, crdt::TransactionOrigin::Local);
  DX_ASSERT(commit);
  return commit->changed() ? commit->update_v1() : Bytes{};
}

bool may_claim(ByteView update) {
  return std::ranges::search(update, as_bytes(kClaimPrefix)).size() != 0 ||
         std::ranges::search(update, as_bytes(kLeftPrefix)).size() != 0;
}

crdt::DeleteSet operations_between(const crdt::StateVector& before, const crdt::StateVector& after) {
  crdt::DeleteSet ids;
  for (const crdt::StateVector::Entry& entry : after) {
    const Clock start = before.get(entry.client);
    if (start < entry.clock) ids.add(entry.client, start, entry.clock - start);
  }
  return ids;
}

Bytes seed_update(std::string_view key, std::string_view file_id, std::string_view head, std::string_view body) {
  if (head.empty() && body.empty()) return {};
  ClientId client = seed_client(key, head, body);
  const bool is_first = std::to_string(client.value()) == file_id;
  if (!is_first) client = writer_for(client, file_id);
  crdt::Doc doc({.client = client});
  crdt::Transaction txn = doc.transact(crdt::TransactionOrigin::Import);
  if (!is_first && !file_id.empty())
    doc.map(kSeedRoot).set(txn, writer_key(client), crdt::Any::string(std::string(file_id)));
  if (!head.empty()) DX_ASSERT(doc.text(kHeadRoot).insert(txn, Utf16Offset{0}, head));
  if (!body.empty()) DX_ASSERT(doc.text(kBodyRoot).insert(txn, Utf16Offset{0}, body));
  doc.map(kSeedRoot).set(txn, kSeedClientKey, crdt::Any::string(std::to_string(client.value())));
  if (!file_id.empty()) doc.map(kSeedRoot).set(txn, std::string(kClaimPrefix).append(file_id), crdt::Any::string("1"));
  return std::move(txn).commit().update_v1();
}

std::string seed_name(std::string_view key, std::string_view head, std::string_view body) {
  return std::to_string(seed_client(key, head, body).value());
}

}  // namespace diaryx::sync
