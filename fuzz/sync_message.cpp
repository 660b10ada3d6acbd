// What comes over a connection: a sync message, an auth message, or a y-websocket frame around one of them.
//
// 1. decode; refusal is fine   2. encode, decode again: the same bytes   3. a refused one changes neither the document nor who is here
// 4. a reply can be read by the peer   5. the same message bare and in a frame does the same
#include "diaryx/crdt/sync_message.h"

#include "diaryx/base/result.h"
#include "diaryx/crdt/websocket_frame.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

constexpr TimestampMs kNow{1'000'000};

struct Peer {
  Doc doc{{.client = ClientId{1}}};
  Awareness here{ClientId{1}, kNow};
  Peer() {
    Transaction txn = doc.transact();
    DX_ASSERT(doc.text("t").insert(txn, Utf16Offset{0}, "hello").has_value());
  }
  Bytes state() const {
    Bytes all = doc.encode_update_v1();
    const Bytes who = here.encode_all();
    all.insert(all.end(), who.begin(), who.end());
    return all;
  }
};

void check_frame(ByteView bytes) {
  Peer peer;
  const Bytes before = peer.state();
  const auto answer = handle_frame(peer.doc, peer.here, bytes, kNow);
  peer.doc.check_invariants();
  const auto frame = WebSocketFrame::decode(bytes);
  if (!answer) {
    DX_ASSERT(peer.state() == before);
  } else {
    DX_ASSERT(frame.has_value());
    if (!answer->reply.empty()) {
      Peer other;
      DX_ASSERT(handle_frame(other.doc, other.here, answer->reply, kNow).has_value());
    }
  }
  if (frame) {
    const Bytes once = frame->encode();
    DX_ASSERT(WebSocketFrame::decode(once)->encode() == once);
  }
}

void check_sync(ByteView bytes) {
  const auto message = SyncMessage::decode(bytes);
  if (!message) return;
  DX_ASSERT(SyncMessage::decode(message->encode())->encode() == message->encode());
  Peer bare;
  Peer framed;
  const auto answer = handle_sync(bare.doc, *message);
  const auto same = handle_frame(framed.doc, framed.here, frame_of_sync(message->encode()), kNow);
  DX_ASSERT(answer.has_value() == same.has_value() && bare.state() == framed.state());
  if (answer && !answer->reply.empty()) DX_ASSERT(same->reply == frame_of_sync(answer->reply));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes{data, size};
  check_frame(bytes);
  check_sync(bytes);
  if (const auto auth = AuthMessage::decode(bytes)) {
    DX_ASSERT(AuthMessage::decode(auth->encode())->kind == auth->kind);
  }
  return 0;
}
