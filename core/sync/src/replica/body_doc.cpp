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
constexpr std::string_view kEraRoot = "era";
/// In front of an era's name, so that its beginning is seen in the bytes of an update.
constexpr std::string_view kEraPrefix = "era:";

std::string now_key(std::string_view key) { return std::string("now:").append(key); }
std::string past_key(std::string_view key, std::string_view era) {
  return std::string("past:").append(key).append("\n").append(era);
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
    : doc_({.client = client}),
      head_(doc_.text(kHeadRoot)),
      body_(doc_.text(kBodyRoot)),
      seed_(doc_.map(kSeedRoot)),
      era_(doc_.map(kEraRoot)) {}

Bytes BodyDoc::set_text(std::string_view head, std::string_view body) {
  const std::string old_head = this->head();
  const std::string old_body = this->body();
  if (old_head == head && old_body == body) return {};
  crdt::Transaction txn = doc_.transact();
  apply_difference(txn, head_, old_head, head);
  apply_difference(txn, body_, old_body, body);
  return std::move(txn).commit().update_v1();
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

std::string BodyDoc::era(std::string_view key) const {
  const std::string now = era_.get_string(now_key(key)).value_or(std::string());
  return now.starts_with(kEraPrefix) ? now.substr(kEraPrefix.size()) : std::string();
}

std::optional<PastEra> BodyDoc::past_era(std::string_view key, std::string_view era) const {
  const std::optional<std::string> text = era_.get_string(past_key(key, era));
  if (!text) return std::nullopt;
  // Three lines: target, id, state vector.
  const size_t first = text->find('\n');
  const size_t second = first == std::string::npos ? first : text->find('\n', first + 1);
  if (second == std::string::npos) return std::nullopt;
  const Result<Bytes> vector = from_base64(std::string_view(*text).substr(second + 1));
  if (!vector) return std::nullopt;
  Result<crdt::StateVector> known = crdt::StateVector::decode(*vector);
  if (!known) return std::nullopt;
  return PastEra{text->substr(0, first), text->substr(first + 1, second - first - 1), *std::move(known)};
}

crdt::StateVector BodyDoc::known_before(std::string_view key) const {
  const std::string prefix = past_key(key, {});
  crdt::StateVector known;
  for (const std::string& name : era_.keys()) {
    if (!name.starts_with(prefix)) continue;
    const std::optional<PastEra> past = past_era(key, std::string_view(name).substr(prefix.size()));
    if (!past) continue;
    for (const crdt::StateVector::Entry& entry : past->known) known.raise(entry.client, entry.clock);
  }
  return known;
}

Bytes BodyDoc::begin_era(std::string_view key, std::string_view era, PastEra past, ByteView state,
                         std::string_view head, std::string_view body) {
  const std::string ended = this->era(key);
  past.known = doc_.state_vector();
  std::vector<std::pair<std::string, std::string>> records;
  for (const std::string& name : era_.keys()) {
    if (std::optional<std::string> text = era_.get_string(name)) records.emplace_back(name, *text);
  }
  const Bytes vector = past.known.encode();
  records.emplace_back(past_key(key, ended), past.target + "\n" + past.file_id + "\n" + to_base64(vector));

  std::vector<Bytes> updates;
  crdt::StateVector brought;
  if (const Result<crdt::StateVector> vector_of_state = crdt::state_vector_of_update_v1(state))
    brought = *vector_of_state;
  updates.push_back(erase_operations(operations_between(brought, past.known)));
  if (Result<crdt::Commit> commit = doc_.apply_update_v1(state)) updates.push_back(commit->update_v1());
  crdt::Transaction txn = doc_.transact();
  for (const auto& [name, text] : records) era_.set(txn, name, crdt::Any::string(text));
  era_.set(txn, now_key(key), crdt::Any::string(std::string(kEraPrefix).append(era)));
  apply_difference(txn, head_, this->head(), head);
  apply_difference(txn, body_, this->body(), body);
  updates.push_back(std::move(txn).commit().update_v1());

  std::erase_if(updates, [](const Bytes& update) { return update.empty(); });
  const std::vector<ByteView> views(updates.begin(), updates.end());
  Result<Bytes> merged = crdt::merge_updates_v1(views);
  DX_ASSERT(merged);  // all of them were written here
  return *std::move(merged);
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

bool may_begin_era(ByteView update) { return std::ranges::search(update, as_bytes(kEraPrefix)).size() != 0; }

crdt::DeleteSet operations_between(const crdt::StateVector& before, const crdt::StateVector& after) {
  crdt::DeleteSet ids;
  for (const crdt::StateVector::Entry& entry : after) {
    const Clock start = before.get(entry.client);
    if (start < entry.clock) ids.add(entry.client, start, entry.clock - start);
  }
  return ids;
}

Bytes seed_update(std::string_view key, std::string_view head, std::string_view body) {
  if (head.empty() && body.empty()) return {};
  const ClientId client = seed_client(key, head, body);
  crdt::Doc doc({.client = client});
  crdt::Transaction txn = doc.transact(crdt::TransactionOrigin::Import);
  if (!head.empty()) DX_ASSERT(doc.text(kHeadRoot).insert(txn, Utf16Offset{0}, head));
  if (!body.empty()) DX_ASSERT(doc.text(kBodyRoot).insert(txn, Utf16Offset{0}, body));
  doc.map(kSeedRoot).set(txn, kSeedKey, crdt::Any::string(std::to_string(client.value())));
  return std::move(txn).commit().update_v1();
}

std::string seed_name(std::string_view key, std::string_view head, std::string_view body) {
  return std::to_string(seed_client(key, head, body).value());
}

}  // namespace diaryx::sync
