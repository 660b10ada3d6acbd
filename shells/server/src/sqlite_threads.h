// The two threads of SqliteStorage and the helpers its queries are written with.
//
// A job is a function from the database to a result. Read jobs answer at once; write jobs run in groups, one transaction
// each, and answer after the commit. A job may return in the middle of a statement, which ends with it: otherwise the jobs
// after it would read the database as it was then, and lack what was confirmed since.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "diaryx/base/sha256.h"
#include "diaryx/native/sqlite.h"
#include "storage_result.h"
#include "worker.h"

namespace diaryx::server {

StorageError storage_error(const native::SqliteError& error);
/// Conflict for a row that a constraint refuses.
StorageError conflict_or(const native::SqliteError& error);
inline StorageError not_found(std::string what) { return {StorageError::Kind::NotFound, std::move(what)}; }
/// Of a column; one that is no hash is that of nothing.
Sha256 hash_in(ByteView column);

/// True for failures of the world, after which nothing of the group can be trusted to be stored.
inline bool fails_the_group(const StorageError& error) {
  return error.kind == StorageError::Kind::Unavailable || error.kind == StorageError::Kind::Full ||
         error.kind == StorageError::Kind::Damaged;
}

/// `DX_SQL(auto* find, database.cached("…"));` declares, or returns the error as a StorageError.
#define DX_SQL(declaration, expression) DX_SQL_INNER(DX_CONCAT(dx_sql_, __COUNTER__), declaration, expression)
#define DX_SQL_INNER(temporary, declaration, expression)                        \
  auto&& temporary = (expression);                                              \
  if (!temporary) [[unlikely]]                                                  \
    return std::unexpected(::diaryx::server::storage_error(temporary.error())); \
  declaration = *std::forward<decltype(temporary)>(temporary)
#define DX_SQL_VOID(expression)                                                       \
  do {                                                                                \
    if (auto dx_sql_result = (expression); !dx_sql_result) [[unlikely]]               \
      return std::unexpected(::diaryx::server::storage_error(dx_sql_result.error())); \
  } while (false)

class SqliteThreads {
 public:
  SqliteThreads(native::Database writer, native::Database reader);

  /// `work` is StorageResult<T>(native::Database&). One that writes more than one row group and can fail half way uses
  /// a Savepoint.
  template <typename T, typename Work>
  void write(Reply<T> reply, Work work) {
    writer_.post(std::make_unique<TypedWrite<T, Work>>(std::move(reply), std::move(work)));
  }

  /// For what is large and only saves work later: done behind the writes that came with it, in a transaction without them, so
  /// that a disk with no room for it fails nothing else.
  template <typename T, typename Work>
  void write_behind(Reply<T> reply, Work work) {
    auto write = std::make_unique<TypedWrite<T, Work>>(std::move(reply), std::move(work));
    write->behind = true;
    writer_.post(std::move(write));
  }

  template <typename T, typename Work>
  void read(Reply<T> reply, Work work) {
    reader_.post([reply = std::move(reply), work = std::move(work)](native::Database& database) mutable {
      auto result = work(database);
      database.end_statements();
      reply(std::move(result));
    });
  }

 private:
  struct Write {
    virtual ~Write() = default;
    virtual std::optional<StorageError> run(native::Database& database) = 0;  // a failure of the whole group, if any
    virtual void answer(const StorageError* group_failure) = 0;
    bool behind = false;
  };

  template <typename T, typename Work>
  struct TypedWrite final : Write {
    TypedWrite(Reply<T> reply_to, Work work_to_do) : reply(std::move(reply_to)), work(std::move(work_to_do)) {}

    std::optional<StorageError> run(native::Database& database) override {
      result = work(database);
      if (!*result && fails_the_group(result->error())) return result->error();
      return std::nullopt;
    }
    void answer(const StorageError* group_failure) override {
      if (group_failure != nullptr) return reply(std::unexpected(*group_failure));
      reply(std::move(*result));
    }

    Reply<T> reply;
    Work work;
    std::optional<StorageResult<T>> result;
  };

  using WriteBatch = std::vector<std::unique_ptr<Write>>;
  using Group = std::span<const std::unique_ptr<Write>>;
  void run_groups(WriteBatch batch);
  void run_group(Group group);
  std::optional<StorageError> commit_group(Group group);

  native::Database writer_database_;
  native::Database reader_database_;
  Worker<std::move_only_function<void(native::Database&)>> reader_;
  Worker<std::unique_ptr<Write>> writer_;
};

}  // namespace diaryx::server
