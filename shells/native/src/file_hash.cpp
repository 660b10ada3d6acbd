#include "diaryx/native/file_hash.h"

#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace diaryx::native {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

}  // namespace

Outcome<Sha256> hash_descriptor(int fd, std::string_view path) {
  Sha256Hasher hasher;
  std::vector<uint8_t> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_problem("read", path, errno);
    if (got == 0) return hasher.finish();
    hasher.update(ByteView(piece.data(), size_t(got)));
  }
}

Outcome<std::optional<Sha256>> hash_file(const RootFolder& root, std::string_view path) {
  const auto entry = root.look(path);
  if (!entry) return std::unexpected(entry.error());
  if (entry->kind != EntryKind::File) return std::nullopt;
  const auto file = root.open_file(path);
  if (!file) return std::unexpected(file.error());
  auto digest = hash_descriptor(file->get(), path);
  if (!digest) return std::unexpected(std::move(digest.error()));
  return std::optional(*digest);
}

Outcome<HashedFile> hash_file_at_rest(const RootFolder& root, std::string_view path) {
  const auto file = root.open_file(path);
  if (!file) return std::unexpected(file.error());
  const auto before = stamp_of(file->get(), path);
  if (!before) return std::unexpected(before.error());
  const auto digest = hash_descriptor(file->get(), path);
  if (!digest) return std::unexpected(digest.error());
  const auto after = stamp_of(file->get(), path);
  if (!after) return std::unexpected(after.error());
  if (*before == *after) return HashedFile{*digest, *after};
  return std::unexpected(Problem{std::string(path) + " is being written just now; it is read when it is quiet", EAGAIN});
}

}  // namespace diaryx::native
