#include "zip.h"

#include <array>
#include <limits>

#include "inflate.h"

namespace diaryx::plugin {
namespace {

constexpr uint32_t kLocalHeader = 0x04034b50;
constexpr uint32_t kDirectoryHeader = 0x02014b50;
constexpr uint32_t kEndOfDirectory = 0x06054b50;
constexpr size_t kLocalBytes = 30;
constexpr size_t kDirectoryBytes = 46;
constexpr size_t kEndBytes = 22;
constexpr size_t kMaxField = 65'535;
constexpr uint16_t kUtf8Names = 1 << 11;
constexpr uint16_t kEncrypted = 1;
constexpr uint16_t kVersion = 20;
constexpr uint16_t kUnix = 3 << 8;
constexpr uint32_t kPlainFile = 0100644u << 16;
constexpr uint16_t kFirstDay = (1 << 5) | 1;  // 1980-01-01: the guest does not know when a file was changed
constexpr uint16_t kStored = 0;
constexpr uint16_t kDeflated = 8;

// A step for each half of a byte: the usual table of 256 entries is a kilobyte that nothing compresses.
constexpr std::array<uint32_t, 16> make_crc_table() {
  std::array<uint32_t, 16> table{};
  for (uint32_t i = 0; i < 16; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 4; ++bit) value = (value >> 1) ^ ((value & 1) * 0xedb88320u);
    table[i] = value;
  }
  return table;
}

uint32_t crc32(ByteView bytes) {
  static constexpr auto kTable = make_crc_table();
  uint32_t crc = ~uint32_t{0};
  for (const uint8_t byte : bytes) {
    crc ^= byte;
    for (int half = 0; half < 2; ++half) crc = kTable[crc & 15] ^ (crc >> 4);
  }
  return ~crc;
}

void put16(Bytes& out, uint32_t value) {
  out.push_back(static_cast<uint8_t>(value));
  out.push_back(static_cast<uint8_t>(value >> 8));
}

void put32(Bytes& out, uint32_t value) {
  put16(out, value);
  put16(out, value >> 16);
}

void put_text(Bytes& out, std::string_view text) {
  const ByteView bytes = as_bytes(text);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

uint16_t get16(ByteView bytes, size_t at) { return static_cast<uint16_t>(bytes[at] | bytes[at + 1] << 8); }

uint32_t get32(ByteView bytes, size_t at) {
  return get16(bytes, at) | static_cast<uint32_t>(get16(bytes, at + 2)) << 16;
}

// The part that local header and directory share, from "version needed" to "name length".
void put_common(Bytes& out, std::string_view name, uint32_t crc, uint32_t size) {
  put16(out, kVersion);
  put16(out, kUtf8Names);
  put16(out, kStored);
  put16(out, 0);
  put16(out, kFirstDay);
  put32(out, crc);
  put32(out, size);
  put32(out, size);
  put16(out, static_cast<uint32_t>(name.size()));
  put16(out, 0);
}

Result<size_t> find_end(ByteView archive) {
  if (archive.size() < kEndBytes) return fail(ErrorCode::InvalidMessage);
  const size_t last = archive.size() - kEndBytes;
  const size_t first = last > kMaxField ? last - kMaxField : 0;
  for (size_t at = last + 1; at > first; --at) {
    if (get32(archive, at - 1) == kEndOfDirectory) return at - 1;
  }
  return fail(ErrorCode::InvalidMessage, archive.size());
}

}  // namespace

bool ZipWriter::add(std::string_view name, ByteView bytes) {
  const uint64_t after = uint64_t{archive_.size()} + directory_.size() + bytes.size() + 3 * name.size() + 256;
  if (name.size() > kMaxField || entries_ == kMaxField - 1 || after > std::numeric_limits<uint32_t>::max())
    return false;
  const auto header_at = static_cast<uint32_t>(archive_.size());
  const auto size = static_cast<uint32_t>(bytes.size());
  const uint32_t crc = crc32(bytes);
  put32(archive_, kLocalHeader);
  put_common(archive_, name, crc, size);
  put_text(archive_, name);
  archive_.insert(archive_.end(), bytes.begin(), bytes.end());

  put32(directory_, kDirectoryHeader);
  put16(directory_, kUnix | kVersion);
  put_common(directory_, name, crc, size);
  put16(directory_, 0);  // comment
  put16(directory_, 0);  // disk
  put16(directory_, 0);  // internal attributes
  put32(directory_, kPlainFile);
  put32(directory_, header_at);
  put_text(directory_, name);
  ++entries_;
  return true;
}

Bytes ZipWriter::finish() && {
  const auto directory_at = static_cast<uint32_t>(archive_.size());
  archive_.insert(archive_.end(), directory_.begin(), directory_.end());
  put32(archive_, kEndOfDirectory);
  put16(archive_, 0);
  put16(archive_, 0);
  put16(archive_, entries_);
  put16(archive_, entries_);
  put32(archive_, static_cast<uint32_t>(directory_.size()));
  put32(archive_, directory_at);
  put16(archive_, 0);
  return std::move(archive_);
}

Result<std::vector<ZipEntry>> read_zip_directory(ByteView archive) {
  DX_TRY(const size_t end, find_end(archive));
  size_t at = get32(archive, end + 16);
  if (at == 0xffffffff || get16(archive, end + 10) == 0xffff) return fail(ErrorCode::Unsupported, end);
  std::vector<ZipEntry> entries;
  uint64_t total = 0;
  while (at < end) {
    if (end - at < kDirectoryBytes) return fail(ErrorCode::Truncated, at);
    if (get32(archive, at) != kDirectoryHeader) return fail(ErrorCode::InvalidMessage, at);
    const size_t name_bytes = get16(archive, at + 28);
    const size_t entry_bytes = kDirectoryBytes + name_bytes + get16(archive, at + 30) + get16(archive, at + 32);
    if (entry_bytes > end - at) return fail(ErrorCode::Truncated, at);
    if (get16(archive, at + 8) & kEncrypted) return fail(ErrorCode::Unsupported, at);
    ZipEntry entry{.name = std::string(as_text(archive.subspan(at + kDirectoryBytes, name_bytes))),
                   .method = get16(archive, at + 10),
                   .crc = get32(archive, at + 16),
                   .packed_bytes = get32(archive, at + 20),
                   .size_bytes = get32(archive, at + 24),
                   .header_at = get32(archive, at + 42)};
    total += entry.size_bytes;
    if (entry.size_bytes > kMaxZipEntryBytes || total > kMaxZipTotalBytes || entries.size() == kMaxZipEntries) {
      return fail(ErrorCode::TooLarge, at);
    }
    entries.push_back(std::move(entry));
    at += entry_bytes;
  }
  return entries;
}

Result<Bytes> read_zip_entry(ByteView archive, const ZipEntry& entry) {
  const size_t at = entry.header_at;
  if (at > archive.size() || archive.size() - at < kLocalBytes) return fail(ErrorCode::Truncated, at);
  if (get32(archive, at) != kLocalHeader) return fail(ErrorCode::InvalidMessage, at);
  const size_t data_at = at + kLocalBytes + get16(archive, at + 26) + get16(archive, at + 28);
  if (data_at > archive.size() || archive.size() - data_at < entry.packed_bytes) return fail(ErrorCode::Truncated, at);
  const ByteView packed = archive.subspan(data_at, entry.packed_bytes);

  Bytes bytes;
  if (entry.method == kStored) {
    bytes = to_bytes(packed);
  } else if (entry.method == kDeflated) {
    DX_TRY(bytes, inflate(packed, entry.size_bytes));
  } else {
    return fail(ErrorCode::Unsupported, at);
  }
  if (bytes.size() != entry.size_bytes || crc32(bytes) != entry.crc) return fail(ErrorCode::InvalidMessage, data_at);
  return bytes;
}

}  // namespace diaryx::plugin
