// An update from a stranger, converted, cut and hidden without a document. The first byte says the encoding, the second where
// to cut.
//
// 1. all functions agree on what is acceptable   2. conversion there and back again is stable   3. the part that a peer lacks and the
// part it has make the whole   4. obfuscation keeps ids, lengths and deletions   5. the snapshot of the whole contains it
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/snapshot.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

// Converting from v1 may need more structs per byte than a stranger's v2 gets.
constexpr DecodeLimits kOurs{.min_struct_limit = 0xffffffff};

Bytes must(Result<Bytes> bytes) {
  DX_ASSERT(bytes.has_value());
  return std::move(*bytes);
}

void check_v1(ByteView update, uint8_t where) {
  const UpdateMeta meta = *parse_update_meta_v1(update);
  const Bytes v2 = must(convert_v1_to_v2(update));
  const Bytes v1 = must(convert_v2_to_v1(v2, kOurs));
  DX_ASSERT(must(convert_v2_to_v1(must(convert_v1_to_v2(v1)), kOurs)) == v1);
  DX_ASSERT(parse_update_meta_v2(v2, kOurs)->clients == meta.clients);

  StateVector half;
  StateVector ends;
  for (const UpdateMeta::ClientClocks& clocks : meta.clients) {
    const uint64_t length = (clocks.to - clocks.from).value();
    half.set(clocks.client, clocks.from + Length{static_cast<uint32_t>(length * where / 256)});
    ends.raise(clocks.client, clocks.to);
  }
  const Bytes lacking = must(diff_update_v1(update, half));
  for (const UpdateMeta::ClientClocks& clocks : parse_update_meta_v1(lacking)->clients) {
    DX_ASSERT(clocks.from >= half.get(clocks.client) && clocks.to <= ends.get(clocks.client));
  }
  // A map value that is cut keeps the bit that says that it has a key, and loses it when it is read again, as in Yjs.
  const Bytes again = must(diff_update_v1(lacking, half));
  DX_ASSERT(again.size() == lacking.size() && must(diff_update_v1(again, half)) == again);
  DX_ASSERT(must(convert_v2_to_v1(must(diff_update_v2(v2, half, kOurs)), kOurs)).size() > 0);

  const Bytes hidden = must(obfuscate_update_v1(update));
  DX_ASSERT(parse_update_meta_v1(hidden)->clients == meta.clients);
  DX_ASSERT(parse_update_meta_v2(must(obfuscate_update_v2(v2, {}, kOurs)), kOurs)->clients == meta.clients);
  const UpdateSummary summary = *summarize_update_v1(update);
  DX_ASSERT(summarize_update_v1(hidden)->deletes == summary.deletes);
  DX_ASSERT(*snapshot_contains_v1({ends, summary.deletes}, update));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const bool is_v1 = data[0] % 2 == 0;
  const ByteView update{data + 2, size - 2};
  const bool valid = is_v1 ? validate_update_v1(update).has_value() : parse_update_meta_v2(update).has_value();
  DX_ASSERT((is_v1 ? convert_v1_to_v2(update) : convert_v2_to_v1(update)).has_value() == valid);
  DX_ASSERT((is_v1 ? obfuscate_update_v1(update) : obfuscate_update_v2(update)).has_value() == valid);
  DX_ASSERT((is_v1 ? diff_update_v1(update, {}) : diff_update_v2(update, {})).has_value() == valid);
  if (!valid) return 0;
  if (is_v1) {
    check_v1(update, data[1]);
  } else {
    check_v1(must(convert_v2_to_v1(update)), data[1]);
  }
  return 0;
}
