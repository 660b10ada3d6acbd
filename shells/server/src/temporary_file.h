// A file of the server's own that nobody needs for long.
#pragma once

#include <filesystem>
#include <system_error>
#include <utility>

namespace diaryx::server {

/// A file that goes with its owner, unless something took it away before.
class TemporaryFile {
 public:
  /// path   empty: none.
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace diaryx::server
