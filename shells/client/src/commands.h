// The commands of `diaryx-sync`. Each returns the exit code, or why it failed.
#pragma once

#include <cstdint>
#include <string>

#include "exit_code.h"

namespace diaryx::client {

struct LinkArguments {
  std::string folder;
  std::string server;
  std::string token;
  std::string workspace;
};

struct SyncArguments {
  std::string folder;
  int64_t timeout_s = 60;
  bool json = false;
};

struct WatchArguments {
  std::string folder;
  bool json = false;
};

struct StatusArguments {
  std::string folder;
  bool json = false;
};

Attempt<ExitCode> link_folder(const LinkArguments& arguments);
Attempt<ExitCode> sync_folder(const SyncArguments& arguments);
Attempt<ExitCode> watch_folder(const WatchArguments& arguments);
Attempt<ExitCode> show_status(const StatusArguments& arguments);
Attempt<ExitCode> unlink_folder(const std::string& folder);

}  // namespace diaryx::client
