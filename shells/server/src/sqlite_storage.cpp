// The place as a whole: its file, who writes to it, and its name.
#include "sqlite_storage.h"

#include "sqlite_threads.h"

namespace diaryx::server {
namespace {

using native::Database;

/// In KiB. What SQLite keeps of the file is a second copy of what the system keeps of it.
constexpr std::string_view kSmallCache = "PRAGMA cache_size=-512";

}  // namespace

native::Outcome<std::unique_ptr<SqliteStorage>> SqliteStorage::open(const std::string& path, EmptyDatabase empty) {
  auto writer = Database::open(path, native::Durability::Full);
  if (!writer) {
    const auto& error = writer.error();
    if (error.os_error != 0 && !error.is_full())
      return native::os_problem("open", "the database " + path, error.os_error);
    return native::problem("the database " + path + " cannot be opened: " + error.message +
                           (error.is_full()      ? "; free some space"
                            : error.is_damaged() ? "; see diaryx-syncd doctor"
                                                 : ""));
  }
  if (auto prepared = prepare_schema(*writer, empty); !prepared)
    return native::problem("the database " + path + " " + prepared.error().sentence);
  auto reader = Database::open_reader(path);
  if (!reader) return native::problem("the database " + path + " cannot be read: " + reader.error().message);
  for (Database* const database : {&*writer, &*reader}) {
    if (auto bounded = database->execute(kSmallCache); !bounded)
      return native::problem("the database " + path + " cannot be set up: " + bounded.error().message);
  }
  auto threads = std::make_unique<SqliteThreads>(std::move(*writer), std::move(*reader));
  return std::unique_ptr<SqliteStorage>(new SqliteStorage(std::move(threads)));
}

SqliteStorage::SqliteStorage(std::unique_ptr<SqliteThreads> threads)
    : Storage(documents_, history_, accounts_, access_, workspaces_, attachments_),
      threads_(std::move(threads)),
      documents_(*threads_),
      history_(*threads_),
      accounts_(*threads_),
      access_(*threads_),
      workspaces_(*threads_),
      attachments_(*threads_) {}

SqliteStorage::~SqliteStorage() = default;

void SqliteStorage::take_over(Reply<uint64_t> reply) {
  threads_->write(std::move(reply), [](Database& database) -> StorageResult<uint64_t> {
    DX_SQL(auto* take, database.cached("UPDATE writer SET epoch=epoch+1 RETURNING epoch"));
    DX_SQL(const bool taken, take->step());
    const uint64_t epoch = taken ? static_cast<uint64_t>(take->integer(0)) : 0;
    take->reset();
    return epoch;
  });
}

void SqliteStorage::barrier(Reply<void> reply) {
  threads_->write(std::move(reply), [](Database&) -> StorageResult<void> { return {}; });
}

void SqliteStorage::lineage(Reply<std::string> reply) {
  threads_->read(std::move(reply), [](Database& database) -> StorageResult<std::string> {
    DX_SQL(auto* find, database.cached("SELECT value FROM facts WHERE name='lineage'"));
    DX_SQL(const bool found, find->step());
    if (!found) return std::unexpected(StorageError{StorageError::Kind::Damaged, "the lineage is missing"});
    std::string value = find->text(0);
    find->reset();
    return value;
  });
}

}  // namespace diaryx::server
