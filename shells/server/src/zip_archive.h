// Snapshots as zip files: written from a workspace, read back with every bound checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/sha256.h"
#include "diaryx/native/problem.h"
#include "temporary_file.h"

namespace diaryx::server {

/// One entry to write. Text is deflated; a blob is stored as it is, straight from its file.
struct ZipEntry {
  std::string path;
  std::string text;
  std::filesystem::path blob;                     // not empty: instead of `text`
  std::shared_ptr<const TemporaryFile> text_file = {};  // the text is in here: instead of both
  std::string comment = {};                             // at most 65,535 bytes
};

/// Writes `entries` to the new file `target`. No directory entries, mode 0644. Blocking.
native::Outcome<void> write_zip(const std::filesystem::path& target, const std::vector<ZipEntry>& entries);

struct ZipLimits {
  uint64_t unpacked_bytes = 0;  // all entries together; an entry that lies about its size is stopped at the true one
  uint32_t entries = 0;
  uint64_t memory_bytes = UINT64_MAX;  // of `unpacked_bytes`, what is kept in memory
};

/// One entry that was read; its path passed `check_path`.
struct UnpackedFile {
  std::string path;
  uint64_t size_bytes = 0;
  Sha256 hash;                          // of what is in a file
  Bytes bytes;                          // what is kept in memory
  std::unique_ptr<TemporaryFile> file;  // instead of `bytes`
  std::string comment;
};

/// Where entries go that need not be in memory.
struct ZipSpool {
  std::function<std::filesystem::path()> new_file;
  std::function<bool(const std::string& path, uint64_t size_bytes)> takes;
};

/// Why an archive was refused.
struct ZipRefusal {
  enum class Kind : uint8_t { NotAZip, TooLarge, BadPath, DiskFull, DiskFailed };
  Kind kind;
  std::string sentence;
};

/// Reads a whole archive, or refuses it whole: nothing is half imported. Entries that sync does not carry
/// (`.git`, `__MACOSX`, symbolic links, …) and directories are skipped; `./` and doubled slashes are taken out of names; a path
/// that leaves the workspace, is absolute or reserved, or stands there twice, refuses the archive. Sizes that the archive itself names are added up before anything is
/// unpacked. Memory: what `spool` does not take. Blocking.
std::expected<std::vector<UnpackedFile>, ZipRefusal> read_zip(const std::filesystem::path& source,
                                                              const ZipLimits& limits, const ZipSpool& spool = {});

}  // namespace diaryx::server
