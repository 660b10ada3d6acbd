// Two updates from strangers, merged and diffed without a document. The first byte says where the second one begins.
//
// 1. merging succeeds exactly when both are valid   2. the merge is valid, and a document takes it   3. the merge says what
// both said: its clocks and its deletions cover theirs   4. nothing is news to who knows all of it
// (A document need not end up the same as after each of the two: strangers may give one id to two different items.)
#include "diaryx/base/result.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"

using namespace diaryx;
using namespace diaryx::crdt;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const ByteView rest{data + 1, size - 1};
  const size_t cut = rest.empty() ? 0 : data[0] * rest.size() / 256;
  const ByteView parts[] = {rest.first(cut), rest.subspan(cut)};
  const bool valid = validate_update_v1(parts[0]).has_value() && validate_update_v1(parts[1]).has_value();
  const auto merged = merge_updates_v1(parts);
  DX_ASSERT(merged.has_value() == valid);
  if (!merged) return 0;
  Doc doc{{.client = ClientId{1}}};
  DX_ASSERT(doc.apply_update_v1(*merged).has_value());
  doc.check_invariants();

  const auto all = summarize_update_v1(*merged);
  DX_ASSERT(all.has_value());
  for (const ByteView part : parts) {
    const auto one = summarize_update_v1(part);
    DX_ASSERT(one.has_value() && one->is_known(all->ends, all->deletes));
  }
  const auto news = diff_update_v1(*merged, all->ends);
  DX_ASSERT(news.has_value());
  const auto summary = summarize_update_v1(*news);
  DX_ASSERT(summary.has_value() && summary->structs == 0);
  return 0;
}
