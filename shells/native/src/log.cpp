#include "diaryx/native/log.h"

#include <array>
#include <string>
#include <utility>

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

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

std::shared_ptr<spdlog::logger> make(const std::string& program, spdlog::level::level_enum level) {
  auto logger = std::make_shared<spdlog::logger>(program, std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(level);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->flush_on(spdlog::level::warn);
  return logger;
}

std::shared_ptr<spdlog::logger>& current() {
  static std::shared_ptr<spdlog::logger> logger = make("diaryx", spdlog::level::warn);
  return logger;
}

}  // namespace

bool start_log(std::string_view program, std::string_view level) {
  for (const auto& [name, value] : kLevels) {
    if (name != level) continue;
    current() = make(std::string(program), value);
    return true;
  }
  return false;
}

spdlog::logger& log() { return *current(); }

}  // namespace diaryx::native
