// JSON from a stranger. What was printed, read and printed again, is the same text. (The values need not be equal: as in
// JavaScript, 1e999 is read as infinity and printed as null.)
#include "diaryx/base/json.h"

#include "diaryx/base/bytes.h"
#include "diaryx/base/result.h"

using namespace diaryx;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto value = Json::parse(as_text(ByteView{data, size}));
  if (!value) return 0;
  const std::string once = value->dump();
  const auto again = Json::parse(once);
  DX_ASSERT(again.has_value());
  DX_ASSERT(again->dump() == once);
  return 0;
}
