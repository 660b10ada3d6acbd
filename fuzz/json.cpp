// JSON from a stranger. What was read, printed and read again, is the same.
#include "diaryx/base/json.h"

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

using namespace diaryx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = Json::parse(as_text(ByteView{data, size}));
  if (!value) return 0;
  const std::string once = value->dump();
  const auto again = Json::parse(once);
  DX_ASSERT(again.has_value() && *again == *value);
  DX_ASSERT(again->dump() == once);
  return 0;
}
