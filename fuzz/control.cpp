// A text frame from a stranger. What was understood, written and read again, is the same.
#include "diaryx/sync/control.h"

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::sync;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto message = parse_control(as_text(ByteView{data, size}));
  if (!message) return 0;
  const std::string once = format_control(*message);
  const auto again = parse_control(once);
  DX_ASSERT(again.has_value());
  DX_ASSERT(format_control(*again) == once);
  return 0;
}
