// 1. decode; refusal is fine   2. encode   3. decode again must work and be equal   4. encode again: the same bytes
#include "diaryx/crdt/state_vector.h"

#include "diaryx/base/result.h"

using namespace diaryx;
using namespace diaryx::crdt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto vector = StateVector::decode(ByteView{data, size});
  if (!vector) return 0;
  const Bytes once = vector->encode();
  const auto again = StateVector::decode(once);
  DX_ASSERT(again.has_value() && *again == *vector && again->covers(*vector));
  DX_ASSERT(again->encode() == once);
  return 0;
}
