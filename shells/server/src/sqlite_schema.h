// The tables of the server's SQLite file, and the steps from an older version to this one.
#pragma once

#include "diaryx/native/problem.h"
#include "diaryx/native/sqlite.h"

namespace diaryx::server {

/// Creates or upgrades the tables. A file made by a newer version is refused.
native::Outcome<void> prepare_schema(native::Database& database);

}  // namespace diaryx::server
