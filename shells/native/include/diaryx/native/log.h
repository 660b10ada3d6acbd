// One log for a program: lines with time and level on standard error. Never log tokens or document text.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <spdlog/logger.h>

namespace diaryx::native {

enum class LogFormat : uint8_t {
  Text,  // one line: time, level, message, `name=value` for each field
  Json,  // one object per line: `time`, `level`, `program`, `message` and the fields
};

/// Chooses what is logged: "trace", "debug", "info", "warn", "error" or "off". False if `level` is none of these.
/// Call before threads start.
bool start_log(std::string_view program, std::string_view level, LogFormat format = LogFormat::Text);

/// The program's log; warnings and errors go to standard error even before `start_log`. Safe from every thread.
spdlog::logger& log();

/// A message with fields that programs can pick out. Values are strings; names are literals of letters and `_`.
using LogField = std::pair<std::string_view, std::string>;
void log_event(spdlog::level::level_enum level, std::string_view message, std::initializer_list<LogField> fields);

}  // namespace diaryx::native
