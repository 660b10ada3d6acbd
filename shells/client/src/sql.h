// The state's database in terms of this program: failures are sentences.
#pragma once

#include <string_view>

#include "diaryx/native/sqlite.h"
#include "exit_code.h"

namespace diaryx::client {

std::unexpected<Failure> store_failure(const native::SqliteError& error);

/// Runs a cached statement to its end; `sql` is a literal.
template <typename... Values>
Attempt<void> run(native::Database& database, std::string_view sql, const Values&... values) {
  auto statement = database.cached(sql);
  if (!statement) return store_failure(statement.error());
  int index = 0;
  ((*statement)->bind(++index, values), ...);
  if (auto done = (*statement)->run(); !done) return store_failure(done.error());
  return {};
}

/// Calls `row(statement)` for every row of a query with these parameters.
template <typename Row, typename... Values>
Attempt<void> for_each_row(native::Database& database, std::string_view sql, Row row, const Values&... values) {
  auto statement = database.prepare(sql);
  if (!statement) return store_failure(statement.error());
  int index = 0;
  (statement->bind(++index, values), ...);
  if (auto done = statement->for_each_row(row); !done) return store_failure(done.error());
  return {};
}

}  // namespace diaryx::client
