// A lib0 value and a JSON text from a stranger.
//
// 1. decode; refusal is fine   2. encode, decode again: equal, and the same bytes   3. as JSON it can be parsed again (numbers of bigints
// become doubles), and prints the same from then on
#include "diaryx/crdt/any.h"

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

Result<Any> decode(ByteView bytes) {
  Reader in(bytes);
  return Any::decode(in);
}

void check(const Any& value) {
  const Bytes once = value.encode();
  const auto again = decode(once);
  DX_ASSERT(again.has_value() && *again == value && again->encode() == once);
  const std::string json = value.to_json();
  const auto parsed = Any::from_json(json);
  if (!parsed) {
    DX_ASSERT(json == "undefined");  // the one value that JSON has no text for
    return;
  }
  const std::string settled = parsed->to_json();
  DX_ASSERT(Any::from_json(settled)->to_json() == settled);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const ByteView bytes{data, size};
  if (const auto value = decode(bytes)) check(*value);
  if (const auto value = Any::from_json(as_text(bytes))) check(*value);
  return 0;
}
