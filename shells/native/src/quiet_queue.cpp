#include "quiet_queue.h"

#include <algorithm>
#include <limits>

#include "watch_table.h"

namespace diaryx::native {
namespace {

constexpr int64_t kLongestInRests = 10;
constexpr int64_t kCostMs = 250;
constexpr int64_t kMostCostMs = 10 * kCostMs;

}  // namespace

void QuietQueue::put(const std::string& path, Waiting waiting) {
  const int64_t quiet_at_ms = waiting.last_ms + std::max(waiting.quiet_ms, waiting.rest_ms);
  waiting.due_ms = std::min(std::max(quiet_at_ms, earliest_ms(path, waiting.last_ms)),
                            waiting.first_ms + std::max(longest_ms_, kLongestInRests * waiting.rest_ms));
  erase(path);
  waiting_.emplace(path, waiting);
  by_due_.emplace(waiting.due_ms, path);
}

void QuietQueue::touch(const std::string& path, int64_t now_ms, int64_t quiet_ms) {
  const auto known = waiting_.find(path);
  Waiting waiting = known == waiting_.end() ? Waiting{.first_ms = now_ms} : known->second;
  waiting.last_ms = now_ms;
  waiting.quiet_ms = quiet_ms;
  put(path, waiting);
}

void QuietQueue::touch_if_new(const std::string& path, int64_t now_ms, int64_t quiet_ms) {
  if (!contains(path)) touch(path, now_ms, quiet_ms);
}

void QuietQueue::mark_new(const std::string& path) {
  const auto known = waiting_.find(path);
  if (known != waiting_.end()) known->second.is_new = true;
}

bool QuietQueue::is_new(const std::string& path) const {
  const auto known = waiting_.find(path);
  return known != waiting_.end() && known->second.is_new;
}

bool QuietQueue::erase(const std::string& path) {
  const auto known = waiting_.find(path);
  if (known == waiting_.end()) return false;
  by_due_.erase({known->second.due_ms, path});
  waiting_.erase(known);
  return true;
}

void QuietQueue::rename(const std::string& from, const std::string& to) {
  std::vector<std::pair<std::string, Waiting>> moved;
  for (auto entry = waiting_.lower_bound(from); entry != waiting_.end() && entry->first.starts_with(from); ++entry) {
    if (beneath(entry->first, from)) moved.emplace_back(*entry);
  }
  for (const auto& [path, waiting] : moved) {
    erase(path);
    put(rebased(path, from, to), waiting);
  }
}

bool QuietQueue::has_rested(const std::string& path, int64_t now_ms) {
  Waiting waiting = waiting_.at(path);
  if (rest_of_) waiting.rest_ms = rest_of_(path);
  put(path, waiting);
  return waiting_.at(path).due_ms <= now_ms;
}

/// A moment at which another quarter of a second may be owed. (After the clock was set back, what is noted means nothing.)
int64_t QuietQueue::earliest_ms(const std::string& path, int64_t last_ms) const {
  const auto known = worked_off_ms_.find(path);
  return known == worked_off_ms_.end() ? last_ms : std::min(known->second - kMostCostMs, last_ms) + kCostMs;
}

void QuietQueue::note_taken(const std::string& path, int64_t now_ms) {
  int64_t& worked_off_ms = worked_off_ms_[path];
  worked_off_ms = std::min(std::max(worked_off_ms, now_ms), now_ms + kMostCostMs - kCostMs) + kCostMs;
}

void QuietQueue::forget_worked_off(int64_t now_ms) {
  if (now_ms >= forgotten_ms_ && now_ms < forgotten_ms_ + kCostMs) return;
  forgotten_ms_ = now_ms;
  std::erase_if(worked_off_ms_,
                [now_ms](const auto& entry) { return entry.second <= now_ms || entry.second > now_ms + kMostCostMs; });
}

std::vector<std::string> QuietQueue::take(int64_t due_ms, int64_t now_ms) {
  forget_worked_off(now_ms);
  std::vector<std::string> due;
  while (!by_due_.empty() && by_due_.begin()->first <= due_ms) {
    const std::string path = by_due_.begin()->second;
    if (!has_rested(path, due_ms)) continue;
    erase(path);
    note_taken(path, now_ms);
    due.push_back(path);
  }
  return due;
}

std::vector<std::string> QuietQueue::take_due(int64_t now_ms) { return take(now_ms, now_ms); }

std::vector<std::string> QuietQueue::take_all(int64_t now_ms) {
  return take(std::numeric_limits<int64_t>::max(), now_ms);
}

std::optional<int64_t> QuietQueue::next_due_ms() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

void QuietQueue::clear() {
  waiting_.clear();
  by_due_.clear();
}

}  // namespace diaryx::native
