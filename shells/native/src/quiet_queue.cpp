#include "quiet_queue.h"

#include <algorithm>
#include <limits>

#include "watch_table.h"

namespace diaryx::native {

void QuietQueue::put(const std::string& path, const Waiting& waiting) {
  erase(path);
  waiting_.emplace(path, waiting);
  by_due_.emplace(waiting.due_ms, path);
}

void QuietQueue::touch(const std::string& path, int64_t now_ms, int64_t quiet_ms) {
  const auto known = waiting_.find(path);
  const int64_t first_ms = known == waiting_.end() ? now_ms : known->second.first_ms;
  const bool is_new = known != waiting_.end() && known->second.is_new;
  put(path, {first_ms, std::min(now_ms + quiet_ms, first_ms + longest_ms_), is_new});
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

std::vector<std::string> QuietQueue::take_due(int64_t now_ms) {
  std::vector<std::string> due;
  while (!by_due_.empty() && by_due_.begin()->first <= now_ms) {
    due.push_back(by_due_.begin()->second);
    waiting_.erase(due.back());
    by_due_.erase(by_due_.begin());
  }
  return due;
}

std::vector<std::string> QuietQueue::take_all() { return take_due(std::numeric_limits<int64_t>::max()); }

std::optional<int64_t> QuietQueue::next_due_ms() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

void QuietQueue::clear() {
  waiting_.clear();
  by_due_.clear();
}

}  // namespace diaryx::native
