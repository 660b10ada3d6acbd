// Documents as they are: a snapshot each, and the log of updates behind it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"
#include "storage_result.h"

namespace diaryx::server {

namespace relay = sync::relay;

struct StoredDocument {
  Bytes snapshot;  // empty: none
  std::vector<Bytes> updates;  // after the snapshot, oldest first
  relay::Sequence last;  // of the newest stored update; 0: none
};

/// See relay::ChangesListed.
struct ChangedDocuments {
  bool known = false;
  std::vector<std::string> documents;
  relay::Sequence through;
};

struct NewUpdate {
  std::string workspace;  // the document goes with it when the workspace is removed
  std::string document;
  relay::SharedBytes bytes;
  std::string user_id;
  std::string device_id;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Remote;
  TimestampMs time;
  uint64_t epoch = 0;  // of the server that asks, from `take_over`
};

class DocumentStorage {
 public:
  virtual ~DocumentStorage() = default;

  /// A document that was never stored is empty, not an error.
  virtual void load(std::string document, Reply<StoredDocument> reply) = 0;
  /// NotFound: the workspace does not exist (any more). Superseded: `epoch` is not the newest.
  virtual void append(NewUpdate update, Reply<relay::Sequence> reply) = 0;
  /// Loading starts from `state` afterwards; records up to `through` are kept as history. Superseded: as above.
  virtual void store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through, uint64_t epoch,
                              Reply<void> reply) = 0;
  /// Names of all documents of a workspace that were ever stored, ascending.
  virtual void list(std::string workspace, Reply<std::vector<std::string>> reply) = 0;
  /// Documents of a workspace with records after `since`, and the newest sequence that was ever given; both of one moment.
  /// Not known when `since` is not given, or lies ahead, or records after it were pruned.
  virtual void list_changes(std::string workspace, std::optional<relay::Sequence> since,
                            Reply<ChangedDocuments> reply) = 0;
};

}  // namespace diaryx::server
