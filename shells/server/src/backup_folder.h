// What `backup`, `verify` and `restore` share: the database of a folder, the attachments that it names, and copies that are durable.
//
// A backup is a folder: `server.db` (one consistent copy), `blobs/` as in the data folder, `backup.json` written last, so a
// folder without it is not a backup. The database is copied first and the attachments that it names after it: a blob is
// in its place before it is recorded, and blobs never change, so a later copy of them is the same.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "diaryx/base/sha256.h"
#include "diaryx/native/problem.h"
#include "diaryx/native/sqlite.h"
#include "sqlite_schema.h"

namespace diaryx::server {

inline constexpr const char* kManifest = "backup.json";

std::unexpected<native::Problem> database_problem(const native::SqliteError& error,
                                                  const std::string& name = "the database");

/// `DX_DB(const bool row, select.step());` declares, or returns the error as a Problem.
#define DX_DB(declaration, expression) DX_DB_INNER(DX_CONCAT(dx_db_, __COUNTER__), declaration, expression)
#define DX_DB_INNER(temporary, declaration, expression)           \
  auto&& temporary = (expression);                                \
  if (!temporary) [[unlikely]]                                    \
    return ::diaryx::server::database_problem(temporary.error()); \
  declaration = *std::forward<decltype(temporary)>(temporary)

/// The database of a server or of a backup, with the tables of this version or with none of ours.
struct Source {
  native::Database database;
  Schema::Kind tables;
};
native::Outcome<Source> open_source(const std::filesystem::path& folder);

struct BlobRow {
  std::string user;
  Sha256 hash;
  uint64_t size_bytes;
  std::filesystem::path below(const std::filesystem::path& root) const {
    const std::string name = hash.hex();
    return root / "blobs" / user / name.substr(0, 2) / name;
  }
};
native::Outcome<std::vector<BlobRow>> blobs_in(native::Database& database);
/// Copies the blobs and checks each copy against its name.
native::Outcome<void> copy_blobs(const std::vector<BlobRow>& blobs, const std::filesystem::path& from,
                                 const std::filesystem::path& to);

native::Outcome<std::string> lineage_of(native::Database& database);
native::Outcome<Sha256> hash_of_file(const std::filesystem::path& path);

/// Over what an earlier run left half way; durable.
native::Outcome<void> copy_whole(const std::filesystem::path& from, const std::filesystem::path& to);
native::Outcome<void> sync_path(const std::filesystem::path& path);
/// Nobody tries these commands again by itself.
std::unexpected<native::Problem> not_written(const std::filesystem::path& path, int code);

}  // namespace diaryx::server
