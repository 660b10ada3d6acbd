#pragma once

#include <string_view>

namespace diaryx::server {

inline constexpr std::string_view kServerName = "diaryx-syncd";
inline constexpr std::string_view kVersion = DIARYX_VERSION;  // of the CMake project

}  // namespace diaryx::server
