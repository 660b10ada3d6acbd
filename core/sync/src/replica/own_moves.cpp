#include "replica/own_moves.h"

#include <cassert>

namespace diaryx::sync {

const OwnMove* OwnMoves::find(const std::string& to) const {
  const auto found = by_target_.find(to);
  return found == by_target_.end() ? nullptr : &found->second;
}

bool OwnMoves::is_leaving(const std::string& from) const {
  const auto next = by_source_.lower_bound({from, {}});
  return next != by_source_.end() && next->first == from;
}

std::vector<std::string> OwnMoves::leaving_place(const std::string& disk_from) const {
  std::vector<std::string> sources;
  for (auto at = by_place_.lower_bound({disk_from, {}}); at != by_place_.end() && at->first == disk_from; ++at) {
    sources.push_back(by_target_.at(at->second).from);
  }
  return sources;
}

void OwnMoves::put(const std::string& to, OwnMove move) {
  if (contains(to)) take(to);
  by_source_.emplace(move.from, to);
  by_place_.emplace(move.disk_from, to);
  by_target_.emplace(to, std::move(move));
}

OwnMove OwnMoves::take(const std::string& to) {
  auto taken = by_target_.extract(to);
  assert(taken);
  by_source_.erase({taken.mapped().from, to});
  by_place_.erase({taken.mapped().disk_from, to});
  return std::move(taken.mapped());
}

}  // namespace diaryx::sync
