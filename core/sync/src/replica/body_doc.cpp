#include "replica/body_doc.h"

#include <algorithm>
#include <array>

#include "diaryx/base/base64.h"
#include "diaryx/base/sha256.h"
#include "diaryx/base/utf.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/text_diff.h"
#include "fault.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kHeadRoot = "head";
constexpr std::string_view kBodyRoot = "body";
constexpr std::string_view kSeedRoot = "seed";
constexpr std::string_view kSeedKey = "client";
constexpr std::string_view kOwnerKey = "file";
/// In front of an owner's id, so that a claim is seen in the bytes of an update.
constexpr std::string_view kOwnerPrefix = "file:";
constexpr std::string_view kLeftPrefix = "left:";
constexpr std::string_view kBeganPrefix = "began:";

std::vector<std::string> noted(const crdt::Map& map, std::string_view prefix) {
  std::vector<std::string> names;
  for (const std::string& key : map.keys()) {
    if (key.starts_with(prefix)) names.push_back(key.substr(prefix.size()));
  }
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

ClientId seed_client(std::string_view key, std::string_view head, std::string_view body) {
  constexpr std::string_view kSeparator{"\0", 1};
  Sha256Hasher hasher;
  for (const std::string_view part : {key, head, body}) {
    hasher.update(part);
    hasher.update(kSeparator);
  }
  const Sha256 digest = hasher.finish();
  uint64_t id = 0;
  for (size_t i = 0; i < 4; ++i) id = (id << 8) | digest.bytes[i];
  return ClientId{id};
}

}  // namespace

BodyDoc::BodyDoc(ClientId client)
    : doc_({.client = client}), head_(doc_.text(kHeadRoot)), body_(doc_.text(kBodyRoot)), seed_(doc_.map(kSeedRoot)) {}

BodyDoc::Shown& BodyDoc::shown() const {
  const uint32_t now = doc_.transaction_count();
  if (!shown_ || shown_->transaction != now) shown_ = Shown{now, head_.to_string(), body_.to_string(), std::nullopt};
  return *shown_;
}

const TextUnits& BodyDoc::units() const {
  Shown& now = shown();
  if (!now.units) now.units = TextUnits{head_.spans(), body_.spans()};
  return *now.units;
}

Bytes BodyDoc::set_text(std::string_view head, std::string_view body) {
  const std::string old_head = this->head();
  const std::string old_body = this->body();
  if (old_head == head && old_body == body) return {};
  crdt::Transaction txn = doc_.transact();
  apply_difference(txn, head_, old_head, head);
  apply_difference(txn, body_, old_body, body);
  return std::move(txn).commit().update_v1();
}

Bytes BodyDoc::merge_text(TextUnits& units, Parts before, Parts after) {
  const auto edits_of = [](std::string_view old_text, std::string_view new_text) {
    std::vector<TextEdit> edits = diff_text(old_text, new_text);
    if (DX_PLANTED(7) && edits.size() > 1) edits.pop_back();
    return edits;
  };
  crdt::Transaction txn = doc_.transact();
  units.head = carry_edits(head_, txn, units.head, edits_of(before.head, after.head));
  units.body = carry_edits(body_, txn, units.body, edits_of(before.body, after.body));
  const crdt::Commit commit = std::move(txn).commit();
  return commit.changed() ? commit.update_v1() : Bytes{};
}

Bytes BodyDoc::restore_text(std::string_view key, std::string_view head, std::string_view body) {
  const Bytes state = doc_.encode_update_v1();
  const Bytes vector = doc_.state_vector().encode();
  BodyDoc twin(seed_client(std::string(key).append(as_text(vector)), head, body));
  DX_ASSERT(twin.doc_.apply_update_v1(state));
  Bytes update = twin.set_text(head, body);
  if (!update.empty()) DX_ASSERT(doc_.apply_update_v1(update, crdt::TransactionOrigin::Local));
  return update;
}

std::string BodyDoc::seed_name() const { return seed_.get_string(kSeedKey).value_or(std::string()); }

std::string BodyDoc::owner() const {
  const std::string said = seed_.get_string(kOwnerKey).value_or(std::string());
  if (!said.starts_with(kOwnerPrefix)) return {};
  const std::string id = said.substr(kOwnerPrefix.size());
  return seed_.get_string(std::string(kLeftPrefix).append(id)) ? std::string(kNobody) : id;
}

Bytes BodyDoc::claim(std::string_view file_id) {
  if (file_id.empty() || owner() == file_id) return {};
  crdt::Transaction txn = doc_.transact();
  seed_.set(txn, kOwnerKey, crdt::Any::string(std::string(kOwnerPrefix).append(file_id)));
  return std::move(txn).commit().update_v1();
}

std::vector<std::string> BodyDoc::files_that_left() const { return noted(seed_, kLeftPrefix); }
Bytes BodyDoc::note_left(std::string_view file_id) { return note(kLeftPrefix, file_id); }
std::vector<std::string> BodyDoc::began_in() const { return noted(seed_, kBeganPrefix); }
Bytes BodyDoc::note_began_in(std::string_view document) { return note(kBeganPrefix, document); }

Bytes BodyDoc::note(std::string_view prefix, std::string_view name) {
  const std::string key = std::string(prefix).append(name);
  if (name.empty() || seed_.get_string(key)) return {};
  crdt::Transaction txn = doc_.transact();
  seed_.set(txn, key, crdt::Any::string("1"));
  return std::move(txn).commit().update_v1();
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
  return std::ranges::search(update, as_bytes(kOwnerPrefix)).size() != 0 ||
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

crdt::DeleteSet operations_in_common(const crdt::StateVector& before, const crdt::StateVector& after,
                                     const crdt::StateVector& other) {
  crdt::DeleteSet ids;
  for (const crdt::StateVector::Entry& entry : after) {
    const Clock start = before.get(entry.client);
    const Clock end = std::min(entry.clock, other.get(entry.client));
    if (start < end) ids.add(entry.client, start, end - start);
  }
  return ids;
}

Bytes seed_update(std::string_view key, std::string_view file_id, std::string_view head, std::string_view body) {
  if (head.empty() && body.empty()) return {};
  const ClientId client = seed_client(key, head, body);
  crdt::Doc doc({.client = client});
  crdt::Transaction txn = doc.transact(crdt::TransactionOrigin::Import);
  if (!head.empty()) DX_ASSERT(doc.text(kHeadRoot).insert(txn, Utf16Offset{0}, head));
  if (!body.empty()) DX_ASSERT(doc.text(kBodyRoot).insert(txn, Utf16Offset{0}, body));
  doc.map(kSeedRoot).set(txn, kSeedKey, crdt::Any::string(std::to_string(client.value())));
  doc.map(kSeedRoot).set(txn, kOwnerKey, crdt::Any::string(std::string(kOwnerPrefix).append(file_id)));
  return std::move(txn).commit().update_v1();
}

std::string seed_name(std::string_view key, std::string_view head, std::string_view body) {
  return std::to_string(seed_client(key, head, body).value());
}

}  // namespace diaryx::sync
