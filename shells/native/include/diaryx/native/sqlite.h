// SQLite as values: a connection, statements and transactions that close themselves and report errors as results.
//
// A connection belongs to one thread at a time. Nothing here throws. Cost: a thin layer; statements made by `cached` are
// compiled once per connection.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "diaryx/base/bytes.h"

struct sqlite3;
struct sqlite3_stmt;

namespace diaryx::native {

/// What SQLite said. `code` is the extended result code (sqlite3.h), `os_error` the errno behind it: SQLite's own words for that
/// are no more than "disk I/O error" and "unable to open database file".
struct SqliteError {
  int code = 0;
  std::string message;
  int os_error = 0;  // 0 if the system refused nothing

  bool is_full() const;  // no space left on the device
  bool is_constraint() const;  // a UNIQUE, CHECK or FOREIGN KEY rule refused the row
  bool is_damaged() const;  // not a database, or a malformed one
  bool is_missing() const;  // no such file
  bool is_busy() const;  // another connection kept it locked for longer than we wait
};

template <typename T>
using SqliteResult = std::expected<T, SqliteError>;

/// One compiled statement. Parameters and columns are counted as SQLite does: parameters from 1, columns from 0.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* database, sqlite3_stmt* statement) : database_(database), statement_(statement) {}

  /// The bytes are copied. A failed bind is remembered and returned by the next step.
  Statement& bind(int index, int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, ByteView blob);

  /// True if there is a row to read, false when the statement is done.
  SqliteResult<bool> step();
  /// Runs to the end and gets ready for the next use.
  SqliteResult<void> run();
  /// The same with `read(*this)` at every row.
  template <typename Read>
  SqliteResult<void> for_each_row(Read read) {
    SqliteResult<bool> row = step();
    for (; row && *row; row = step()) read(std::as_const(*this));
    reset();
    if (!row) return std::unexpected(row.error());
    return {};
  }
  /// Ready for the next use; parameters are forgotten.
  void reset();

  // Columns of the current row; valid until the next step or reset. NULL reads as 0 or empty.
  bool is_null(int column) const;
  int64_t integer(int column) const;
  std::string text(int column) const;
  ByteView blob_view(int column) const;
  Bytes blob(int column) const { return to_bytes(blob_view(column)); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* database_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

/// How hard a commit tries. Full: on disk before the commit returns (fsync); Normal: safe against a crash of the
/// program, the last commits may be lost at a power cut.
enum class Durability : uint8_t { Full, Normal };

class Database {
 public:
  /// Opens or creates `path` with WAL, foreign keys and a busy timeout of five seconds.
  static SqliteResult<Database> open(const std::string& path, Durability durability);
  /// An existing database, for reading only; sees each commit of the writer.
  static SqliteResult<Database> open_reader(const std::string& path);

  /// Runs one or more statements that return nothing worth reading.
  SqliteResult<void> execute(std::string_view sql);
  SqliteResult<Statement> prepare(std::string_view sql);
  /// Compiled at the first use, then kept; reset and ready. `sql` is a literal: it is the key. One user at a time.
  SqliteResult<Statement*> cached(std::string_view sql);
  /// Resets every statement that was left before its end, as by an early return: as long as one is not over, all that is read
  /// on this connection is what the database was when that one began.
  void end_statements();

  int64_t last_insert_rowid() const;
  int64_t changes() const;

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };
  SqliteError error() const;

  std::unique_ptr<sqlite3, Close> database_;
  std::map<std::string_view, Statement> cache_;  // destroyed before the connection; keys are literals
};

/// BEGIN IMMEDIATE now; ROLLBACK at the end of the scope unless committed.
class WriteTransaction {
 public:
  /// Waits for another writer, as long as the database was opened to.
  static SqliteResult<WriteTransaction> begin(Database& database);
  ~WriteTransaction();
  WriteTransaction(WriteTransaction&& other) noexcept;
  WriteTransaction& operator=(WriteTransaction&&) = delete;

  SqliteResult<void> commit();

 private:
  explicit WriteTransaction(Database& database) : database_(&database) {}
  Database* database_;  // null once finished
};

/// A part of a transaction that can fail alone: rolled back at the end of the scope unless released.
class Savepoint {
 public:
  static SqliteResult<Savepoint> begin(Database& database);
  ~Savepoint();
  Savepoint(Savepoint&& other) noexcept;
  Savepoint& operator=(Savepoint&&) = delete;

  SqliteResult<void> release();

 private:
  explicit Savepoint(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace diaryx::native
