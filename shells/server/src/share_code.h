// Codes of share sessions: `XXXXXXXX-XXXXXXXX`, A-Z and 0-9; 82 random bits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace diaryx::server {

std::string make_share_code();

/// In upper case; nothing if the text is no code.
std::optional<std::string> normal_share_code(std::string_view given);

}  // namespace diaryx::server
