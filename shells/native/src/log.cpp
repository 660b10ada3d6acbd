#include "diaryx/native/log.h"

#include <array>
#include <string>
#include <utility>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include "diaryx/base/json.h"
#include "diaryx/base/utf.h"

namespace diaryx::native {
namespace {

constexpr std::array kLevels = {
    std::pair{std::string_view("trace"), spdlog::level::trace},
    std::pair{std::string_view("debug"), spdlog::level::debug},
    std::pair{std::string_view("info"), spdlog::level::info},
    std::pair{std::string_view("warn"), spdlog::level::warn},
    std::pair{std::string_view("error"), spdlog::level::err},
    std::pair{std::string_view("off"), spdlog::level::off},
};

/// Between a message and its fields, which are JSON members already.
constexpr char kFieldMark = '\x1f';

/// Set once by `start_log`, before threads start.
LogFormat chosen_format = LogFormat::Text;

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, is_valid_utf8(text) ? text : std::string_view("(text that is not UTF-8)"));
  return out;
}

/// Each record as one JSON object.
class JsonLines final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& record, spdlog::memory_buf_t& out) override {
    const std::string_view payload(record.payload.data(), record.payload.size());
    const size_t mark = payload.find(kFieldMark);
    const auto level = spdlog::level::to_string_view(record.level);
    spdlog::pattern_formatter stamp("%Y-%m-%dT%H:%M:%S.%e%z", spdlog::pattern_time_type::utc, "");
    const std::string_view program(record.logger_name.data(), record.logger_name.size());
    std::string line = "{\"time\":\"";
    spdlog::memory_buf_t time;
    stamp.format(record, time);
    line.append(time.data(), time.size());
    line.append("\",\"level\":\"").append(level.data(), level.size());
    line.append("\",\"program\":").append(json_text(program));
    line.append(",\"message\":").append(json_text(payload.substr(0, mark)));
    if (mark != std::string_view::npos) line.append(payload.substr(mark + 1));
    line.append("}\n");
    out.append(line.data(), line.data() + line.size());
  }
  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<JsonLines>(); }
};

std::shared_ptr<spdlog::logger> make(const std::string& program, spdlog::level::level_enum level, LogFormat format) {
  auto logger = std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(level);
  if (format == LogFormat::Json) {
    logger->set_formatter(std::make_unique<JsonLines>());
  } else {
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  }
  logger->flush_on(spdlog::level::warn);
  return logger;
}

std::shared_ptr<spdlog::logger>& current() {
  static std::shared_ptr<spdlog::logger> logger = make("diaryx", spdlog::level::warn, LogFormat::Text);
  return logger;
}

}  // namespace

bool start_log(std::string_view program, std::string_view level, LogFormat format) {
  for (const auto& [name, value] : kLevels) {
    if (name != level) continue;
    current() = make(std::string(program), value, format);
    chosen_format = format;
    return true;
  }
  return false;
}

spdlog::logger& log() { return *current(); }

void log_event(spdlog::level::level_enum level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!log().should_log(level)) return;
  std::string line(message);
  if (chosen_format == LogFormat::Json) line.push_back(kFieldMark);
  for (const auto& [name, value] : fields) {
    if (chosen_format == LogFormat::Json) {
      line.append(",\"").append(name).append("\":").append(json_text(value));
    } else {
      line.append(" ").append(name).append("=").append(value.find(' ') == std::string::npos ? value : json_text(value));
    }
  }
  log().log(level, "{}", line);
}

}  // namespace diaryx::native
