#include "replica/shortened_texts.h"

#include <algorithm>
#include <utility>

#include "diaryx/base/result.h"

namespace diaryx::sync {
namespace {

/// How long a program may take to go on writing; watchers wait until a file is quiet before they report it.
constexpr DurationMs kWritingGrace{250};
/// More of a last line is not compared.
constexpr size_t kMaxLastLine = 64;

}  // namespace

bool is_truncation(std::string_view before, std::string_view after) {
  if (before.empty()) return false;
  return after.empty() || (after.size() < before.size() / 2 && before.starts_with(after));
}

bool lost_its_end(std::string_view before, std::string_view after) {
  if (after.size() >= before.size()) return false;
  const size_t newline = before.size() < 2 ? std::string_view::npos : before.rfind('\n', before.size() - 2);
  std::string_view end = newline == std::string_view::npos ? before : before.substr(newline);
  if (end.size() > kMaxLastLine) end.remove_prefix(end.size() - kMaxLastLine);
  return !after.ends_with(end);
}

const ShortenedText* ShortenedTexts::find(const std::string& path) const {
  const auto found = by_path_.find(path);
  return found == by_path_.end() ? nullptr : &found->second;
}

bool ShortenedTexts::is_any_held() const {
  return std::ranges::any_of(by_path_, [](const auto& entry) { return entry.second.held; });
}

std::vector<std::string> ShortenedTexts::due() const {
  std::vector<std::string> paths;
  for (const auto& [path, text] : by_path_) {
    if (!text.held && !text.wait_until) paths.push_back(path);
  }
  return paths;
}

std::optional<TimestampMs> ShortenedTexts::next_moment() const {
  std::optional<TimestampMs> next;
  for (const auto& [path, text] : by_path_) {
    if (text.wait_until && (!next || *text.wait_until < *next)) next = text.wait_until;
  }
  return next;
}

void ShortenedTexts::add(const std::string& path, std::string_view bytes, bool is_truncation, TimestampMs now) {
  by_path_.try_emplace(path, ShortenedText{std::string(bytes), now + kWritingGrace, is_truncation});
}

ShortenedText ShortenedTexts::take(const std::string& path) {
  const auto found = by_path_.find(path);
  DX_ASSERT(found != by_path_.end());
  ShortenedText text = std::move(found->second);
  by_path_.erase(found);
  return text;
}

void ShortenedTexts::hold(const std::string& path) {
  const auto found = by_path_.find(path);
  DX_ASSERT(found != by_path_.end() && found->second.is_truncation);
  found->second.wait_until.reset();
  found->second.held = true;
}

void ShortenedTexts::move(const std::string& from, const std::string& to) {
  if (contains(from)) by_path_.insert_or_assign(to, take(from));
}

void ShortenedTexts::wake(TimestampMs now) {
  for (auto& [path, text] : by_path_) {
    if (text.wait_until <= now) text.wait_until.reset();
  }
}

void ShortenedTexts::stop_waiting() {
  for (auto& [path, text] : by_path_) text.wait_until.reset();
}

void ShortenedTexts::release() {
  for (auto& [path, text] : by_path_) text.held = false;
}

}  // namespace diaryx::sync
