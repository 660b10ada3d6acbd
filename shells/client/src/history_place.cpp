#include "history_place.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <system_error>

namespace diaryx::client {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kHourMs = 60 * kMinuteMs;
constexpr int64_t kDayMs = 24 * kHourMs;

std::tm local_parts(TimestampMs time) {
  const std::time_t seconds = static_cast<std::time_t>(time.value() / 1000);
  std::tm parts{};
  ::localtime_r(&seconds, &parts);
  return parts;
}

std::string formatted(const std::tm& parts, const char* format) {
  std::array<char, 64> text{};
  std::strftime(text.data(), text.size(), format, &parts);
  return text.data();
}

/// `2h`, `3d`.
std::optional<DurationMs> parse_ago(std::string_view text) {
  if (text.size() < 2) return std::nullopt;
  int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size() - 1, count);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() - 1 || count < 0 || count > 1'000'000)
    return std::nullopt;
  switch (text.back()) {
    case 'm': return DurationMs{count * kMinuteMs};
    case 'h': return DurationMs{count * kHourMs};
    case 'd': return DurationMs{count * kDayMs};
    case 'w': return DurationMs{count * 7 * kDayMs};
    default: return std::nullopt;
  }
}

std::optional<TimestampMs> parse_local_time(const std::string& text) {
  for (const char* format : {"%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d"}) {
    std::tm parts{};
    const char* end = ::strptime(text.c_str(), format, &parts);
    if (end == nullptr || *end != '\0') continue;
    parts.tm_isdst = -1;
    const std::time_t seconds = std::mktime(&parts);
    if (seconds != static_cast<std::time_t>(-1)) return TimestampMs{static_cast<int64_t>(seconds) * 1000};
  }
  return std::nullopt;
}

Attempt<HistoryPlace> find_place(const std::string& path) {
  std::error_code error;
  const fs::path full = fs::weakly_canonical(fs::absolute(path, error), error);
  if (error) return failure(ExitCode::NotLinked, "cannot find " + path + ": " + error.message());
  std::string closed;
  for (fs::path folder = full;; folder = folder.parent_path()) {
    error.clear();
    if (fs::exists(folder / kSettingsFolder / "config.json", error)) {
      auto opened = DeviceFolder::open(folder.string());
      if (!opened) return std::unexpected(std::move(opened.error()));
      auto config = opened->linked_config();
      if (!config) return std::unexpected(std::move(config.error()));
      std::string inside = full == folder ? std::string() : full.lexically_relative(folder).generic_string();
      while (inside.ends_with('/')) inside.pop_back();
      return HistoryPlace{std::move(*opened), std::move(*config), std::move(inside)};
    }
    if (error == std::errc::permission_denied && closed.empty()) closed = folder.string();
    if (folder == folder.parent_path()) break;
  }
  // Whether what may not be looked into is linked, nobody knows.
  if (!closed.empty()) return failure(native::os_problem("look into the folder", closed, EACCES).error());
  return failure(ExitCode::NotLinked, path +
                                          " is not in a linked folder; link the folder first: diaryx-sync link FOLDER "
                                          "--server URL --token TOKEN --workspace NAME");
}

}  // namespace

Attempt<OpenHistory> open_history(const std::string& path) {
  auto place = find_place(path);
  if (!place) return std::unexpected(std::move(place.error()));
  auto reader = HistoryReader::open(place->folder.state_path());
  if (!reader) return std::unexpected(std::move(reader.error()));
  return OpenHistory{std::move(*place), std::move(*reader)};
}

void warn_of_damage(const HistoryReader& reader) {
  if (const size_t bad = reader.damaged_blocks() + reader.history().damaged(); bad != 0) {
    std::fprintf(stderr, "diaryx-sync: %s of the history cannot be read; what they held is missing here\n",
                 counted(bad, "part").c_str());
  }
}

Attempt<sync::HistoryPoint> parse_point(HistoryReader& reader, const std::string& text, TimestampMs now) {
  const auto last = reader.last();
  if (!last || text == "now") return last;
  const auto marks = reader.marks();
  if (!marks) return std::unexpected(marks.error());
  for (const sync::HistoryMark& mark : *marks) {
    if (mark.is_named() && mark.name == text) return mark.point;
  }
  uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) {
    if (number <= *last) return number;
    return failure(ExitCode::Usage, "there is no point " + text + " yet; the last one is " + std::to_string(*last));
  }
  if (const auto ago = parse_ago(text)) return reader.point_at(TimestampMs{now.value() - ago->value()});
  if (const auto time = parse_local_time(text)) return reader.point_at(*time);
  return failure(ExitCode::Usage,
                 "\"" + text +
                     "\" is no point in time and no snapshot; give a number from diaryx-sync history, the "
                     "name of a snapshot, 2h, 3d or 2w for so long ago, or a time like \"2026-11-25 14:30\"");
}

bool is_time_word(const std::string& text) { return text == "now" || parse_ago(text) || parse_local_time(text); }

std::string spoken_time(TimestampMs time, TimestampMs now) {
  const std::tm then = local_parts(time);
  const auto day_of = [](TimestampMs at) { return formatted(local_parts(at), "%Y-%m-%d"); };
  const std::string clock = formatted(then, " at %H:%M");
  if (day_of(time) == day_of(now)) return "today" + clock;
  if (day_of(time) == day_of(TimestampMs{now.value() - kDayMs})) return "yesterday" + clock;
  std::string date = formatted(then, "%d %B %Y");
  if (date.starts_with('0')) date.erase(0, 1);
  return date + clock;
}

std::string spoken_span(DurationMs span) {
  const int64_t minutes = span.value() / kMinuteMs;
  if (minutes <= 0) return {};
  const int64_t hours = minutes / 60;
  if (hours >= 48) return counted(uint64_t(hours / 24), "day", "days");
  std::string text = hours == 0 ? std::string() : counted(uint64_t(hours), "hour", "hours");
  if (minutes % 60 == 0) return text;
  return text + (text.empty() ? "" : " ") + counted(uint64_t(minutes % 60), "minute", "minutes");
}

std::string counted(uint64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + " " +
         (count == 1     ? std::string(one)
          : many.empty() ? std::string(one) + "s"
                         : std::string(many));
}

TimestampMs time_now() {
  using namespace std::chrono;
  return TimestampMs{duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

}  // namespace diaryx::client
