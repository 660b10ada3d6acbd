// A piece that the questions about documents and their past share.
#pragma once

#include <cstdint>

#include "diaryx/native/sqlite.h"
#include "storage_result.h"

namespace diaryx::server {

/// Up to where records may have been removed; a cursor before it would miss what they held.
StorageResult<int64_t> pruned_through(native::Database& database);

}  // namespace diaryx::server
