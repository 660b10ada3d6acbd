// What the server needs from a place that remembers, in parts; whoever needs one part is given that part.
//
// Asynchronous, so that a database on another machine fits behind it: no SQL above this line, no method that returns a cursor, no
// assumption that all writers are in one process. storage_result.h has the rules for implementations.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "access_storage.h"
#include "account_storage.h"
#include "attachment_storage.h"
#include "document_storage.h"
#include "history_storage.h"
#include "storage_result.h"
#include "workspace_storage.h"

namespace diaryx::server {

/// Where a look at everything stored goes on.
struct ReviewPlace {
  enum class Part : uint8_t { Pages, Snapshots, Records };
  Part part = Part::Pages;
  int64_t after = 0;
};
struct StorageReview {
  std::vector<std::string> damages;  // sentences for the log
  std::optional<ReviewPlace> next;  // nothing: that was all
};

class Storage {
 public:
  virtual ~Storage() = default;

  // The parts, which live as long as the whole.
  DocumentStorage& documents;
  HistoryStorage& history;
  AccountStorage& accounts;
  AccessStorage& access;
  WorkspaceStorage& workspaces;
  AttachmentStorage& attachments;

  // The whole.
  /// Makes the asker the one server that stores documents, until another takes over: a server keeps documents in memory, so two
  /// on one database would overtake each other. Answers an epoch, larger than all before.
  virtual void take_over(Reply<uint64_t> reply) = 0;
  /// Answered when every write asked for before is durable or was refused.
  virtual void barrier(Reply<void> reply) = 0;
  /// The name of this history: made once, and anew when a backup is restored, so that nobody takes what an older copy
  /// knows for what this one confirmed.
  virtual void lineage(Reply<std::string> reply) = 0;
  /// Compares what is stored with its check values, a piece of some `max_bytes` at a time. What is damaged is a part of the reply.
  virtual void review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) = 0;

 protected:
  Storage(DocumentStorage& its_documents, HistoryStorage& its_history, AccountStorage& its_accounts,
          AccessStorage& its_access, WorkspaceStorage& its_workspaces, AttachmentStorage& its_attachments)
      : documents(its_documents),
        history(its_history),
        accounts(its_accounts),
        access(its_access),
        workspaces(its_workspaces),
        attachments(its_attachments) {}
};

}  // namespace diaryx::server
