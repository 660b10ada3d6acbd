#include "blob_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>

#include "diaryx/native/random.h"
#include "diaryx/native/unique_fd.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::os_problem;
using native::Outcome;
using native::UniqueFd;

constexpr size_t kCopyBytes = 256u << 10;

Outcome<void> sync_directory(const fs::path& directory) {
  const UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return os_problem("sync", directory.native(), errno);
  return {};
}

Outcome<void> make_directories(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) return os_problem("make the folder", directory.native(), error.value());
  return {};
}

Outcome<void> write_all(int fd, ByteView bytes, const fs::path& name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return os_problem("write", name.native(), errno);
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return {};
}

/// Appends `from` to `to` and to the hash.
Outcome<void> append_file(const fs::path& from, int to, const fs::path& to_name, Sha256Hasher& hasher) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return os_problem("read", from.native(), errno);
  Bytes buffer(kCopyBytes);
  while (true) {
    const ssize_t got = ::read(in.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return os_problem("read", from.native(), errno);
    if (got == 0) return {};
    const ByteView piece(buffer.data(), static_cast<size_t>(got));
    hasher.update(piece);
    if (auto written = write_all(to, piece, to_name); !written) return written;
  }
}

uint64_t file_size_or_zero(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

void remove_quietly(const fs::path& path) {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

/// Empty if the folder cannot be read.
std::vector<fs::directory_entry> entries_of(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code error;
  for (fs::directory_iterator at(folder, error); !error && at != fs::directory_iterator(); at.increment(error))
    entries.push_back(*at);
  std::ranges::sort(entries);
  return entries;
}

/// Of the folders below `folder`.
std::vector<std::string> ids_in(const fs::path& folder) {
  std::vector<std::string> ids;
  for (const fs::directory_entry& entry : entries_of(folder)) {
    std::error_code error;
    std::string name = entry.path().filename();
    if (native::is_uuid(name) && entry.is_directory(error)) ids.push_back(std::move(name));
  }
  return ids;
}

bool was_written_before(const fs::directory_entry& entry, TimestampMs time) {
  std::error_code error;
  const auto written = entry.last_write_time(error);
  if (error) return false;
  const auto since = std::chrono::file_clock::to_sys(written).time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count() < time.value();
}

}  // namespace

uint64_t part_size_of(const Upload& upload, uint32_t part) {
  if (part < upload.total_parts) return upload.part_size;
  return upload.size_bytes - upload.part_size * (upload.total_parts - 1);
}

Outcome<BlobStore> BlobStore::open(const fs::path& data) {
  BlobStore store(data);
  remove_quietly(data / "receiving");
  for (const char* name : {"blobs", "uploads", "receiving"}) {
    if (auto made = make_directories(data / name); !made) return std::unexpected(made.error());
  }
  return store;
}

Outcome<BlobStore> BlobStore::open_existing(const fs::path& data) {
  std::error_code error;
  if (!fs::is_directory(data / "blobs", error)) return native::problem("there are no attachments in " + data.native());
  return BlobStore(data);
}

void BlobStore::discard_user(const std::string& user_id) const {
  // An id this server made: a name that could lead elsewhere is not one.
  if (native::is_uuid(user_id)) remove_quietly(data_ / "blobs" / user_id);
}

fs::path BlobStore::temporary() const { return data_ / "receiving" / native::uuid_v4(); }

fs::path BlobStore::upload_directory(const std::string& upload_id) const { return data_ / "uploads" / upload_id; }

fs::path BlobStore::blob_path(const std::string& user_id, const Sha256& hash) const {
  const std::string name = hash.hex();
  return data_ / "blobs" / user_id / name.substr(0, 2) / name;
}

bool BlobStore::has(const std::string& user_id, const Sha256& hash, uint64_t size_bytes) const {
  std::error_code error;
  const auto size = fs::file_size(blob_path(user_id, hash), error);
  return !error && size == size_bytes;
}

bool BlobStore::has_part(const Upload& upload, uint32_t part) const {
  return file_size_or_zero(upload_directory(upload.id) / std::to_string(part)) == part_size_of(upload, part);
}

Outcome<void> BlobStore::keep_part(const std::string& upload_id, uint32_t part, const fs::path& received) const {
  const fs::path directory = upload_directory(upload_id);
  if (auto made = make_directories(directory); !made) return made;
  std::error_code error;
  fs::rename(received, directory / std::to_string(part), error);
  if (error) return os_problem("keep", received.native(), error.value());
  return {};
}

Outcome<void> BlobStore::place(const fs::path& finished, const std::string& user_id, const Sha256& hash) const {
  const fs::path target = blob_path(user_id, hash);
  if (auto made = make_directories(target.parent_path()); !made) return made;
  std::error_code error;
  fs::rename(finished, target, error);
  if (error) return os_problem("place", target.native(), error.value());
  // Names become durable from the inside out: the file in its folder, that folder, the user's folder.
  for (fs::path at = target.parent_path(); at != data_; at = at.parent_path()) {
    if (auto synced = sync_directory(at); !synced) return synced;
  }
  return {};
}

Outcome<BlobStore::Assembled> BlobStore::assemble(const Upload& upload) const {
  Assembled result;
  const fs::path directory = upload_directory(upload.id);
  for (uint32_t part = 1; part <= upload.total_parts; ++part) {
    if (!has_part(upload, part)) result.missing.push_back(part);
  }
  if (!result.missing.empty()) return result;

  const fs::path joined = temporary();
  const UniqueFd out(::open(joined.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return os_problem("write", joined.native(), errno);
  const auto give_up = [&](const native::Problem& why) {
    remove_quietly(joined);
    return std::unexpected(why);
  };
  Sha256Hasher hasher;
  for (uint32_t part = 1; part <= upload.total_parts; ++part) {
    auto copied = append_file(directory / std::to_string(part), out.get(), joined, hasher);
    if (!copied) return give_up(copied.error());
  }
  if (hasher.finish() != upload.hash) {
    remove_quietly(joined);
    result.wrong_hash = true;
    return result;
  }
  if (::fsync(out.get()) != 0) return give_up(os_problem("sync", joined.native(), errno).error());
  if (auto placed = place(joined, upload.user_id, upload.hash); !placed) return give_up(placed.error());
  result.stored = true;
  return result;
}

Outcome<void> BlobStore::put(const std::string& user_id, const Sha256& hash, ByteView bytes) const {
  if (has(user_id, hash, bytes.size())) return {};
  const fs::path name = temporary();
  const UniqueFd out(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!out) return os_problem("write", name.native(), errno);
  auto stored = write_all(out.get(), bytes, name);
  if (stored && ::fsync(out.get()) != 0) stored = os_problem("sync", name.native(), errno);
  if (stored) stored = place(name, user_id, hash);
  if (!stored) remove_quietly(name);
  return stored;
}

Outcome<void> BlobStore::put_file(const std::string& user_id, const Sha256& hash, uint64_t size_bytes,
                                  const fs::path& file) const {
  if (has(user_id, hash, size_bytes)) return {};
  const UniqueFd written(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written || ::fsync(written.get()) != 0) return os_problem("sync", file.native(), errno);
  return place(file, user_id, hash);
}

void BlobStore::discard_blob(const std::string& user_id, const Sha256& hash) const {
  if (native::is_uuid(user_id)) remove_quietly(blob_path(user_id, hash));
}

void BlobStore::discard_upload(const std::string& upload_id) const { remove_quietly(upload_directory(upload_id)); }

std::vector<std::string> BlobStore::users() const { return ids_in(data_ / "blobs"); }

std::vector<std::string> BlobStore::uploads() const { return ids_in(data_ / "uploads"); }

std::vector<BlobKey> BlobStore::blobs_of(const std::string& user_id, uint8_t first_byte, TimestampMs before) const {
  Sha256 first;
  first.bytes[0] = first_byte;
  std::vector<BlobKey> blobs;
  for (const fs::directory_entry& entry : entries_of(blob_path(user_id, first).parent_path())) {
    const auto hash = Sha256::from_hex(entry.path().filename().native());
    std::error_code error;
    const bool ours = hash && entry.path() == blob_path(user_id, *hash) && entry.is_regular_file(error);
    if (ours && was_written_before(entry, before)) blobs.push_back({user_id, *hash});
  }
  return blobs;
}

}  // namespace diaryx::server
