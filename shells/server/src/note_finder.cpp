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

/// `note` in `workspace`; `otherwise` if no document has such a name.
EditorNote placed(const EditorNote& otherwise, const std::string& workspace, relay::OpenNote note) {
  const auto document = sync::body_doc_id(workspace, note.document);
  return document ? EditorNote{document->str(), workspace, std::move(note)} : otherwise;
}

}  // namespace

awaitable<EditorNote> find_note(Services& services, AccessKey key, std::string by_path, Bytes message) {
  const EditorNote named_so{.document = by_path};
  const auto named = sync::parse_doc_id(by_path);
  if (!named || named->kind != sync::DocKind::Body) co_return named_so;
  const std::string workspace(named->workspace);
  if (!co_await may_open(services, key, workspace)) co_return named_so;
  const DocId list_id = *sync::workspace_doc_id(workspace);
  crdt::Doc* list = co_await live_document(services, list_id);
  if (list == nullptr) co_return named_so;
  const EditorNote listed = placed(named_so, workspace, relay::note_at(*list, named->key));
  const crdt::StateVector held = held_by(message);
  if (listed.document == by_path || held.empty()) co_return listed;
  const crdt::Doc* const here = co_await live_document(services, DocId(listed.document));
  if (here == nullptr || shares_writers(held, *here)) co_return listed;
  const crdt::Doc* const earlier = co_await live_document(services, DocId(by_path));
  if (earlier == nullptr || !shares_writers(held, *earlier)) co_return listed;
  const Bytes text = earlier->encode_update_v1();
  list = co_await live_document(services, list_id);
  if (list == nullptr) co_return named_so;
  const std::string path(named->key);
  co_return placed(named_so, workspace, relay::followed(*list, relay::owned({path, path}, text)));
}

awaitable<EditorNote> follow_note(Services& services, EditorNote note) {
  if (note.workspace.empty()) co_return note;
  const DocId list_id = *sync::workspace_doc_id(note.workspace);
  crdt::Doc* list = co_await live_document(services, list_id);
  if (list == nullptr) co_return note;
  EditorNote now = placed(note, note.workspace, relay::followed(*list, note.note));
  if (now.document == note.document) co_return now;

  auto text = co_await live_state(services, DocId(note.document));
  if (!text) co_return note;
  list = co_await live_document(services, list_id);
  if (list == nullptr) co_return note;
  now = placed(note, note.workspace, relay::followed(*list, relay::owned(note.note, *text)));
  if (now.document == note.document) co_return now;
  const auto there = co_await live_state(services, DocId(now.document));
  if (!there || !relay::may_be_of(now.note, *there)) co_return note;
  // Both have the same operations. The editor tells its own as well, but it may be gone before it has.
  sync::ServerEdit carried;
  carried.document = DocId(now.document);
  carried.update = std::move(*text);
  co_return co_await edit_document(services, std::move(carried)) ? now : note;
}

}  // namespace diaryx::server
