#include "backup_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "diaryx/native/file_hash.h"
#include "diaryx/native/unique_fd.h"
#include "sqlite_threads.h"

namespace diaryx::server {

namespace fs = std::filesystem;
using native::Database;
using native::Outcome;
using native::problem;
using native::UniqueFd;

std::unexpected<native::Problem> database_problem(const native::SqliteError& error, const std::string& name) {
  return problem(name + " cannot be read: " + error.message + (error.is_damaged() ? "; see diaryx-syncd doctor" : ""));
}

Outcome<Source> open_source(const fs::path& folder) {
  const fs::path path = folder / "server.db";
  std::error_code error;
  if (!fs::exists(path, error))
    return problem("there is no server.db in " + folder.native() + "; give the folder of a server or of a backup");
  const std::string name = "the database " + path.native();
  auto database = Database::open_reader(path);
  if (!database) return database_problem(database.error(), name);
  const auto schema = look_at_schema(*database);
  if (!schema) return database_problem(schema.error(), name);
  if (schema->kind == Schema::Kind::Newer) return problem(name + " " + std::string(kMadeByNewer));
  return Source{std::move(*database), schema->kind};
}

Outcome<std::vector<BlobRow>> blobs_in(Database& database) {
  std::vector<BlobRow> rows;
  DX_DB(auto select, database.prepare("SELECT user_id, hash, size_bytes FROM blobs ORDER BY user_id, hash"));
  while (true) {
    DX_DB(const bool row, select.step());
    if (!row) return rows;
    rows.push_back({select.text(0), hash_in(select.blob_view(1)), static_cast<uint64_t>(select.integer(2))});
  }
}

Outcome<void> copy_blobs(const std::vector<BlobRow>& blobs, const fs::path& from, const fs::path& to) {
  for (const BlobRow& blob : blobs) {
    const fs::path target = blob.below(to);
    std::error_code error;
    fs::create_directories(target.parent_path(), error);
    if (error) return not_written(target, error.value());
    if (auto copied = copy_whole(blob.below(from), target); !copied) return copied;
    const auto hash = hash_of_file(target);
    if (!hash) return std::unexpected(hash.error());
    if (*hash != blob.hash)
      return problem("the attachment " + target.native() + " is damaged; see diaryx-syncd verify");
  }
  return {};
}

Outcome<std::string> lineage_of(Database& database) {
  DX_DB(auto find, database.prepare("SELECT value FROM facts WHERE name='lineage'"));
  DX_DB(const bool found, find.step());
  return found ? find.text(0) : std::string();
}

Outcome<Sha256> hash_of_file(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return native::os_problem("read", path.native(), errno);
  return native::hash_descriptor(fd.get(), path.native());
}

Outcome<void> copy_whole(const fs::path& from, const fs::path& to) {
  const UniqueFd in(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
  if (!in) return native::os_problem("read", from.native(), errno);
  const UniqueFd out(::open(to.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!out) return not_written(to, errno);
  std::vector<char> piece(256u << 10);
  while (true) {
    const ssize_t got = ::read(in.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return native::os_problem("read", from.native(), errno);
    for (ssize_t done = 0; done < got;) {
      const ssize_t written = ::write(out.get(), piece.data() + done, static_cast<size_t>(got - done));
      if (written < 0 && errno != EINTR) return not_written(to, errno);
      if (written > 0) done += written;
    }
    if (got > 0) continue;
    if (::fsync(out.get()) != 0) return not_written(to, errno);
    return {};
  }
}

Outcome<void> sync_path(const fs::path& path) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return native::os_problem("sync", path.native(), errno);
  return {};
}

std::unexpected<native::Problem> not_written(const fs::path& path, int code) {
  if (!native::is_full_disk(code)) return native::os_problem("write", path.native(), code);
  return problem("the disk of " + path.parent_path().native() + " is full; free some space, or name another folder");
}

}  // namespace diaryx::server
