// The check value that is stored with every record and snapshot.
#pragma once

#include <cstring>

#include "diaryx/base/sha256.h"

namespace diaryx::server {

/// Eight bytes of SHA-256: enough to notice a damaged record, cheap to compare.
inline int64_t record_check(ByteView bytes) {
  int64_t value = 0;
  std::memcpy(&value, sha256(bytes).bytes.data(), sizeof value);
  return value;
}

}  // namespace diaryx::server
