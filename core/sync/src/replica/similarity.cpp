#include "replica/similarity.h"

#include <algorithm>
#include <string>
#include <vector>

#include "diaryx/sync/text_diff.h"

namespace diaryx::sync {

uint32_t similarity_percent(std::string_view a, std::string_view b) {
  const size_t longer = std::max(a.size(), b.size());
  const size_t shorter = std::min(a.size(), b.size());
  if (shorter < kMinSimilarBytes) return 0;
  if (a == b) return 100;
  if (shorter * 100 / longer < kUnrelatedPercent) return static_cast<uint32_t>(shorter * 100 / longer);
  size_t erased = 0;
  for (const TextEdit& edit : diff_text(a, b)) erased += edit.erased_bytes;
  return static_cast<uint32_t>((a.size() - erased) * 100 / longer);
}

}  // namespace diaryx::sync
