#include "zip_archive.h"

#include <fcntl.h>
#include <unistd.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <system_error>

#include "diaryx/native/unique_fd.h"
#include "diaryx/sync/path.h"

namespace diaryx::server {
namespace {

constexpr uint32_t kRegularFile0644 = 0100644u << 16;
constexpr uint32_t kFileType = 0170000u << 16;
constexpr uint32_t kSymbolicLink = 0120000u << 16;
constexpr size_t kPieceBytes = 256u << 10;

// The records at the end of an archive (APPNOTE.TXT 6.3, sections 4.3.14 to 4.3.16).
constexpr std::string_view kLargeEnd = "PK\6\6";
constexpr size_t kLargeEndBytes = 56;
constexpr size_t kCountInLargeEnd = 32;
constexpr std::string_view kLargeEndLocator = "PK\6\7";
constexpr size_t kLocatorBytes = 20;
constexpr size_t kPlaceInLocator = 8;
constexpr uint64_t kTailBytes = kLocatorBytes + 22 + 0xffff;  // with the end record and the longest comment

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};
using Archive = std::unique_ptr<zip_t, Discard>;

std::string message_of(int code) {
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  std::string message = zip_error_strerror(&error);
  zip_error_fini(&error);
  return message;
}

std::unexpected<ZipRefusal> refuse(ZipRefusal::Kind kind, std::string sentence) {
  return std::unexpected(ZipRefusal{kind, std::move(sentence)});
}

std::unexpected<ZipRefusal> too_large() {
  return refuse(ZipRefusal::Kind::TooLarge, "The archive is too large when unpacked. Split it.");
}

std::unexpected<ZipRefusal> too_many_entries() {
  return refuse(ZipRefusal::Kind::TooLarge, "The archive has too many entries. Split it.");
}

std::unexpected<ZipRefusal> disk_failed(int code) {
  if (native::is_full_disk(code))
    return refuse(ZipRefusal::Kind::DiskFull, "The server's disk is full. Nothing was imported.");
  return refuse(ZipRefusal::Kind::DiskFailed, std::generic_category().message(code));
}

/// `size_bytes` from `place` on; empty if they are not there.
std::string read_at(std::ifstream& in, uint64_t place, size_t size_bytes) {
  std::string bytes(size_bytes, '\0');
  in.clear();
  in.seekg(static_cast<std::streamoff>(place));
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) bytes.clear();
  return bytes;
}

/// `at` in `record`; the record is long enough.
uint64_t number_at(std::string_view record, size_t at) {
  uint64_t number = 0;
  for (size_t i = 8; i-- > 0;) number = number << 8 | static_cast<uint8_t>(record[at + i]);
  return number;
}

/// How many entries an archive says it has, where it says so in 64 bits, as every one with more than 65,535 does. Of several records
/// the largest counts: which of them is believed is the library's business.
uint64_t named_entries(const std::filesystem::path& source) {
  std::error_code unreadable;
  const auto size = std::filesystem::file_size(source, unreadable);
  if (unreadable) return 0;
  std::ifstream in(source, std::ios::binary);
  const uint64_t tail_bytes = std::min<uint64_t>(size, kTailBytes);
  const std::string tail = read_at(in, size - tail_bytes, tail_bytes);
  uint64_t most = 0;
  for (size_t at = tail.find(kLargeEndLocator); at != std::string::npos; at = tail.find(kLargeEndLocator, at + 1)) {
    if (tail.size() - at < kLocatorBytes) break;
    const std::string end = read_at(in, number_at(tail, at + kPlaceInLocator), kLargeEndBytes);
    if (end.starts_with(kLargeEnd)) most = std::max(most, number_at(end, kCountInLargeEnd));
  }
  return most;
}

