// The data folder as a whole: whose database it is, and what is left in it by a crash.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "diaryx/native/problem.h"
#include "diaryx/native/sqlite.h"
#include "sqlite_storage.h"

namespace diaryx::server {

/// Opens the database of a folder, or makes one where nothing was ever stored.
///
/// The folder remembers the lineage of its database in the file `lineage`. A database that went, was emptied or is another server's is
/// refused: starting on it would show people an empty server, and take their attachments for files that nobody needs.
///
/// The error is a sentence: what is wrong; and what to do.
native::Outcome<std::unique_ptr<SqliteStorage>> open_data(const std::filesystem::path& data);

/// False where the first start makes a database. The error as above.
native::Outcome<bool> has_database(const std::filesystem::path& data);

/// Of the database that the folder had when it was last opened; empty: none was.
std::string remembered_lineage(const std::filesystem::path& data);
/// Since when the folder has that database.
TimestampMs lineage_since(const std::filesystem::path& data);
/// The database of a folder is about to be replaced on purpose.
native::Outcome<void> forget_lineage(const std::filesystem::path& data);

/// True while a server runs on the folder.
bool is_in_use(const std::filesystem::path& data);

/// Files of attachments and uploads that no record names.
struct Leftovers {
  uint64_t files = 0;
  uint64_t size_bytes = 0;
};
/// Those that are older than a minute: what is being put in its place is not one.
native::SqliteResult<Leftovers> find_leftovers(native::Database& database, const std::filesystem::path& data);
/// Empty if there are none.
std::string describe(const Leftovers& leftovers);

}  // namespace diaryx::server
