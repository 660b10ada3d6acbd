// WebSocket frames of a client that may be a stranger.
//
// 1. the stream in one piece and cut at places that the input chooses says the same   2. no message is beyond the limit of its kind, text is valid
// UTF-8, and a control frame is short   3. a close body that we write can be read
#include <string>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/base/utf.h"
#include "websocket_frames.h"

using namespace diaryx;
using namespace diaryx::server;

namespace {

constexpr MessageLimits kLimits{.binary_bytes = 300, .text_bytes = 200};

struct Said {
  std::vector<std::pair<Opcode, Bytes>> messages;
  int fault = 0;
  bool operator==(const Said&) const = default;
};

/// piece   0: all at once.
Said read(ByteView stream, size_t piece, bool keep) {
  Said said;
  FrameReader reader(kLimits);
  for (size_t at = 0; at < stream.size() || at == 0;) {
    const size_t take = piece == 0 ? stream.size() : std::min(piece, stream.size() - at);
    Bytes fed = to_bytes(stream.subspan(at, take));
    at += std::max<size_t>(take, 1);
    reader.feed(fed);
    while (true) {
      const auto next = reader.next();
      if (!next) {
        said.fault = static_cast<int>(next.error());
        DX_ASSERT(reader.next().has_value());  // and says nothing more
        return said;
      }
      if (!*next) break;
      const WebSocketMessage& message = **next;
      DX_ASSERT(message.opcode != Opcode::Continuation && message.bytes.size() <= kLimits.binary_bytes);
      if (message.opcode == Opcode::Text) DX_ASSERT(message.bytes.size() <= kLimits.text_bytes);
      if (static_cast<uint8_t>(message.opcode) >= 8) DX_ASSERT(message.bytes.size() <= 125);
      if (message.opcode == Opcode::Text) DX_ASSERT(is_valid_utf8(as_text(message.bytes)));
      if (message.opcode == Opcode::Close) {
        const uint16_t code = close_code_of(message.bytes);
        DX_ASSERT(code >= 1000 && code < 5000);
        if (code != 1005) DX_ASSERT(close_code_of(close_body(code, "bye")) == code);
      }
      said.messages.emplace_back(message.opcode, to_bytes(message.bytes));
      if (keep) {
        reader.keep_rest();
        std::fill(fed.begin(), fed.end(), uint8_t{0xaa});
      }
    }
  }
  return said;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView stream(data + 1, size - 1);
  const Said whole = read(stream, 0, false);
  DX_ASSERT(read(stream, 1 + data[0] % 64, (data[0] & 0x40) != 0) == whole);
  DX_ASSERT(read(stream, 0, true) == whole);
  if (const auto answer = websocket_accept(as_text(stream))) DX_ASSERT(answer->size() == 28 && stream.size() == 24);
  return 0;
}
