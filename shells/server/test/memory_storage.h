// Storage in memory that fails when told to: the second implementation of the contract, for tests of what stands above.
//
// Answers come before the method returns, or, while they are held, when they are released, in order. A write that is made to fail
// changes nothing. Not for several threads.
#pragma once

#include <string>

#include "memory_line.h"
#include "memory_parts.h"
#include "memory_tables.h"
#include "storage.h"

namespace diaryx::server {

class MemoryStorage final : public Storage {
 public:
  MemoryStorage();

  /// To make it fail or wait.
  MemoryLine& line() { return line_; }

  void take_over(Reply<uint64_t> reply) override;
  void barrier(Reply<void> reply) override;
  void lineage(Reply<std::string> reply) override;
  void review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) override;

 private:
  MemoryTables tables_;
  MemoryLine line_;
  MemoryDocuments documents_{tables_, line_};
  MemoryHistory history_{tables_, line_};
  MemoryAccounts accounts_{tables_, line_};
  MemoryAccess access_{tables_, line_};
  MemoryWorkspaces workspaces_{tables_, line_};
  MemoryAttachments attachments_{tables_, line_};
};

}  // namespace diaryx::server
