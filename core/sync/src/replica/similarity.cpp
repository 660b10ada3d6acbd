#include "replica/similarity.h"

#include <algorithm>
#include <string>
#include <vector>

#include "diaryx/sync/text_diff.h"
#include "text_hunks.h"

namespace diaryx::sync {

uint32_t similarity_percent(std::string_view a, std::string_view b) {
  const size_t longer = std::max(a.size(), b.size());
  const size_t shorter = std::min(a.size(), b.size());
  if (shorter < kMinSimilarBytes) return 0;
  if (a == b) return 100;
  if (shorter * 100 / longer < kUnrelatedPercent) return static_cast<uint32_t>(shorter * 100 / longer);
  size_t erased = 0;
  for (const TextEdit& edit : diff_text(a, b)) erased += edit.erased_bytes;
  const size_t shared = a.size() - erased;
  if (!a.contains('\n') || !b.contains('\n')) return static_cast<uint32_t>(shared * 100 / longer);
  // Lists whose lines begin and end alike share most of their letters and are not the same list for that.
  size_t erased_lines = 0;
  for (const Hunk& hunk : diff_lines(a, b)) erased_lines += hunk.old_size();
  return static_cast<uint32_t>(std::min(shared, 2 * (a.size() - erased_lines)) * 100 / longer);
}

}  // namespace diaryx::sync
