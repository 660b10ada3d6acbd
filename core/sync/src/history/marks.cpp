#include <algorithm>
#include <map>
#include <utility>

#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"
#include "diaryx/sync/history_keep.h"

namespace diaryx::sync {
namespace {

constexpr std::string_view kNamedPrefix = "mark:named:";
constexpr std::string_view kAutomaticPrefix = "mark:auto:";
constexpr size_t kPointDigits = 16;

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDayMs = 24 * kHourMs;
constexpr int64_t kWeekMs = 7 * kDayMs;

int64_t floor_divide(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

/// Which mark of the same time a mark competes with: the size of its stretch of time and which one; nothing: it is kept, or goes.
std::optional<std::pair<int64_t, int64_t>> bucket_of(const HistoryMark& mark, DurationMs age,
                                                     const RetentionRule& rule) {
  const int64_t size = age < rule.hourly ? kHourMs : age < rule.daily ? kDayMs : kWeekMs;
  if (age < rule.everything) return std::nullopt;
  return std::pair{size, floor_divide(mark.time.value(), size)};
}

}  // namespace

Result<void> check_mark_name(std::string_view name) {
  if (name.size() > kMaxMarkNameBytes) return fail(ErrorCode::TooLarge);
  if (!is_valid_utf8(name)) return fail(ErrorCode::InvalidUtf8);
  const bool has_control =
      std::ranges::any_of(name, [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; });
  const bool is_number = std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
  if (name.empty() || has_control || is_number || name.front() == ' ' || name.back() == ' ')
    return fail(ErrorCode::InvalidMessage);
  return {};
}

std::string mark_record_key(const HistoryMark& mark) {
  if (mark.is_named()) return std::string(kNamedPrefix).append(mark.name);
  std::string digits = std::to_string(mark.point);
  if (digits.size() < kPointDigits) digits.insert(0, kPointDigits - digits.size(), '0');
  return std::string(kAutomaticPrefix).append(digits);
}

PersistRecord mark_record(const HistoryMark& mark) {
  const Json value = Json::object({{"point", mark.point}, {"time", mark.time.value()}});
  return {mark_record_key(mark), value.dump()};
}

bool is_mark_record(std::string_view key) { return key.starts_with(kNamedPrefix) || key.starts_with(kAutomaticPrefix); }

Result<HistoryMark> parse_mark_record(std::string_view key, std::string_view value) {
  const Result<Json> json = Json::parse(value);
  if (!is_mark_record(key) || !json) return fail(ErrorCode::InvalidMessage);
  const std::optional<int64_t> point = json->integer_member("point");
  const std::optional<int64_t> time = json->integer_member("time");
  if (!point || *point < 0 || !time) return fail(ErrorCode::InvalidMessage);
  HistoryMark mark{.point = static_cast<HistoryPoint>(*point), .time = TimestampMs{*time}};
  if (key.starts_with(kNamedPrefix)) mark.name = key.substr(kNamedPrefix.size());
  if (mark_record_key(mark) != key) return fail(ErrorCode::InvalidMessage);
  return mark;
}

std::vector<HistoryMark> marks_to_drop(std::span<const HistoryMark> marks, TimestampMs now, const RetentionRule& rule) {
  std::vector<HistoryMark> dropped;
  std::map<std::pair<int64_t, int64_t>, HistoryMark> kept;  // the last one of each stretch
  for (const HistoryMark& mark : marks) {
    if (mark.is_named()) continue;
    const DurationMs age = now - mark.time;
    if (age >= rule.weekly) {
      dropped.push_back(mark);
      continue;
    }
    const auto bucket = bucket_of(mark, age, rule);
    if (!bucket) continue;
    const auto [found, is_first] = kept.emplace(*bucket, mark);
    if (is_first) continue;
    if (found->second.point < mark.point) {
      dropped.push_back(std::exchange(found->second, mark));
    } else {
      dropped.push_back(mark);
    }
  }
  return dropped;
}

}  // namespace diaryx::sync
