// The commands of `diaryx-sync`. Each returns the exit code, or why it failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "exit_code.h"

namespace diaryx::client {

struct LinkArguments {
  std::string folder;
  std::string server;
  std::string token;
  std::string workspace;
};

/// What a person says about a wave of deletions that is held.
enum class HeldAnswer : uint8_t { Release, Undo };

struct SyncArguments {
  std::string folder;
  int64_t timeout_s = 60;
  bool json = false;
  std::optional<HeldAnswer> held_answer{};
};

struct WatchArguments {
  std::string folder;
  bool json = false;
};

struct StatusArguments {
  std::string folder;
  bool json = false;
};

struct HeldArguments {
  std::string folder;
  bool json = false;
};

/// Lists what a wave of deletions that is held would do.
Attempt<ExitCode> show_held(const HeldArguments& arguments);
/// Answers it: by the process that works on the folder if one does, else in a run of its own.
Attempt<ExitCode> release_held(const HeldArguments& arguments);
Attempt<ExitCode> undo_held(const HeldArguments& arguments);

Attempt<ExitCode> link_folder(const LinkArguments& arguments);
Attempt<ExitCode> sync_folder(const SyncArguments& arguments);
Attempt<ExitCode> watch_folder(const WatchArguments& arguments);
Attempt<ExitCode> show_status(const StatusArguments& arguments);
Attempt<ExitCode> unlink_folder(const std::string& folder);

}  // namespace diaryx::client
