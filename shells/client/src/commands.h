// The commands of `diaryx-sync`. Each returns the exit code, or why it failed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "exit_code.h"

namespace diaryx::client {

struct LinkArguments {
  std::string folder;
  std::string server;
  std::string token;
  std::string workspace;
  std::string device_name;  // empty: the one it has, else the computer's
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

struct HistoryArguments {
  std::string path = ".";
  uint32_t limit = 20;
  bool json = false;
};

struct DiffArguments {
  std::string path = ".";
  std::string from;  // empty: before the last stretch of work
  std::string to = "now";
  bool words = false;
  bool json = false;
};

struct BlameArguments {
  std::string path;
  std::string at = "now";
  bool json = false;
};

struct RestoreArguments {
  std::string path = ".";
  std::string to;
  std::vector<int64_t> hunks;  // counted from 1, as `diff` shows them
  bool undo = false;
  bool dry_run = false;
  bool json = false;
};

struct SnapshotArguments {
  std::string folder = ".";
  std::string name;
  std::vector<std::string> paths;
  bool dry_run = false;
  bool json = false;
};

Attempt<ExitCode> show_history(const HistoryArguments& arguments);
Attempt<ExitCode> show_diff(const DiffArguments& arguments);
Attempt<ExitCode> show_blame(const BlameArguments& arguments);
Attempt<ExitCode> restore_files(const RestoreArguments& arguments);
Attempt<ExitCode> create_snapshot(const SnapshotArguments& arguments);
Attempt<ExitCode> list_snapshots(const SnapshotArguments& arguments);
Attempt<ExitCode> show_snapshot(const SnapshotArguments& arguments);
Attempt<ExitCode> restore_snapshot(const SnapshotArguments& arguments);
Attempt<ExitCode> delete_snapshot(const SnapshotArguments& arguments);

Attempt<ExitCode> link_folder(const LinkArguments& arguments);
Attempt<ExitCode> sync_folder(const SyncArguments& arguments);
Attempt<ExitCode> watch_folder(const WatchArguments& arguments);
Attempt<ExitCode> show_status(const StatusArguments& arguments);
Attempt<ExitCode> unlink_folder(const std::string& folder);

struct PluginArguments {
  std::string file;
  bool json = false;
};
/// Prints a plugin's manifest, imports and size. Does not return when the program that does it was started.
Attempt<ExitCode> inspect_plugin(const PluginArguments& arguments);

}  // namespace diaryx::client
