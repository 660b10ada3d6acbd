// What is kept of documents as they were: every record with its time and device, until it is forgotten.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diaryx/base/bytes.h"
#include "diaryx/base/units.h"
#include "document_storage.h"
#include "storage_result.h"

namespace diaryx::server {

/// One stored update as the past shows it.
struct StoredRecord {
  relay::Sequence sequence;
  TimestampMs time;
  relay::UpdateOrigin origin = relay::UpdateOrigin::Remote;
  std::string device_id;  // empty: a guest's, or nobody's
  std::string device_name;  // empty also when the device is gone
  Bytes update;
  bool damaged = false;  // the stored bytes are not what was written; `update` is empty
  bool operator==(const StoredRecord&) const = default;
};

struct Pruned {
  uint64_t records = 0;  // that were forgotten
  bool more = false;  // there is more to look at: ask again
};

/// What is kept of a document's past. Records that a snapshot covers may be gone: then those that are left begin in the middle.
struct DocumentPast {
  Bytes snapshot;  // empty: none
  relay::Sequence through;  // that it covers
  std::vector<StoredRecord> records;  // oldest first
  bool begins_at_start = false;  // certainly: no record was ever forgotten
};

struct ChangedDocument {
  std::string name;
  relay::Sequence last;  // of its newest record
  bool operator==(const ChangedDocument&) const = default;
};

class HistoryStorage {
 public:
  virtual ~HistoryStorage() = default;

  /// TooMany: it is more than `max_bytes`. Damaged: nothing of it can be read; a damaged record is marked, and hides no other.
  virtual void load(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) = 0;
  /// Documents of a workspace with records after `after`, the newest first, at most `limit`.
  virtual void changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                 Reply<std::vector<ChangedDocument>> reply) = 0;
  /// Forgets records that a snapshot covers and that were stored more than `keep` ago. Looks at and forgets at most `max_records`, so
  /// that writes that wait behind it wait little.
  ///
  /// The clock may have been wrong when a record was stored; the order of records never is. One that came after a younger record is
  /// kept, whatever time it bears, and one with a time that has not come yet says nothing of the others.
  virtual void prune(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) = 0;
};

}  // namespace diaryx::server
