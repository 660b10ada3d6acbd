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

std::vector<std::string> Moments::take_due(TimestampMs now) {
  std::vector<std::string> paths;
  while (!moments_.empty() && moments_.begin()->first <= now) {
    paths.push_back(moments_.begin()->second);
    moments_.erase(moments_.begin());
  }
  return paths;
}

}  // namespace diaryx::sync
