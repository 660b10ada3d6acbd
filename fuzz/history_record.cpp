// 1. decode; refusal is fine   2. encode   3. decode again gives the same   4. encode again gives the same bytes
// The check of eight bytes is put right first, so that what it protects is searched too.
#include <algorithm>

#include "diaryx/base/sha256.h"
#include "diaryx/sync/history_record.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace diaryx;
  using namespace diaryx::sync;
  (void)decode_history_block({data, size});

  Bytes block(data, data + size);
  const Sha256 digest = sha256(ByteView(block));
  block.insert(block.end(), digest.bytes.begin(), digest.bytes.begin() + 8);
  const auto records = decode_history_block(block);
  if (!records) return 0;
  const auto once = encode_history_block(*records);
  DX_ASSERT(once);
  const auto again = decode_history_block(*once);
  DX_ASSERT(again && *again == *records);
  DX_ASSERT(*encode_history_block(*again) == *once);
  return 0;
}
