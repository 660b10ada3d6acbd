// The folder as a guest sees it: paths of every spelling, and nothing outside.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/native/atomic_file.h"
#include "diaryx/native/root_folder.h"

namespace diaryx::host {

/// Where this host keeps the plugin's own things, beneath the workspace; guests neither list nor reach it.
inline constexpr std::string_view kHostFolder = ".diaryx";

class WorkspaceFiles {
 public:
  static native::Outcome<WorkspaceFiles> open(const std::string& folder);

  /// The absolute path of the folder, links resolved: what guests get as their root.
  const std::string& location() const { return location_; }
  const native::RootFolder& root() const { return root_; }

  /// The path beneath the folder; empty for the folder itself. Absolute paths must lie in it, others count from it.
  native::Outcome<std::string> inside(std::string_view path) const;

  native::Outcome<Bytes> read(const std::string& path) const;
  /// True for files only.
  bool is_file(const std::string& path) const;
  /// Makes missing folders; the file changes at once.
  native::Outcome<void> write(const std::string& path, ByteView bytes) const;
  /// The same, over `expected` alone.
  native::Outcome<native::Verdict> write_over(const native::Expectation& expected, const std::string& path,
                                              ByteView bytes) const;
  native::Outcome<void> remove(const std::string& path) const;
  /// Absolute paths of all files beneath, sorted.
  std::vector<std::string> list(const std::string& folder) const;

 private:
  WorkspaceFiles(std::string location, native::RootFolder root)
      : location_(std::move(location)), root_(std::move(root)) {}

  std::string location_;
  native::RootFolder root_;
};

}  // namespace diaryx::host
