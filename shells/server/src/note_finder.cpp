#include "note_finder.h"

#include <algorithm>

#include "ask.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/native/random.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "workspace_edits.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;

awaitable<bool> may_open(Services& services, const AccessKey& key, const std::string& workspace) {
  if (!native::is_uuid(workspace)) co_return false;
  if (key.kind == AccessKey::Kind::Share) {
    const auto share =
        co_await ask<Share>([&](auto reply) { services.storage.access.find_share(key.hash, std::move(reply)); });
    co_return share && share->workspace == workspace;
  }
  const auto session = co_await ask<Session>(
      [&](auto reply) { services.storage.accounts.find_session(key.hash, now(), std::move(reply)); });
  if (!session) co_return false;
  const auto found = co_await ask<Workspace>(
      [&](auto reply) { services.storage.workspaces.find(session->user_id, workspace, std::move(reply)); });
  co_return found.has_value();
}

/// What the sender of a SyncStep1 has; empty for any other message.
crdt::StateVector held_by(ByteView message) {
  const auto messages = sync::parse_messages(message);
  if (!messages || messages->empty()) return {};
  const auto* const step1 = std::get_if<sync::SyncStep1>(&messages->front());
  if (step1 == nullptr) return {};
  return crdt::StateVector::decode(step1->state_vector).value_or(crdt::StateVector());
}

/// True if any writer in `held` is one of the document's.
bool shares_writers(const crdt::StateVector& held, const crdt::Doc& doc) {
  const crdt::StateVector known = doc.state_vector();
  return std::any_of(held.begin(), held.end(), [&](const auto& one) { return known.get(one.client) != Clock{0}; });
}

}  // namespace

awaitable<std::string> find_note(Services& services, AccessKey key, std::string by_path, Bytes message) {
  const auto named = sync::parse_doc_id(by_path);
  if (!named || named->kind != sync::DocKind::Body) co_return by_path;
  const std::string workspace(named->workspace);
  if (!co_await may_open(services, key, workspace)) co_return by_path;
  crdt::Doc* const list = co_await live_document(services, *sync::workspace_doc_id(workspace));
  if (list == nullptr) co_return by_path;
  const auto document = sync::body_doc_id(workspace, relay::document_of(*list, named->key));
  if (!document || document->view() == by_path) co_return by_path;
  const crdt::StateVector held = held_by(message);
  if (held.empty()) co_return document->str();
  const crdt::Doc* const here = co_await live_document(services, *document);
  if (here == nullptr || shares_writers(held, *here)) co_return document->str();
  const crdt::Doc* const earlier = co_await live_document(services, DocId(by_path));
  co_return earlier != nullptr&& shares_writers(held, *earlier) ? by_path : document->str();
}

}  // namespace diaryx::server
