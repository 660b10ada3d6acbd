// Storage in one SQLite file: WAL, synchronous=FULL, one thread that writes and one that reads.
//
// Group commit: the writer takes everything that is waiting, runs it in one transaction and answers after the commit.
// While one commit waits for the disk the next group gathers, so the batch grows with the load by itself. When the disk
// refuses (full, I/O error) the whole group fails together and nothing of it is stored.
#pragma once

#include <memory>
#include <string>

#include "diaryx/native/problem.h"
#include "sqlite_parts.h"
#include "sqlite_schema.h"
#include "storage.h"

namespace diaryx::server {

class SqliteStorage final : public Storage {
 public:
  /// Opens or creates `path`; see data_folder.h for whether one may be created.
  static native::Outcome<std::unique_ptr<SqliteStorage>> open(const std::string& path,
                                                              EmptyDatabase empty = EmptyDatabase::Filled);
  /// Answers everything that was asked, then stops the threads.
  ~SqliteStorage() override;

  void take_over(Reply<uint64_t> reply) override;
  void barrier(Reply<void> reply) override;
  void lineage(Reply<std::string> reply) override;
  void review(ReviewPlace place, uint64_t max_bytes, Reply<StorageReview> reply) override;

 private:
  explicit SqliteStorage(std::unique_ptr<SqliteThreads> threads);
  std::unique_ptr<SqliteThreads> threads_;
  SqliteDocuments documents_;
  SqliteHistory history_;
  SqliteAccounts accounts_;
  SqliteAccess access_;
  SqliteWorkspaces workspaces_;
  SqliteAttachments attachments_;
};

}  // namespace diaryx::server
