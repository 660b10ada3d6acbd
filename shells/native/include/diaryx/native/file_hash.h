// SHA-256 of files, read in pieces, with the processor's own instructions where it has them (OpenSSL): the core's portable
// code takes more than ten times as long, which matters for attachments of gigabytes.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "diaryx/base/sha256.h"
#include "diaryx/native/root_folder.h"

struct evp_md_ctx_st;

namespace diaryx::native {

/// Hashes what it is given, in pieces of any size.
class FileHasher {
 public:
  FileHasher();
  void update(ByteView bytes);
  /// The digest of all that was given; the hasher is spent afterwards.
  Sha256 finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

struct HashedFile {
  Sha256 digest;
  FileStamp stamp;  // the same before and after the reading
};

/// From the descriptor's position to its end. `path` is for sentences.
Outcome<Sha256> hash_descriptor(int fd, std::string_view path);

/// The digest of the file at `path`, which nobody writes meanwhile. Errors: EAGAIN when somebody did; ENOENT.
Outcome<HashedFile> hash_file_at_rest(const RootFolder& root, std::string_view path);

}  // namespace diaryx::native
