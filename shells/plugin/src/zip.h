// Zip archives: written uncompressed, read uncompressed or deflated. Enough for snapshots, small enough for a guest.
//
// Our own, 200 lines: the guest has no zip library, and one for both directions with deflate would be half its size.
// Source: PKWARE APPNOTE 6.3, sections 4.3 to 4.5 (no zip64, no encryption, one disk).
#pragma once

#include <string>
#include <vector>

#include "diaryx/base/bytes.h"

namespace diaryx::plugin {

/// Bounds for archives from outside: an entry may claim to unpack to anything.
inline constexpr size_t kMaxZipEntries = 200'000;
inline constexpr size_t kMaxZipEntryBytes = 256u << 20;
inline constexpr size_t kMaxZipTotalBytes = 1024u << 20;

class ZipWriter {
 public:
  /// name     UTF-8 with `/`.
  /// Returns  false when the format has no room for it: a name over 65,535 bytes, 65,535 entries, 4 GiB in all.
  [[nodiscard]] bool add(std::string_view name, ByteView bytes);
  Bytes finish() &&;

 private:
  Bytes archive_;
  Bytes directory_;
  uint32_t entries_ = 0;
};

struct ZipEntry {
  std::string name;  // not trusted
  uint16_t method = 0;
  uint32_t crc = 0;
  uint32_t packed_bytes = 0;
  uint32_t size_bytes = 0;
  uint32_t header_at = 0;
};

/// The central directory. Errors: Truncated, InvalidMessage (no archive), TooLarge, Unsupported (zip64, encryption).
Result<std::vector<ZipEntry>> read_zip_directory(ByteView archive);

/// The content of an entry, checked against its CRC. Errors: as above; InvalidMessage when it is damaged.
Result<Bytes> read_zip_entry(ByteView archive, const ZipEntry& entry);

}  // namespace diaryx::plugin
