// A message of a Hocuspocus client, which is a stranger until it has signed in.
//
// 1. hear it; nonsense is fine   2. a frame it became names a body document and holds the rest of the message, or is the one
// byte that the relay refuses and counts   3. what the relay says back about that document can be told
#include <string>

#include "diaryx/base/result.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "editor_wire.h"

using namespace diaryx;
using namespace diaryx::server;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto wire = make_hocuspocus_wire();
  for (const auto& one : wire->hear({data, size})) {
    const auto* to_relay = std::get_if<ToRelay>(&one);
    if (to_relay == nullptr) continue;
    const auto frame = sync::decode_frame(to_relay->frame);
    if (!frame) {
      DX_ASSERT(to_relay->frame == Bytes(1, 0xff));
      continue;
    }
    DX_ASSERT(frame->doc_id.starts_with("body:"));
    DX_ASSERT(frame->payload.size() < size);
    const auto back = wire->tell(std::make_shared<const Bytes>(to_relay->frame));
    DX_ASSERT(back.size() == 1 && back[0].bytes->size() <= size + 2);
    const std::string document(frame->doc_id);
    DX_ASSERT(wire->tell(sync::format_control(sync::Saved{document, 2})).size() == 2);
  }
  return 0;
}
