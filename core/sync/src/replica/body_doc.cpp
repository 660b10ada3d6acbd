#include "replica/body_doc.h"

#include <array>

#include "diaryx/base/sha256.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kHeadRoot = "head";
constexpr std::string_view kBodyRoot = "body";
constexpr std::string_view kSeedRoot = "seed";
constexpr std::string_view kSeedKey = "client";

void apply_difference(crdt::Transaction& txn, crdt::Text& text, std::string_view before, std::string_view after) {
  const std::vector<TextEdit> edits = diff_text(before, after);
  // From the last to the first, so that earlier positions stay true.
  for (auto edit = edits.rbegin(); edit != edits.rend(); ++edit) {
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

Bytes BodyDoc::set_text(std::string_view head, std::string_view body) {
  const std::string old_head = this->head();
  const std::string old_body = this->body();
  if (old_head == head && old_body == body) return {};
  crdt::Transaction txn = doc_.transact();
  apply_difference(txn, head_, old_head, head);
  apply_difference(txn, body_, old_body, body);
  return std::move(txn).commit().update_v1();
}

std::string BodyDoc::seed_name() const { return seed_.get_string(kSeedKey).value_or(std::string()); }

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
