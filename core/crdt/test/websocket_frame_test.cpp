#include "diaryx/crdt/websocket_frame.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"

namespace diaryx::crdt {
namespace {

constexpr TimestampMs kNow{1000};

struct Peer {
  explicit Peer(uint64_t client) : doc({.client = ClientId{client}}), here(ClientId{client}, kNow) {}

  FrameAnswer receive(const Bytes& frame) {
    auto answer = handle_frame(doc, here, frame, kNow);
    EXPECT_TRUE(answer.has_value());
    return answer ? std::move(*answer) : FrameAnswer{};
  }
  void type(std::string_view text) {
    Transaction txn = doc.transact();
    EXPECT_TRUE(doc.text("t").insert(txn, Utf16Offset{0}, text).has_value());
  }

  Doc doc;
  Awareness here;
};

TEST(WebSocketFrame, CarriesAWholeFirstConversation) {
  Peer client(1);
  Peer server(2);
  client.type("client ");
  server.type("server ");
  (void)client.here.set_local_field("name", Any::string("ann"), kNow);

  // The client opens; the server answers and asks in turn.
  client.receive(server.receive(frame_of_sync(sync_step1(client.doc))).reply);
  server.receive(client.receive(frame_of_sync(sync_step1(server.doc))).reply);
  EXPECT_EQ(client.doc.encode_update_v1(), server.doc.encode_update_v1());

  const FrameAnswer seen = server.receive(frame_of_awareness(client.here.encode_all()));
  EXPECT_EQ(seen.awareness.added, std::vector<ClientId>{ClientId{1}});
  EXPECT_TRUE(seen.reply.empty());

  const FrameAnswer everybody = server.receive(WebSocketFrame{WebSocketFrame::QueryAwareness{}}.encode());
  EXPECT_EQ(everybody.reply, frame_of_awareness(server.here.encode_all()));

  const FrameAnswer denied = client.receive(WebSocketFrame{AuthMessage{AuthMessage::Kind::Denied, "no"}}.encode());
  EXPECT_EQ(denied.denied, "no");
}

TEST(WebSocketFrame, OfAnUnknownTypeIsIgnored) {
  Peer peer(1);
  const FrameAnswer answer = peer.receive(*from_hex("2a0102ff"));
  EXPECT_TRUE(answer.reply.empty());
  EXPECT_FALSE(answer.commit.changed() || answer.awareness.any() || answer.denied.has_value());
}

struct FrameCase {
  const char* name;
  const char* hex;
  ErrorCode error;
};
class WebSocketFrameBytes : public testing::TestWithParam<FrameCase> {};

TEST_P(WebSocketFrameBytes, AreRefusedWithoutATrace) {
  Peer peer(1);
  peer.type("text");
  const Bytes before = peer.doc.encode_update_v1();
  const Bytes here = peer.here.encode_all();
  const auto answer = handle_frame(peer.doc, peer.here, *from_hex(GetParam().hex), kNow);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, GetParam().error);
  EXPECT_EQ(peer.doc.encode_update_v1(), before);
  EXPECT_EQ(peer.here.encode_all(), here);
}

INSTANTIATE_TEST_SUITE_P(Cases, WebSocketFrameBytes,
                         testing::Values(FrameCase{"empty", "", ErrorCode::Truncated},
                                         FrameCase{"sync_of_unknown_kind", "0009", ErrorCode::UnknownTag},
                                         FrameCase{"update_is_cut", "000201ff", ErrorCode::Truncated},
                                         FrameCase{"awareness_is_cut", "010501", ErrorCode::Truncated},
                                         FrameCase{"awareness_announces_too_much", "0102ff01", ErrorCode::Truncated},
                                         FrameCase{"auth_of_unknown_kind", "0205", ErrorCode::UnknownTag},
                                         FrameCase{"query_with_something_behind", "0300", ErrorCode::TrailingBytes}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace diaryx::crdt
