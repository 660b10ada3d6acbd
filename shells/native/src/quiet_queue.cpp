#include "quiet_queue.h"

#include <algorithm>

#include "watch_table.h"

namespace diaryx::native {

void QuietQueue::put(const std::string& path, Waiting waiting) {
  waiting.due_ms = std::max(waiting.due_ms, waiting.held_until_ms);
  erase(path);
  waiting_.emplace(path, waiting);
  by_due_.emplace(waiting.due_ms, path);
}

void QuietQueue::touch(const std::string& path, int64_t now_ms, int64_t quiet_ms) {
  const auto known = waiting_.find(path);
  Waiting waiting = known == waiting_.end() ? Waiting{.first_ms = now_ms, .due_ms = 0} : known->second;
  waiting.due_ms = std::min(now_ms + quiet_ms, waiting.first_ms + longest_ms_);
  put(path, waiting);
}

void QuietQueue::touch_if_new(const std::string& path, int64_t now_ms, int64_t quiet_ms) {
  if (!contains(path)) touch(path, now_ms, quiet_ms);
}

void QuietQueue::hold(const std::string& path, int64_t until_ms) {
  const auto known = waiting_.find(path);
  if (known == waiting_.end()) return;
  Waiting waiting = known->second;
  waiting.held_until_ms = until_ms;
  put(path, waiting);
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

std::optional<int64_t> QuietQueue::next_due_ms() const {
  if (by_due_.empty()) return std::nullopt;
  return by_due_.begin()->first;
}

void QuietQueue::clear() {
  waiting_.clear();
  by_due_.clear();
}

}  // namespace diaryx::native
