// What the system says of a file, as a stamp.
#pragma once

#include <sys/stat.h>

#include <cstdint>

#include "diaryx/native/root_folder.h"

namespace diaryx::native {

/// A time after the year 2262, which a file may have, wraps; it tells states apart all the same.
inline int64_t to_ns(const timespec& time) {
  return int64_t(uint64_t(time.tv_sec) * 1'000'000'000 + uint64_t(time.tv_nsec));
}

inline FileStamp to_stamp(const struct stat& info) {
  return FileStamp{.device = uint64_t(info.st_dev),
                   .inode = uint64_t(info.st_ino),
                   .size_bytes = uint64_t(info.st_size),
                   .modified_ns = to_ns(info.st_mtim),
                   .changed_ns = to_ns(info.st_ctim)};
}

}  // namespace diaryx::native
