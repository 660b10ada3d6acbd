// A folder of its own for each test, removed at the end.
#pragma once

#include <filesystem>

#include "diaryx/native/random.h"

namespace diaryx::server {

struct TemporaryFolder {
  TemporaryFolder() : path(std::filesystem::temp_directory_path() / ("diaryx-server-" + native::uuid_v4())) {
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::filesystem::path path;
};

}  // namespace diaryx::server
