// What `verify` finds in a folder; `restore` takes only a backup in which it finds nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "backup_folder.h"
#include "data_folder.h"

namespace diaryx::server {

struct Findings {
  uint64_t documents = 0;
  uint64_t records = 0;
  uint64_t blobs = 0;
  std::vector<std::string> damages;  // a sentence each
  Leftovers leftovers;
};

/// Looks at every record, snapshot and attachment.
native::Outcome<Findings> look_at(Source& source, const std::filesystem::path& folder);

}  // namespace diaryx::server
