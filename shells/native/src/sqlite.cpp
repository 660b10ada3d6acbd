#include "diaryx/native/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "diaryx/native/problem.h"

namespace diaryx::native {
namespace {

constexpr int kBusyTimeoutMs = 5'000;

SqliteError error_of(sqlite3* database) {
  SqliteError error{sqlite3_extended_errcode(database), sqlite3_errmsg(database)};
  // Kept by SQLite from one error to the next: it belongs to these only.
  const int kind = error.code & 0xff;
  if (kind == SQLITE_CANTOPEN || kind == SQLITE_IOERR) error.os_error = sqlite3_system_errno(database);
  return error;
}

}  // namespace

bool SqliteError::is_full() const {
  // A log that cannot grow is SQLITE_FULL, its index in shared memory is SQLITE_IOERR.
  return (code & 0xff) == SQLITE_FULL || is_full_disk(os_error);
}
bool SqliteError::is_missing() const { return (code & 0xff) == SQLITE_CANTOPEN && os_error == ENOENT; }
bool SqliteError::is_busy() const { return (code & 0xff) == SQLITE_BUSY; }
bool SqliteError::is_constraint() const { return (code & 0xff) == SQLITE_CONSTRAINT; }
bool SqliteError::is_damaged() const { return (code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB; }

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int index, int64_t value) {
  bind_error_ |= sqlite3_bind_int64(statement_.get(), index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  bind_error_ |= sqlite3_bind_text64(statement_.get(), index, text.data() != nullptr ? text.data() : "", text.size(),
                                     SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}

Statement& Statement::bind(int index, ByteView blob) {
  // A null pointer would bind NULL, but an empty blob is meant.
  bind_error_ |= blob.empty()
                     ? sqlite3_bind_zeroblob(statement_.get(), index, 0)
                     : sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_TRANSIENT);
  return *this;
}

SqliteResult<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return std::unexpected(SqliteError{bind_error_, "a parameter could not be bound"});
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return std::unexpected(error_of(database_));
}

SqliteResult<void> Statement::run() {
  return for_each_row([](const Statement&) {});
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }

int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text != nullptr ? std::string(text, size) : std::string();
}

ByteView Statement::blob_view(int column) const {
  const auto* data = static_cast<const uint8_t*>(sqlite3_column_blob(statement_.get(), column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(statement_.get(), column));
  return data != nullptr ? ByteView{data, size} : ByteView{};
}

void Database::Close::operator()(sqlite3* database) const { sqlite3_close_v2(database); }

SqliteError Database::error() const { return error_of(database_.get()); }

SqliteResult<Database> Database::open(const std::string& path, Durability durability) {
  sqlite3* raw = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.database_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(raw != nullptr ? database.error() : SqliteError{code, "out of memory"});
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  const char* setup = durability == Durability::Full
                          ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
                          : "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;";
  if (auto ready = database.execute(setup); !ready) return std::unexpected(ready.error());
  return database;
}

SqliteResult<Database> Database::open_reader(const std::string& path) {
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database;
  database.database_.reset(raw);
  if (code != SQLITE_OK) return std::unexpected(raw != nullptr ? database.error() : SqliteError{code, "out of memory"});
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  return database;
}

SqliteResult<void> Database::execute(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return std::unexpected(error());
  }
  return {};
}

SqliteResult<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error());
  return Statement(database_.get(), raw);
}

SqliteResult<Statement*> Database::cached(std::string_view sql) {
  if (const auto found = cache_.find(sql); found != cache_.end()) {
    found->second.reset();
    return &found->second;
  }
  auto statement = prepare(sql);
  if (!statement) return std::unexpected(statement.error());
  return &cache_.emplace(sql, std::move(*statement)).first->second;
}

void Database::end_statements() {
  for (sqlite3_stmt* one = sqlite3_next_stmt(database_.get(), nullptr); one != nullptr;
       one = sqlite3_next_stmt(database_.get(), one)) {
    if (sqlite3_stmt_busy(one) != 0) sqlite3_reset(one);
  }
}

int64_t Database::last_insert_rowid() const { return sqlite3_last_insert_rowid(database_.get()); }
int64_t Database::changes() const { return sqlite3_changes64(database_.get()); }

SqliteResult<WriteTransaction> WriteTransaction::begin(Database& database) {
  if (auto begun = database.execute("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
  return WriteTransaction(database);
}

WriteTransaction::WriteTransaction(WriteTransaction&& other) noexcept
    : database_(std::exchange(other.database_, nullptr)) {}

WriteTransaction::~WriteTransaction() {
  // Fails harmlessly when SQLite has rolled back by itself (disk full, I/O error).
  if (database_ != nullptr) (void)database_->execute("ROLLBACK");
}

SqliteResult<void> WriteTransaction::commit() {
  auto done = database_->execute("COMMIT");
  if (done) database_ = nullptr;
  return done;
}

SqliteResult<Savepoint> Savepoint::begin(Database& database) {
  if (auto begun = database.execute("SAVEPOINT part"); !begun) return std::unexpected(begun.error());
  return Savepoint(database);
}

Savepoint::Savepoint(Savepoint&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

Savepoint::~Savepoint() {
  if (database_ != nullptr) (void)database_->execute("ROLLBACK TO part; RELEASE part");
}

SqliteResult<void> Savepoint::release() {
  auto done = database_->execute("RELEASE part");
  if (done) database_ = nullptr;
  return done;
}

}  // namespace diaryx::native
