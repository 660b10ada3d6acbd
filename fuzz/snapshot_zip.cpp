// A snapshot that somebody uploads: a zip file.
//
// 1. read it; refusal is fine   2. what is taken stays inside the limits and names files of a workspace, each once   3. written again
// and read again it is the same
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <set>
#include <string>

#include "diaryx/base/result.h"
#include "diaryx/sync/path.h"
#include "zip_archive.h"

using namespace diaryx;
using namespace diaryx::server;

namespace {

constexpr ZipLimits kLimits{.unpacked_bytes = 1u << 20, .entries = 64};

std::string path_of(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const int file = ::memfd_create("snapshot", MFD_CLOEXEC);
  DX_ASSERT(file >= 0);
  DX_ASSERT(::write(file, data, size) == static_cast<ssize_t>(size));
  const auto files = read_zip(path_of(file), kLimits);
  ::close(file);
  if (!files) {
    DX_ASSERT(!files.error().sentence.empty());
    return 0;
  }
  uint64_t total = 0;
  std::set<std::string> paths;
  std::vector<ZipEntry> entries;
  for (const UnpackedFile& one : *files) {
    total += one.bytes.size();
    DX_ASSERT(sync::check_path(one.path) == sync::PathProblem::Fine && sync::is_carried(one.path));
    DX_ASSERT(paths.insert(one.path).second);
    entries.push_back({one.path, std::string(as_text(one.bytes)), {}});
  }
  DX_ASSERT(total <= kLimits.unpacked_bytes && files->size() <= kLimits.entries);
  if (entries.empty()) return 0;
  static const std::string target =
      (std::filesystem::temp_directory_path() / ("fuzz_snapshot_zip." + std::to_string(::getpid()))).string();
  DX_ASSERT(write_zip(target, entries).has_value());
  const auto again = read_zip(target, kLimits);
  std::filesystem::remove(target);
  DX_ASSERT(again && again->size() == files->size());
  for (size_t i = 0; i < files->size(); ++i) {
    DX_ASSERT((*again)[i].path == (*files)[i].path && (*again)[i].bytes == (*files)[i].bytes);
  }
  return 0;
}
