// The tables of the server's SQLite file, and the steps from an older version to this one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "diaryx/native/problem.h"
#include "diaryx/native/sqlite.h"

namespace diaryx::server {

/// The end of a sentence about a database that cannot be the server's.
inline constexpr std::string_view kRestoreOrBeginAnew =
    "; restore the last backup into a new folder (diaryx-syncd restore), or begin anew with another --data";

/// What becomes of a file without tables.
enum class EmptyDatabase : uint8_t { Filled, Refused };

/// Whose tables a file has. Of one that is neither empty nor this version's, the sentence goes on from its name.
struct Schema {
  enum class Kind : uint8_t { Empty, Ours, Newer, Foreign };
  Kind kind = Kind::Empty;
  int64_t version = 0;  // 0: none
};
native::SqliteResult<Schema> look_at_schema(native::Database& database);
inline constexpr std::string_view kMadeByNewer =
    "was made by a newer version of diaryx-syncd; install that version or newer";
inline constexpr std::string_view kNotOurs = "is another program's, or was emptied";

/// The first thing that is wrong with the pages of a database, in one line; empty: nothing is. Cost: every page is read.
native::SqliteResult<std::string> find_damaged_page(native::Database& database);

/// Creates or upgrades the tables. A file made by a newer version, or by another program, is refused; so is one that lost its tables.
native::Outcome<void> prepare_schema(native::Database& database, EmptyDatabase empty);

}  // namespace diaryx::server
