#include "diaryx/testing/editor.h"

#include <algorithm>

#include "diaryx/base/utf.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"

namespace diaryx::testing {

namespace relay = sync::relay;

namespace {

constexpr const char* kWorkspace = "ws1";

DocId body(const std::string& key) { return *sync::body_doc_id(kWorkspace, key); }

bool shares_writers(const crdt::StateVector& held, const crdt::Doc& doc) {
  const crdt::StateVector known = doc.state_vector();
  return std::any_of(held.begin(), held.end(), [&](const auto& one) { return known.get(one.client) != Clock{0}; });
}

Bytes as_payload(const sync::Message& message) {
  Writer out;
  sync::write_message(out, message);
  return out.take();
}

}  // namespace

Editor::Editor(FakeServer& server, uint64_t seed)
    : server_(server), random_(seed), doc_({.client = ClientId{random_.next() & 0xffff'ffffu}}) {}

std::string Editor::text() { return doc_.text("body").to_string(); }

void Editor::insert(Utf8Offset at, std::string_view line) {
  crdt::Text body = doc_.text("body");
  const Utf16Offset place = to_utf16(body.to_string(), at);
  crdt::Transaction txn = doc_.transact();
  const bool inserted = body.insert(txn, place, line).has_value();
  DX_ASSERT(inserted);
  const Bytes update = std::move(txn).commit().update_v1();
  if (connection_) send(sync::Update{update});
}

void Editor::send(const sync::Message& message) { to_server_.push_back(as_payload(message)); }

void Editor::take(ByteView payload) {
  const auto messages = sync::parse_messages(payload);
  DX_ASSERT(messages.has_value());
  for (const sync::Message& message : *messages) {
    if (const auto* step1 = std::get_if<sync::SyncStep1>(&message)) {
      const Bytes lacking = doc_.encode_update_v1(*crdt::StateVector::decode(step1->state_vector));
      send(sync::SyncStep2{lacking});
    }
    const auto* const step2 = std::get_if<sync::SyncStep2>(&message);
    const auto* const update = std::get_if<sync::Update>(&message);
    if (step2 == nullptr && update == nullptr) continue;
    const bool read = doc_.apply_update_v1(step2 != nullptr ? step2->update : update->update).has_value();
    DX_ASSERT(read);
  }
}

void Editor::step(TimestampMs now) {
  if (!is_open()) return;
  if (!connection_ && random_.chance(0.2)) {
    connection_ = server_.connect("editor", now, relay::Handshake::Editor);
    const Bytes known = doc_.state_vector().encode();
    send(sync::SyncStep1{known});
  }
  if (connection_ && note_ && list_seen_ != server_.list_changes() && random_.chance(0.7)) follow(now);
  while (connection_ && !to_server_.empty() && random_.chance(0.6)) {
    const Bytes payload = std::move(to_server_.front());
    to_server_.pop_front();
    hear(payload, now);
  }
  while (!to_editor_.empty() && random_.chance(0.6)) {
    const Bytes payload = std::move(to_editor_.front());
    to_editor_.pop_front();
    take(payload);
  }
}

void Editor::told(std::string_view frame) {
  const auto decoded = sync::decode_frame(as_bytes(frame));
  DX_ASSERT(decoded.has_value());
  to_editor_.push_back(to_bytes(decoded->payload));
}

void Editor::lost() {
  connection_.reset();
  note_.reset();
  to_server_.clear();
  to_editor_.clear();
}

void Editor::disconnect(TimestampMs now) {
  if (!connection_) return;
  const relay::ConnectionId connection = *connection_;
  lost();
  server_.disconnect(connection, now);
}

bool Editor::quiet() const {
  if (!is_open()) return true;
  return connection_ && note_ && list_seen_ == server_.list_changes() && to_server_.empty() && to_editor_.empty();
}

// --- the session ------------------------------------------------------------------------------------------------

crdt::Doc& Editor::list(TimestampMs now) {
  list_seen_ = server_.list_changes();
  return server_.live(*sync::workspace_doc_id(kWorkspace), now);
}

void Editor::hear(ByteView payload, TimestampMs now) {
  if (!note_) find(payload, now);
  to_relay(payload, now);
}

void Editor::find(ByteView payload, TimestampMs now) {
  note_ = relay::note_at(list(now), path_);
  const auto messages = sync::parse_messages(payload);
  const auto held = crdt::StateVector::decode(std::get<sync::SyncStep1>(messages->front()).state_vector);
  if (note_->document == path_ || held->empty() || shares_writers(*held, server_.live(body(note_->document), now)))
    return;
  crdt::Doc& earlier = server_.live(body(path_), now);
  if (!shares_writers(*held, earlier)) return;
  const Bytes text = earlier.encode_update_v1();
  note_ = relay::followed(list(now), relay::owned({path_, path_}, text));
}

void Editor::follow(TimestampMs now) {
  relay::OpenNote next = relay::followed(list(now), *note_);
  if (next.document != note_->document) {
    const Bytes text = server_.live(body(note_->document), now).encode_update_v1();
    next = relay::followed(list(now), relay::owned(*note_, text));
    if (next.document != note_->document) return move_on(std::move(next), text, now);
  }
  note_ = std::move(next);
}

void Editor::move_on(relay::OpenNote next, const Bytes& text, TimestampMs now) {
  if (!relay::may_be_of(next, server_.live(body(next.document), now).encode_update_v1())) return;
  sync::ServerEdit carried;
  carried.document = body(next.document);
  carried.update = text;
  server_.edit(std::move(carried), now);
  server_.receive(*connection_, true, sync::format_control(sync::Leave{body(note_->document).str()}), now);
  note_ = std::move(next);
  const Bytes nothing(1, 0);
  to_relay(as_payload(sync::SyncStep1{nothing}), now);
}

void Editor::to_relay(ByteView payload, TimestampMs now) {
  const auto frame = sync::encode_frame(body(note_->document).view(), payload);
  DX_ASSERT(frame.has_value());
  server_.receive(*connection_, false, std::string(as_text(*frame)), now);
}

}  // namespace diaryx::testing
