// Two updates from strangers, merged and diffed without a document. The first byte says where the second one begins.
//
// 1. merging succeeds exactly when both are valid   2. applying the merge equals applying each   3. nothing that a diff
// against the merge's own state vector leaves is news
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

namespace {

Bytes state_after(std::initializer_list<ByteView> updates) {
  Doc doc{{.client = ClientId{1}}};
  for (const ByteView update : updates) DX_ASSERT(doc.apply_update_v1(update).has_value());
  doc.check_invariants();
  return doc.encode_update_v1();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView rest{data + 1, size - 1};
  const size_t cut = rest.empty() ? 0 : data[0] * rest.size() / 256;
  const ByteView parts[] = {rest.first(cut), rest.subspan(cut)};
  const bool valid = validate_update_v1(parts[0]).has_value() && validate_update_v1(parts[1]).has_value();
  const auto merged = merge_updates_v1(parts);
  DX_ASSERT(merged.has_value() == valid);
  if (!merged) return 0;
  DX_ASSERT(state_after({*merged}) == state_after({parts[0], parts[1]}));

  const auto known = state_vector_of_update_v1(*merged);
  DX_ASSERT(known.has_value());
  const auto news = diff_update_v1(*merged, *known);
  DX_ASSERT(news.has_value());
  DX_ASSERT(validate_update_v1(*news).has_value());
  return 0;
}