/// Takes one entry piece by piece: into memory, or into a file and a hash.
class Sink {
 public:
  static std::expected<Sink, ZipRefusal> open(std::unique_ptr<TemporaryFile> file) {
    Sink sink;
    if (file != nullptr) {
      sink.out_ = native::UniqueFd(::open(file->path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
      if (!sink.out_) return disk_failed(errno);
    }
    sink.unpacked_.file = std::move(file);
    return sink;
  }

  std::expected<void, ZipRefusal> take(ByteView piece) {
    unpacked_.size_bytes += piece.size();
    if (!out_) {
      unpacked_.bytes.insert(unpacked_.bytes.end(), piece.begin(), piece.end());
      return {};
    }
    hasher_.update(piece);
    while (!piece.empty()) {
      const ssize_t written = ::write(out_.get(), piece.data(), piece.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return disk_failed(errno);
      piece = piece.subspan(static_cast<size_t>(written));
    }
    return {};
  }

  uint64_t size_bytes() const { return unpacked_.size_bytes; }
  UnpackedFile finish() {
    if (out_) unpacked_.hash = hasher_.finish();
    return std::move(unpacked_);
  }

 private:
  UnpackedFile unpacked_;
  native::UniqueFd out_;
  Sha256Hasher hasher_;
};

/// Reads entry `index`, at most `allowed` bytes, whatever the directory of the archive says.
std::expected<UnpackedFile, ZipRefusal> read_entry(zip_t* archive, zip_uint64_t index, uint64_t allowed,
                                                   std::unique_ptr<TemporaryFile> target) {
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, index, 0));
  if (!file) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive cannot be read, or it is encrypted.");
  auto sink = Sink::open(std::move(target));
  if (!sink) return std::unexpected(sink.error());
  Bytes piece(kPieceBytes);
  while (true) {
    const zip_int64_t got = zip_fread(file.get(), piece.data(), piece.size());
    if (got < 0) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive is damaged.");
    if (got == 0) return sink->finish();
    if (static_cast<uint64_t>(got) > allowed - sink->size_bytes()) return too_large();
    if (auto taken = sink->take(ByteView(piece).first(static_cast<size_t>(got))); !taken)
      return std::unexpected(taken.error());
  }
}

std::string comment_of(zip_t* archive, zip_uint64_t index) {
  zip_uint32_t size = 0;
  const char* const comment = zip_file_get_comment(archive, index, &size, 0);
  return comment == nullptr ? std::string() : std::string(comment, size);
}

/// Its content is a path and not a text; devices do not carry links either.
bool is_symbolic_link(zip_t* archive, zip_uint64_t index) {
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  return zip_file_get_external_attributes(archive, index, 0, &system, &attributes) == 0 && system == ZIP_OPSYS_UNIX &&
         (attributes & kFileType) == kSymbolicLink;
}

/// `a/b` for `./a//b` or `a/./b`, as other tools write it. What is not in the folder of the archive stays so, and is refused.
std::string plain_name(std::string_view name) {
  std::string plain;
  while (!name.empty()) {
    const size_t length = std::min(name.find('/'), name.size() - 1) + 1;  // with its slash
    const std::string_view part = name.substr(0, length);
    name.remove_prefix(length);
    if (part == "./" || (part == "/" && !plain.empty())) continue;
    plain += part;
  }
  return plain;
}

/// One that is to be read.
struct Listed {
  zip_uint64_t index;
  std::string path;
  bool to_file;
};

/// Looks at every entry before anything is unpacked.
std::expected<std::vector<Listed>, ZipRefusal> list_entries(zip_t* archive, const ZipLimits& limits,
                                                            const ZipSpool& spool) {
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  if (count > limits.entries) return too_many_entries();
  std::vector<Listed> listed;
  std::set<std::string> names;
  uint64_t left = limits.unpacked_bytes;
  uint64_t memory_left = limits.memory_bytes;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char* raw = zip_get_name(archive, index, 0);
    if (raw == nullptr) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive has no readable name.");
    const std::string name = plain_name(raw);
    if (name.empty() || name.ends_with('/')) continue;
    // Nothing else is made good: an archive from elsewhere that needs repair is not guessed at.
    const sync::PathProblem problem = sync::check_path(name);
    if (problem != sync::PathProblem::Fine) {
      return refuse(ZipRefusal::Kind::BadPath, "The archive has an entry that cannot be a file of a workspace: " +
                                                   std::string(sync::describe(problem)) + ".");
    }
    if (!sync::is_carried(name) || is_symbolic_link(archive, index)) continue;
    if (!names.insert(name).second) return refuse(ZipRefusal::Kind::BadPath, "The archive has " + name + " twice.");
    zip_stat_t about;
    zip_stat_init(&about);
    const bool known = zip_stat_index(archive, index, 0, &about) == 0 && (about.valid & ZIP_STAT_SIZE) != 0;
    const uint64_t size = known ? about.size : 0;
    const bool to_file = spool.takes && spool.takes(name, size);
    if (size > left || (!to_file && size > memory_left)) return too_large();
    left -= size;
    if (!to_file) memory_left -= size;
    listed.push_back({index, name, to_file});
  }
  return listed;
}

}  // namespace

