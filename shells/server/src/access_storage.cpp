#include "access_storage.h"

namespace diaryx::server {

Sha256 hash_code(ByteView salt, std::string_view code) {
  Sha256Hasher hasher;
  hasher.update(salt);
  hasher.update(code);
  return hasher.finish();
}

}  // namespace diaryx::server
