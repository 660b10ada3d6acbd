// Pieces that the account queries share; inside a write of SqliteThreads.
#pragma once

#include "account_storage.h"
#include "diaryx/native/sqlite.h"

namespace diaryx::server {

/// Makes a device and its token, and the user if new. Conflict: the token exists. All or nothing.
StorageResult<Session> add_token(native::Database& database, const NewToken& token);

/// Those of a user that can still sign in: one whose token ended takes nobody's place. The one seen last comes first.
StorageResult<std::vector<Device>> live_devices(native::Database& database, const std::string& user_id,
                                                TimestampMs now);

}  // namespace diaryx::server
