// Presence of clients in one document, kept so that a newcomer sees who is there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"

namespace diaryx::sync::relay {

class AwarenessStore {
 public:
  /// Takes over the entries that are newer than what is here. `null` states leave.
  /// update     not trusted.
  /// max_bytes  of all states together; entries beyond it are refused (TooLarge) and nothing is taken over.
  /// Errors     as parse_awareness, TooLarge.
  Result<void> apply(ConnectionId from, ByteView update, size_t max_bytes);

  /// Forgets what this connection told. Returns the awareness update that tells the others; empty if there was nothing.
  Bytes forget(ConnectionId from);

  /// The awareness update of all that is known; `00` for nobody.
  Bytes encode() const;

 private:
  struct Entry {
    ConnectionId from;
    uint64_t clock;
    std::string state;
  };
  std::map<uint64_t, Entry> entries_;  // by client
  size_t size_bytes_ = 0;  // of all states
};

}  // namespace diaryx::sync::relay
