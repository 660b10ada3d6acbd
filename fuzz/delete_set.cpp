// 1. decode; refusal is fine   2. encode   3. decode again must work and be equal   4. encode again: the same bytes
#include "diaryx/crdt/delete_set.h"

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::crdt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto set = DeleteSet::decode_v1(ByteView{data, size});
  if (!set) return 0;
  const Bytes once = set->encode_v1();
  const auto again = DeleteSet::decode_v1(once);
  DX_ASSERT(again.has_value() && *again == *set && again->covers(*set) && set->covers(*again));
  DX_ASSERT(again->encode_v1() == once);
  return 0;
}
