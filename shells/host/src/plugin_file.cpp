#include "plugin_file.h"

#include <cerrno>
#include <cstdio>
#include <memory>

namespace diaryx::host {
namespace {

constexpr size_t kLargestBytes = size_t{256} << 20;
constexpr size_t kPiece = size_t{64} << 10;

}  // namespace

native::Outcome<Bytes> read_plugin_file(const std::string& path) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  if (!file) return native::os_problem("open", path, errno);
  Bytes bytes;
  size_t got = kPiece;
  while (got == kPiece) {  // less only at the end, or when reading failed
    const size_t before = bytes.size();
    bytes.resize(before + kPiece);
    got = std::fread(bytes.data() + before, 1, kPiece, file.get());
    bytes.resize(before + got);
    if (bytes.size() > kLargestBytes) return native::problem(path + " is larger than any plugin");
  }
  if (std::ferror(file.get())) return native::os_problem("read", path, errno);
  return bytes;
}

}  // namespace diaryx::host
