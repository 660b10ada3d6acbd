#include "diaryx/native/file_hash.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>
#include <vector>

namespace diaryx::native {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;

}  // namespace

void FileHasher::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

FileHasher::FileHasher() : context_(EVP_MD_CTX_new()) {
  DX_ASSERT(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
}

void FileHasher::update(ByteView bytes) {
  DX_ASSERT(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
}

Sha256 FileHasher::finish() {
  Sha256 digest;
  DX_ASSERT(EVP_DigestFinal_ex(context_.get(), digest.bytes.data(), nullptr) == 1);
  return digest;
}

Outcome<Sha256> hash_descriptor(int fd, std::string_view path) {
  FileHasher hasher;
  std::vector<uint8_t> piece(kPieceBytes);
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_problem("read", path, errno);
    if (got == 0) return hasher.finish();
    hasher.update(ByteView(piece.data(), size_t(got)));
  }
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
  return std::unexpected(
      Problem{std::string(path) + " is being written just now; it is read when it is quiet", EAGAIN});
}

}  // namespace diaryx::native
