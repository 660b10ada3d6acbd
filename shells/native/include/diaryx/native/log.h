// One log for a program: lines with time and level on standard error. Never log tokens or document text.
#pragma once

#include <memory>
#include <string_view>

#include <spdlog/logger.h>

namespace diaryx::native {

/// Chooses what is logged: "trace", "debug", "info", "warn", "error" or "off". False if `level` is none of these.
/// Call before threads start.
bool start_log(std::string_view program, std::string_view level);

/// The program's log; warnings and errors go to standard error even before `start_log`. Safe from every thread.
spdlog::logger& log();

}  // namespace diaryx::native
