// A linked folder: where its settings, its secret and its state live, and who may work on it.
//
//     FOLDER/.diaryx/config.json   server, workspace, this device's id; no secret
//     FOLDER/.diaryx/token         the token, readable by its owner only
//     FOLDER/.diaryx/state.db      documents, records, digests, status (SQLite)
//     FOLDER/.diaryx/lock          held while a command works on the folder; names its process
//     FOLDER/.diaryx/request       a word from another command and its process, e.g. "release 123"; taken at once
//     FOLDER/.diaryx/tmp/          files on their way to their place
//     FOLDER/.diaryx/.gitignore    keeps all of it out of git
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diaryx/native/root_folder.h"
#include "diaryx/native/server_url.h"
#include "diaryx/native/unique_fd.h"
#include "exit_code.h"

namespace diaryx::client {

inline constexpr std::string_view kSettingsFolder = ".diaryx";

struct DeviceConfig {
  native::ServerUrl server;
  std::string workspace_id;
  std::string workspace_name;
  std::string device_id;  // made at link, never sent as a secret
  std::string device_name;  // what the history calls this device
  int64_t linked_at_ms = 0;
};

/// This computer's name, for folders that were linked without one.
std::string computer_name();

/// Visible ASCII, so that it stays in its line of a request; whether it is good, the server knows.
bool is_token(std::string_view text);

/// Held by the one process that works on a folder; the system releases it when the process ends, however it ends.
class FolderLock {
 public:
  /// Errors: Busy, naming the process that holds it.
  static Attempt<FolderLock> acquire(const native::RootFolder& root);

  /// The process that holds the lock now, if one does; 0 if it has not said yet which it is.
  static std::optional<int64_t> holder(const native::RootFolder& root);

  /// The folder is where it was, and linked as it was: what this lock was taken on is still found by its full path.
  ///
  /// False once the folder, one above it or its `.diaryx` was moved, removed, unmounted or made anew. From then on what is
  /// missing from it was not deleted by anybody, and another process may have taken the new lock.
  bool is_in_place() const;

 private:
  FolderLock(native::UniqueFd file, std::string location) : file_(std::move(file)), location_(std::move(location)) {}

  native::UniqueFd file_;
  std::string location_;
};

class DeviceFolder {
 public:
  /// Opens a folder that exists. Errors: NotLinked (no such folder).
  static Attempt<DeviceFolder> open(const std::string& folder);

  const native::RootFolder& root() const { return root_; }
  std::string state_path() const { return root_.location() + "/.diaryx/state.db"; }

  /// Nothing if the folder is not linked. Errors: Failed when the settings cannot be understood.
  Attempt<std::optional<DeviceConfig>> config() const;
  /// Errors: NotLinked with the command to type.
  Attempt<DeviceConfig> linked_config() const;
  /// Errors: Refused when there is none, or what is there cannot be one.
  Attempt<std::string> token() const;

  /// Stores settings and token; the settings come last, so a folder counts as linked only when all is there.
  Attempt<void> link(const DeviceConfig& config, const std::string& token) const;

  /// Removes all state from `.diaryx`, and the folder unless others keep something there. The user's files stay.
  Attempt<void> unlink() const;

  /// A word of this process for the one that works on the folder ("release", "undo"), which is told by SIGURG.
  Attempt<void> leave_request(std::string_view word) const;
  /// False once it was taken.
  bool has_request() const;
  void withdraw_request() const;
  /// Takes the word; empty if there is none, or if whoever left it is gone and does not mean this moment.
  std::string take_request() const;

 private:
  explicit DeviceFolder(native::RootFolder root) : root_(std::move(root)) {}
  Attempt<void> store(std::string_view name, std::string_view text, unsigned mode) const;

  native::RootFolder root_;
};

}  // namespace diaryx::client
