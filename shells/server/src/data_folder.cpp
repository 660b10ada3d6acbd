#include "data_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include "blob_store.h"
#include "command.h"
#include "diaryx/native/unique_fd.h"
#include "services.h"
#include "sqlite_schema.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::Outcome;
using native::problem;
using native::UniqueFd;

constexpr const char* kLineage = "lineage";
constexpr DurationMs kFresh{60'000};

bool holds_a_file(const fs::path& folder) {
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error); !error && at != fs::recursive_directory_iterator();
       at.increment(error)) {
    if (!at->is_directory(error)) return true;
  }
  return false;
}

/// True if something was stored here before: then a database that holds nothing is not a new one.
bool has_held_a_server(const fs::path& data) {
  std::error_code error;
  return fs::exists(data / kLineage, error) || holds_a_file(data / "blobs") || holds_a_file(data / "uploads");
}

Outcome<void> remember_lineage(const fs::path& data, const std::string& lineage) {
  const fs::path name = data / kLineage;
  const fs::path fresh = data / "lineage.new";
  {
    const std::string line = lineage + "\n";
    const UniqueFd out(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out || ::write(out.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
        ::fsync(out.get()) != 0)
      return native::os_problem("write", fresh.native(), errno);
  }
  std::error_code error;
  fs::rename(fresh, name, error);
  if (error) return native::os_problem("write", name.native(), error.value());
  const UniqueFd folder(::open(data.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return native::os_problem("sync", data.native(), errno);
  return {};
}

}  // namespace

std::string remembered_lineage(const fs::path& data) {
  std::ifstream in(data / kLineage, std::ios::binary);
  std::string lineage;
  std::getline(in, lineage);
  return lineage;
}

TimestampMs lineage_since(const fs::path& data) {
  std::error_code error;
  const auto written = fs::last_write_time(data / kLineage, error);
  if (error) return now();
  const auto since = std::chrono::file_clock::to_sys(written).time_since_epoch();
  return TimestampMs{std::chrono::duration_cast<std::chrono::milliseconds>(since).count()};
}

Outcome<bool> has_database(const fs::path& data) {
  const std::string path = data / "server.db";
  std::error_code error;
  const auto size = fs::file_size(path, error);
  const bool gone = error == std::errc::no_such_file_or_directory;
  if (!gone && (error || size != 0)) return true;
  if (!has_held_a_server(data)) return false;
  return problem("the database " + path + (gone ? " is gone" : " is empty") + ", and this folder has held a server" +
                 std::string(kRestoreOrBeginAnew));
}

Outcome<std::unique_ptr<SqliteStorage>> open_data(const fs::path& data) {
  const std::string path = data / "server.db";
  // An empty one is not even opened: SQLite would throw away the log that may lie beside it.
  if (const auto there = has_database(data); !there) return std::unexpected(there.error());
  auto storage = SqliteStorage::open(path, has_held_a_server(data) ? EmptyDatabase::Refused : EmptyDatabase::Filled);
  if (!storage) return storage;
  const auto lineage = wait_for<std::string>([&](auto reply) { (*storage)->lineage(std::move(reply)); });
  if (!lineage) return problem("the database " + path + " cannot be read: " + lineage.error().detail);
  const std::string remembered = remembered_lineage(data);
  if (remembered == *lineage) return storage;
  if (!remembered.empty()) {
    return problem("the database " + path + " is not the database that this folder had; put that one back, or remove " +
                   (data / kLineage).native() + " if it is here on purpose");
  }
  if (auto kept = remember_lineage(data, *lineage); !kept) return std::unexpected(kept.error());
  return storage;
}

Outcome<void> forget_lineage(const fs::path& data) {
  std::error_code error;
  fs::remove(data / kLineage, error);
  if (error) return native::os_problem("remove", (data / kLineage).native(), error.value());
  return {};
}

bool is_in_use(const fs::path& data) {
  const UniqueFd lock(::open((data / "server.lock").c_str(), O_RDWR | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
}

native::SqliteResult<Leftovers> find_leftovers(native::Database& database, const fs::path& data) {
  Leftovers left;
  const auto store = BlobStore::open_existing(data);
  if (!store) return left;
  const auto add = [&left](const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    ++left.files;
    left.size_bytes += error ? 0 : size;
  };
  auto find_blob = database.prepare("SELECT 1 FROM blobs WHERE user_id=? AND hash=?");
  if (!find_blob) return std::unexpected(find_blob.error());
  const TimestampMs before{now().value() - kFresh.value()};
  for (const std::string& user : store->users()) {
    for (uint32_t first = 0; first <= UINT8_MAX; ++first) {
      for (const BlobKey& blob : store->blobs_of(user, static_cast<uint8_t>(first), before)) {
        const auto found = find_blob->bind(1, blob.user_id).bind(2, ByteView(blob.hash.bytes)).step();
        if (!found) return std::unexpected(found.error());
        if (!*found) add(store->blob_path(blob.user_id, blob.hash));
        find_blob->reset();
      }
    }
  }
  auto find_upload = database.prepare("SELECT 1 FROM uploads WHERE id=?");
  if (!find_upload) return std::unexpected(find_upload.error());
  for (const std::string& id : store->uploads()) {
    const auto found = find_upload->bind(1, id).step();
    if (!found) return std::unexpected(found.error());
    find_upload->reset();
    if (*found) continue;
    std::error_code error;
    for (fs::directory_iterator at(data / "uploads" / id, error); !error && at != fs::directory_iterator();
         at.increment(error))
      add(at->path());
  }
  return left;
}

std::string describe(const Leftovers& leftovers) {
  if (leftovers.files == 0) return {};
  return std::to_string(leftovers.files) + (leftovers.files == 1 ? " file (" : " files (") +
         std::to_string(leftovers.size_bytes) + " bytes)" + (leftovers.files == 1 ? " is" : " are") +
         " named by no record: a crash left " + (leftovers.files == 1 ? "it" : "them") + ", and the server takes " +
         (leftovers.files == 1 ? "it" : "them") + " away by itself";
}

}  // namespace diaryx::server
