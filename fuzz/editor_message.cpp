// A message of a Hocuspocus client, which is a stranger until it has signed in.
//
// 1. hear it; nonsense is fine   2. the note that it is for has a body document's name by its path; once that is located, the
// same message is a frame that names the document where it is and holds the rest of the message   3. what cannot be read is the one
// byte that the relay refuses and counts   4. what the relay says back about that document is told under the note's name, and each update
// is answered once
#include <algorithm>
#include <string>

#include "diaryx/base/result.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "editor_wire.h"

using namespace diaryx;
using namespace diaryx::server;

namespace {

size_t updates_in(ByteView payload) {
  const auto messages = sync::parse_messages(payload);
  if (!messages) return 0;
  return static_cast<size_t>(std::ranges::count_if(*messages, [](const sync::Message& one) {
    return std::holds_alternative<sync::SyncStep2>(one) || std::holds_alternative<sync::Update>(one);
  }));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  for (const bool elsewhere : {false, true}) {
    const auto wire = make_hocuspocus_wire();
    const auto heard = wire->hear({data, size});
    for (const auto& one : heard) {
      if (const auto* to_relay = std::get_if<ToRelay>(&one)) DX_ASSERT(to_relay->frame == Bytes(1, 0xff));
      const auto* to_find = std::get_if<ToFind>(&one);
      if (to_find == nullptr) continue;
      DX_ASSERT(to_find->by_path.starts_with("body:") && to_find->payload.size() < size);
      wire->located(to_find->by_path, {.document = elsewhere ? "body:w/~id" : to_find->by_path}, to_find->payload);
      const auto again = wire->hear({data, size});
      DX_ASSERT(again.size() == 1);
      const Bytes& frame = std::get<ToRelay>(again[0]).frame;
      const auto decoded = sync::decode_frame(frame);
      DX_ASSERT(decoded && decoded->doc_id == (elsewhere ? "body:w/~id" : to_find->by_path));
      DX_ASSERT(std::equal(decoded->payload.begin(), decoded->payload.end(), to_find->payload.begin()));
      const auto back = wire->tell(std::make_shared<const Bytes>(frame));
      DX_ASSERT(back.size() == 1 && back[0].bytes->size() <= size + 2);
      const std::string name = to_find->by_path.substr(5);
      DX_ASSERT(as_text(ByteView(*back[0].bytes)).find(name) != std::string_view::npos);
      // It was heard twice, and each update in it has its receipt.
      const auto receipts = wire->tell(sync::format_control(sync::Saved{std::string(decoded->doc_id), UINT32_MAX}));
      DX_ASSERT(receipts.size() == 2 * updates_in(to_find->payload));
      DX_ASSERT(wire->tell(sync::format_control(sync::Saved{std::string(decoded->doc_id), UINT32_MAX})).empty());
    }
  }
  return 0;
}