native::Outcome<void> write_zip(const std::filesystem::path& target, const std::vector<ZipEntry>& entries) {
  int code = 0;
  Archive archive(zip_open(target.c_str(), ZIP_CREATE | ZIP_EXCL, &code));
  if (!archive) return native::problem("cannot write the archive: " + message_of(code));
  for (const ZipEntry& entry : entries) {
    const std::filesystem::path& file = entry.text_file != nullptr ? entry.text_file->path() : entry.blob;
    zip_source_t* source = file.empty() ? zip_source_buffer(archive.get(), entry.text.data(), entry.text.size(), 0)
                                        : zip_source_file(archive.get(), file.c_str(), 0, -1);
    const zip_int64_t index =
        source == nullptr ? -1 : zip_file_add(archive.get(), entry.path.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return native::problem("cannot add " + entry.path + " to the archive: " + zip_strerror(archive.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive.get(), at, entry.blob.empty() ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    zip_file_set_external_attributes(archive.get(), at, 0, ZIP_OPSYS_UNIX, kRegularFile0644);
    zip_file_set_comment(archive.get(), at, entry.comment.data(), static_cast<zip_uint16_t>(entry.comment.size()),
                         ZIP_FL_ENC_UTF_8);
  }
  // libzip writes no file for an archive without entries; an empty workspace is a valid snapshot all the same.
  if (entries.empty()) return native::problem("there is nothing to archive");
  if (zip_close(archive.get()) != 0)
    return native::problem(std::string("cannot write the archive: ") + zip_strerror(archive.get()));
  (void)archive.release();
  return {};
}

std::expected<std::vector<UnpackedFile>, ZipRefusal> read_zip(const std::filesystem::path& source,
                                                              const ZipLimits& limits, const ZipSpool& spool) {
  // Asked before it is opened, which takes memory for each.
  if (named_entries(source) > limits.entries) return too_many_entries();
  int code = 0;
  const Archive archive(zip_open(source.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!archive)
    return refuse(ZipRefusal::Kind::NotAZip, "This is not a readable zip archive: " + message_of(code) + ".");
  const auto listed = list_entries(archive.get(), limits, spool);
  if (!listed) return std::unexpected(listed.error());
  std::map<std::string, UnpackedFile> files;
  uint64_t left = limits.unpacked_bytes;
  uint64_t memory_left = limits.memory_bytes;
  for (const Listed& entry : *listed) {
    const uint64_t allowed = entry.to_file ? left : std::min(left, memory_left);
    auto file = read_entry(archive.get(), entry.index, allowed,
                           entry.to_file ? std::make_unique<TemporaryFile>(spool.new_file()) : nullptr);
    if (!file) return std::unexpected(file.error());
    left -= file->size_bytes;
    if (!entry.to_file) memory_left -= file->size_bytes;
    file->path = entry.path;
    file->comment = comment_of(archive.get(), entry.index);
    files[entry.path] = std::move(*file);
  }
  std::vector<UnpackedFile> unpacked;
  unpacked.reserve(files.size());
  for (auto& [path, file] : files) unpacked.push_back(std::move(file));
  return unpacked;
}

}  // namespace diaryx::server
