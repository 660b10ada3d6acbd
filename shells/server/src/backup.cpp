// `diaryx-syncd backup`
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "backup_folder.h"
#include "command.h"
#include "diaryx/base/json.h"
#include "diaryx/sync/metadata.h"
#include "services.h"
#include "version.h"

namespace diaryx::server {
namespace {

namespace fs = std::filesystem;
using native::Database;
using native::Outcome;
using native::problem;

Outcome<void> make_empty_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return native::os_problem("make the folder", folder.native(), error.value());
  if (!fs::is_empty(folder, error) || error)
    return problem("the folder " + folder.native() + " is not empty; name a new one");
  return {};
}

Outcome<void> write_manifest(const fs::path& target, const std::string& lineage, const std::vector<BlobRow>& blobs) {
  const auto hash = hash_of_file(target / "server.db");
  if (!hash) return std::unexpected(hash.error());
  uint64_t blob_bytes = 0;
  for (const BlobRow& blob : blobs) blob_bytes += blob.size_bytes;
  const Json manifest = Json::object({{"format", 1},
                                      {"made_at", sync::format_rfc3339(now())},
                                      {"made_by", std::string("diaryx-syncd ") + std::string(kVersion)},
                                      {"lineage", lineage},
                                      {"database_sha256", hash->hex()},
                                      {"blobs", uint64_t{blobs.size()}},
                                      {"blob_bytes", blob_bytes}});
  const fs::path path = target / kManifest;
  {
    std::ofstream out(path, std::ios::binary);
    out << manifest.dump() << '\n';
    if (!out.flush()) return not_written(path, errno);
  }
  if (auto synced = sync_path(path); !synced) return synced;
  return sync_path(target);
}

Outcome<void> copy_database(Database& source, const std::string& copied) {
  std::error_code ignored;
  fs::remove(copied, ignored);
  DX_DB(auto copy, source.prepare("VACUUM INTO ?"));
  if (auto done = copy.bind(1, copied).run(); !done)
    return done.error().is_full() ? not_written(copied, ENOSPC) : database_problem(done.error());
  if (::chmod(copied.c_str(), 0600) != 0) return native::os_problem("protect", copied, errno);
  return sync_path(copied);
}

/// True if the database does not name an attachment any more that it named when it was copied.
Outcome<bool> any_went(Database& source, const std::vector<BlobRow>& blobs) {
  DX_DB(auto find, source.prepare("SELECT 1 FROM blobs WHERE user_id=? AND hash=?"));
  for (const BlobRow& blob : blobs) {
    DX_DB(const bool found, find.bind(1, blob.user).bind(2, ByteView(blob.hash.bytes)).step());
    if (!found) return true;
    find.reset();
  }
  return false;
}

Outcome<std::vector<BlobRow>> copy_everything(Database& source, const fs::path& data, const fs::path& target) {
  constexpr int kTries = 5;
  if (auto made = make_empty_folder(target); !made) return std::unexpected(made.error());
  const std::string copied = target / "server.db";
  for (int left = kTries - 1;; --left) {
    if (auto done = copy_database(source, copied); !done) return std::unexpected(done.error());
    DX_DB(auto database, Database::open_reader(copied));
    auto blobs = blobs_in(database);
    if (!blobs) return blobs;
    if (auto done = copy_blobs(*blobs, data, target); !done) {
      // Attachments that nothing refers to go at any time: then the database is copied once more, without them.
      const auto went = any_went(source, *blobs);
      if (left > 0 && went && *went) continue;
      return std::unexpected(done.error());
    }
    const auto lineage = lineage_of(database);
    if (!lineage) return std::unexpected(lineage.error());
    if (auto written = write_manifest(target, *lineage, *blobs); !written) return std::unexpected(written.error());
    return blobs;
  }
}

}  // namespace

int back_up(const fs::path& data, const fs::path& target) {
  auto source = open_source(data);
  if (!source) return fail(kExitData, source.error().sentence);
  if (source->tables != Schema::Kind::Ours) {
    return fail(kExitData, "the database " + (data / "server.db").native() + " " + std::string(kNotOurs) +
                               std::string(kRestoreOrBeginAnew));
  }
  const auto blobs = copy_everything(source->database, data, target);
  if (!blobs) return fail(kExitFailed, blobs.error().sentence);
  std::printf("backed up to %s: the database and %zu attachments\n", target.c_str(), blobs->size());
  return kExitDone;
}

}  // namespace diaryx::server
