// A binary frame from a stranger.
//
// 1. decode the frame, then its messages; refusal is fine   2. messages written one by one and read again are as many
// 3. a frame made of the same id and payload is the same bytes
#include "diaryx/sync/frame.h"

#include <algorithm>

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto frame = decode_frame(ByteView{data, size});
  if (!frame) return 0;
  if (const auto same = encode_frame(frame->doc_id, frame->payload))
    DX_ASSERT(std::ranges::equal(*same, ByteView{data, size}));
  const auto messages = parse_messages(frame->payload);
  if (!messages) return 0;
  Writer out;
  for (const Message& message : *messages) {
    write_message(out, message);
    if (const auto* presence = std::get_if<Awareness>(&message)) (void)parse_awareness(presence->update);
  }
  const auto again = parse_messages(out.view());
  DX_ASSERT(again.has_value() && again->size() == messages->size());
  return 0;
}
