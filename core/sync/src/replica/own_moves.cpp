#include "replica/own_moves.h"

#include <utility>

#include "diaryx/base/result.h"

namespace diaryx::sync {

const OwnMove* OwnMoves::find(const std::string& to) const {
  const auto found = by_target_.find(to);
  return found == by_target_.end() ? nullptr : &found->second;
}

const std::string* OwnMoves::target_of(const std::string& from) const {
  const auto targets = by_source_.find(from);
  return targets == by_source_.end() ? nullptr : &*targets->second.begin();
}

const std::string* OwnMoves::doubted_target(const std::string& from) const {
  const std::string* const to = target_of(from);
  return to != nullptr && find(*to)->is_in_doubt ? to : nullptr;
}

std::vector<std::string> OwnMoves::leaving_place(const std::string& disk_from) const {
  std::vector<std::string> sources;
  const auto targets = by_place_.find(disk_from);
  if (targets == by_place_.end()) return sources;
  for (const std::string& to : targets->second) sources.push_back(by_target_.at(to).from);
  return sources;
}

void OwnMoves::doubt(const std::string& to) { by_target_.at(to).is_in_doubt = true; }

void OwnMoves::put(const std::string& to, OwnMove move) {
  if (contains(to)) take(to);
  by_source_[move.from].insert(to);
  by_place_[move.disk_from].insert(to);
  by_target_.emplace(to, std::move(move));
}

OwnMove OwnMoves::take(const std::string& to) {
  auto taken = by_target_.extract(to);
  DX_ASSERT(taken);
  OwnMove move = std::move(taken.mapped());
  const auto forget = [&](Targets& targets, const std::string& name) {
    const auto found = targets.find(name);
    found->second.erase(to);
    if (found->second.empty()) targets.erase(found);
  };
  forget(by_source_, move.from);
  forget(by_place_, move.disk_from);
  return move;
}

}  // namespace diaryx::sync
