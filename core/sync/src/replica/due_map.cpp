#include "replica/due_map.h"

namespace diaryx::sync {

void Moments::move(const std::string& path, std::optional<TimestampMs> before, std::optional<TimestampMs> after) {
  if (before == after) return;
  if (before) moments_.erase({*before, path});
  if (after) moments_.emplace(*after, path);
}

std::optional<TimestampMs> Moments::next() const {
  return moments_.empty() ? std::nullopt : std::optional(moments_.begin()->first);
}

std::vector<std::string> Moments::due(TimestampMs now) const {
  std::vector<std::string> paths;
  for (auto at = moments_.begin(); at != moments_.end() && at->first <= now; ++at) paths.push_back(at->second);
  return paths;
}

}  // namespace diaryx::sync
