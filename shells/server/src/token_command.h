// `diaryx-syncd token create`
#pragma once

#include <string>

#include "options.h"

namespace diaryx::server {

struct TokenOptions {
  std::filesystem::path data;
  std::string email;
  std::string device_name;
  int64_t expires_days = 365;
};

/// Makes a token for a user, who is made too if new, and prints just the token. Works while the server runs.
/// Returns an ExitCode; a problem is one sentence on standard error.
int create_token_command(const TokenOptions& options);

}  // namespace diaryx::server
