// How a storage answers.
//
// Rules for implementations
//  1. A reply is called exactly once, on any thread, perhaps before the method returns. Callers bring it home (ask.h).
//  2. A write is answered with success only when it is durable (committed and fsynced). Updates of one document are
//     stored in the order in which they were asked for; a snapshot may come behind what was asked for after it, and one that
//     cannot be stored fails nothing else.
//  3. A read asked for after the reply to a write sees that write.
//  4. Errors are values; `detail` is for the log, never for clients, and holds no token.
#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>

namespace diaryx::server {

struct StorageError {
  enum class Kind : uint8_t {
    NotFound,  // no such row, or not this user's
    Conflict,  // a name that is taken
    Unavailable,  // disk or database failed; later may be better
    Full,  // no space left
    Damaged,  // stored bytes are not what was written
    TooMany,  // a limit that was given with the question
    Superseded,  // another server took over the documents
  };
  Kind kind;
  std::string detail;
};

template <typename T>
using StorageResult = std::expected<T, StorageError>;
template <typename T>
using Reply = std::move_only_function<void(StorageResult<T>)>;

}  // namespace diaryx::server
