// The workspace folder behind the host's file functions, in workspace paths.
//
// Hosts name files in three ways: relative to the workspace (web), with the root in front (web events), and absolute
// (native, where a relative path would count from the directory of the process). Everything is turned into workspace
// paths here, once, so that one file has one key (A10).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"

namespace diaryx::plugin {

/// What is at a path. A file that exists and cannot be read is not a missing one: nothing may be concluded from it.
struct Look {
  enum class State : uint8_t { Missing, Unreadable, Read };
  State state = State::Missing;
  Bytes bytes;

  /// The digest of what was read.
  std::optional<Sha256> hash() const;
  bool holds(ByteView content) const;
};

class Disk {
 public:
  /// root   as the host gave it; empty or `.` when host paths are relative to the workspace.
  void set_root(std::string_view root);
  bool has_root() const { return has_root_; }
  /// What to pass to the host for the whole workspace.
  std::string root() const { return root_.empty() ? "." : root_; }

  std::string to_host(const std::string& path) const;
  /// Total; what comes out still has to pass `sync::parse_path`.
  std::string to_workspace(std::string_view host_path) const;

  bool exists(const std::string& path) const;
  Look look(const std::string& path) const;
  /// Workspace paths of all carried files, sorted. Folders that a native host lists among them are left out as far as
  /// they can be told from files (A3).
  /// unusable   gets those of them whose paths sync cannot use, when it is given.
  std::vector<std::string> list(std::vector<std::string>* unusable = nullptr) const;

  /// Writes and reads back, because some hosts fail without a word (A27), and another program may write at the same moment.
  /// Returns what is there then.
  Look write(const std::string& path, ByteView bytes) const;
  /// False when the file is still there afterwards.
  bool remove(const std::string& path) const;

  friend bool operator==(const Disk&, const Disk&) = default;

 private:
  Look look_at_present(const std::string& path) const;

  std::string root_;
  bool has_root_ = false;
};

/// Whether this build follows a file: those of every workspace that are carried, without attachments where hosts give no bytes.
bool is_ours(const std::string& path);

/// With one `/` between the folders and no step that means "here", as web hosts spell paths, too. `..` stays.
std::string plain_path(std::string_view path);

/// Sorted paths without those that are a folder of another one.
std::vector<std::string> without_folders(std::vector<std::string> paths);

}  // namespace diaryx::plugin
