#include "zip_archive.h"

#include <zip.h>

#include <algorithm>
#include <map>
#include <memory>

#include "diaryx/sync/path.h"

namespace diaryx::server {
namespace {

constexpr uint32_t kRegularFile0644 = 0100644u << 16;
constexpr size_t kPieceBytes = 256u << 10;

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

/// Reads entry `index`, at most `allowed` bytes, whatever the directory of the archive says.
std::expected<Bytes, ZipRefusal> read_entry(zip_t* archive, zip_uint64_t index, uint64_t allowed) {
  const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive, index, 0));
  if (!file) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive cannot be read, or it is encrypted.");
  Bytes bytes;
  Bytes piece(kPieceBytes);
  while (true) {
    const zip_int64_t got = zip_fread(file.get(), piece.data(), piece.size());
    if (got < 0) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive is damaged.");
    if (got == 0) return bytes;
    if (static_cast<uint64_t>(got) > allowed - bytes.size()) return too_large();
    bytes.insert(bytes.end(), piece.begin(), piece.begin() + got);
  }
}

}  // namespace

native::Outcome<void> write_zip(const std::filesystem::path& target, const std::vector<ZipEntry>& entries) {
  int code = 0;
  Archive archive(zip_open(target.c_str(), ZIP_CREATE | ZIP_EXCL, &code));
  if (!archive) return native::problem("cannot write the archive: " + message_of(code));
  for (const ZipEntry& entry : entries) {
    zip_source_t* source = entry.blob.empty()
                               ? zip_source_buffer(archive.get(), entry.text.data(), entry.text.size(), 0)
                               : zip_source_file(archive.get(), entry.blob.c_str(), 0, -1);
    const zip_int64_t index =
        source == nullptr ? -1 : zip_file_add(archive.get(), entry.path.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return native::problem("cannot add " + entry.path + " to the archive: " + zip_strerror(archive.get()));
    }
    const auto at = static_cast<zip_uint64_t>(index);
    zip_set_file_compression(archive.get(), at, entry.blob.empty() ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
    zip_file_set_external_attributes(archive.get(), at, 0, ZIP_OPSYS_UNIX, kRegularFile0644);
  }
  // libzip writes no file for an archive without entries; an empty workspace is a valid snapshot all the same.
  if (entries.empty()) return native::problem("there is nothing to archive");
  if (zip_close(archive.get()) != 0)
    return native::problem(std::string("cannot write the archive: ") + zip_strerror(archive.get()));
  (void)archive.release();
  return {};
}

std::expected<std::vector<UnpackedFile>, ZipRefusal> read_zip(const std::filesystem::path& source,
                                                              const ZipLimits& limits) {
  int code = 0;
  const Archive archive(zip_open(source.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (!archive)
    return refuse(ZipRefusal::Kind::NotAZip, "This is not a readable zip archive: " + message_of(code) + ".");
  const zip_int64_t count = zip_get_num_entries(archive.get(), 0);
  if (count > limits.entries) return refuse(ZipRefusal::Kind::TooLarge, "The archive has too many entries. Split it.");

  std::map<std::string, Bytes> files;
  uint64_t left = limits.unpacked_bytes;
  for (zip_int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char* raw = zip_get_name(archive.get(), index, 0);
    if (raw == nullptr) return refuse(ZipRefusal::Kind::NotAZip, "An entry of the archive has no readable name.");
    const std::string name(raw);
    if (name.ends_with('/')) continue;
    // Checked as it is written: an archive from elsewhere that needs repair is not guessed at.
    const sync::PathProblem problem = sync::check_path(name);
    if (problem != sync::PathProblem::Fine) {
      return refuse(ZipRefusal::Kind::BadPath, "The archive has an entry that cannot be a file of a workspace: " +
                                                   std::string(sync::describe(problem)) + ".");
    }
    if (!sync::is_carried(name)) continue;
    auto bytes = read_entry(archive.get(), index, left);
    if (!bytes) return std::unexpected(bytes.error());
    left -= bytes->size();
    files[name] = std::move(*bytes);
  }
  std::vector<UnpackedFile> unpacked;
  unpacked.reserve(files.size());
  for (auto& [path, bytes] : files) unpacked.push_back({path, std::move(bytes)});
  return unpacked;
}

}  // namespace diaryx::server
