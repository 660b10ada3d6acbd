// Vectors 09: sync and auth messages, y-websocket frames, and a session of awareness.
#include <algorithm>
#include <map>

#include "diaryx/crdt/websocket_frame.h"
#include "vectors.h"

namespace diaryx::crdt {
namespace {

std::map<std::string, Any> vectors_by_name() {
  std::map<std::string, Any> result;
  for (const Any& vector : read_vectors("09-protocols.jsonl")) result[text_of(member(vector, "name"))] = vector;
  return result;
}

Bytes hex_of(const Any& vector, std::string_view key) {
  return from_hex(text_of(member(vector, key))).value_or(Bytes{});
}

/// The document whose state all sync vectors are about.
Doc doc_of(const Any& vector) {
  Doc doc({.client = ClientId{99}});
  EXPECT_TRUE(doc.apply_update_v1(bytes_of(member(vector, "doc"))).has_value());
  return doc;
}

TEST(Vectors, SyncMessagesAreThoseOfYjs) {
  auto vectors = vectors_by_name();
  Doc doc = doc_of(vectors["syncStep1"]);
  EXPECT_EQ(sync_step1(doc), hex_of(vectors["syncStep1"], "hex"));
  for (const char* name : {"syncStep2-empty-sv", "syncStep2-same-sv"}) {
    const auto known = StateVector::decode(hex_of(vectors[name], "remoteSv"));
    ASSERT_TRUE(known.has_value());
    EXPECT_EQ(sync_step2(doc, *known), hex_of(vectors[name], "hex"));
  }
  EXPECT_EQ(sync_update(bytes_of(member(vectors["update"], "update"))), hex_of(vectors["update"], "hex"));

  const Bytes request = hex_of(vectors["reply-to-step1"], "request");
  const auto message = SyncMessage::decode(request);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->encode(), request);
  const auto answer = handle_sync(doc, *message);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->reply, hex_of(vectors["reply-to-step1"], "hex"));
  EXPECT_FALSE(answer->commit.changed());

  Doc empty({.client = ClientId{98}});
  for (const char* name : {"syncStep2-empty-sv", "update"}) {
    const auto applied = handle_sync(empty, *SyncMessage::decode(hex_of(vectors[name], "hex")));
    ASSERT_TRUE(applied.has_value());
    EXPECT_TRUE(applied->reply.empty());
  }
  EXPECT_EQ(empty.encode_update_v1(), doc.encode_update_v1());
}

TEST(Vectors, AuthMessagesAreThoseOfYjs) {
  const Bytes bytes = hex_of(vectors_by_name()["auth-denied"], "hex");
  const auto message = AuthMessage::decode(bytes);
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->kind, AuthMessage::Kind::Denied);
  EXPECT_EQ(message->reason, "no access");
  EXPECT_EQ(message->encode(), bytes);
}

TEST(Vectors, WebSocketFramesAreThoseOfYjs) {
  auto vectors = vectors_by_name();
  Doc doc = doc_of(vectors["syncStep1"]);
  EXPECT_EQ(frame_of_sync(sync_step1(doc)), hex_of(vectors["ws-sync-step1"], "hex"));
  EXPECT_EQ((WebSocketFrame{AuthMessage{AuthMessage::Kind::Denied, "no"}}.encode()), hex_of(vectors["ws-auth"], "hex"));
  EXPECT_EQ(WebSocketFrame{WebSocketFrame::QueryAwareness{}}.encode(), hex_of(vectors["ws-query-awareness"], "hex"));
  for (const char* name : {"ws-sync-step1", "ws-update", "ws-auth", "ws-query-awareness"}) {
    const Bytes bytes = hex_of(vectors[name], "hex");
    const auto frame = WebSocketFrame::decode(bytes);
    ASSERT_TRUE(frame.has_value()) << name;
    EXPECT_EQ(frame->encode(), bytes) << name;
  }
  Doc other({.client = ClientId{98}});
  Awareness here(ClientId{98}, TimestampMs{0});
  const auto answer = handle_frame(other, here, hex_of(vectors["ws-update"], "hex"), TimestampMs{0});
  ASSERT_TRUE(answer.has_value());
  EXPECT_TRUE(answer->commit.changed());
  EXPECT_EQ(other.encode_update_v1(), doc.encode_update_v1());
}

std::vector<ClientId> clients_of(const Any& list) {
  std::vector<ClientId> result;
  for (const Any& one : elements(list)) result.push_back(ClientId{static_cast<uint64_t>(number_of(one))});
  return result;
}

void check_session(Awareness& observer, const Any& log) {
  for (const Any& step : elements(log)) {
    SCOPED_TRACE(text_of(member(step, "name")));
    if (step.find("hex") != nullptr) {
      const auto change = observer.apply_update(hex_of(step, "hex"), TimestampMs{1});
      ASSERT_TRUE(change.has_value());
      std::vector<std::string> emitted;
      if (change->visible()) emitted.emplace_back("change");
      if (change->any()) emitted.emplace_back("update");
      const Any::Array& events = elements(member(step, "events"));
      ASSERT_EQ(emitted.size(), events.size());
      for (size_t i = 0; i < events.size(); ++i) {
        EXPECT_EQ(text_of(member(events[i], "event")), emitted[i]);
        EXPECT_EQ(clients_of(member(events[i], "added")), change->added);
        EXPECT_EQ(clients_of(member(events[i], "removed")), change->removed);
        EXPECT_EQ(clients_of(member(events[i], "updated")), emitted[i] == "change" ? change->changed : change->updated);
      }
    }
    Any::Array states;
    std::vector<ClientId> here = observer.clients();
    std::sort(here.begin(), here.end());  // as the file has them
    for (const ClientId client : here) {
      states.push_back(Any::array({Any::number(static_cast<double>(client.value())), *observer.state(client)}));
    }
    EXPECT_EQ(Any::array(states).to_json(), member(step, "states").to_json());
    size_t known = 0;
    for (uint64_t client = 0; client < 200; ++client) known += observer.clock(ClientId{client}).has_value() ? 1 : 0;
    const Any::Array& clocks = elements(member(step, "clocks"));
    EXPECT_EQ(known, clocks.size());
    for (const Any& entry : clocks) {
      const ClientId client{static_cast<uint64_t>(number_of(elements(entry)[0]))};
      EXPECT_EQ(static_cast<double>(observer.clock(client).value_or(~uint64_t{0})), number_of(elements(entry)[1]));
    }
  }
}

TEST(Vectors, AwarenessSessionGoesAsInYjs) {
  auto vectors = vectors_by_name();
  const Any& session = vectors["awareness-session"];
  Awareness observer(ClientId{static_cast<uint64_t>(number_of(member(session, "observer")))}, TimestampMs{0});
  check_session(observer, member(session, "log"));
  EXPECT_EQ(observer.clients(), clients_of(member(vectors["awareness-encode-all"], "clients")));
  EXPECT_EQ(observer.encode_all(), hex_of(vectors["awareness-encode-all"], "hex"));
}

TEST(Vectors, AwarenessUpdatesCanBeModified) {
  auto vectors = vectors_by_name();
  auto entries = decode_awareness(hex_of(vectors["awareness-modify"], "input"));
  ASSERT_TRUE(entries.has_value());
  for (AwarenessEntry& entry : *entries) {
    Any::Object state = *entry.state.as_object();
    state.push_back({"checked", Any::boolean(true)});
    entry.state = Any::object(std::move(state));
  }
  EXPECT_EQ(encode_awareness(*entries), hex_of(vectors["awareness-modify"], "output"));
}

}  // namespace
}  // namespace diaryx::crdt
