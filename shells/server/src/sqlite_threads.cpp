#include "sqlite_threads.h"

#include <algorithm>

#include "diaryx/native/log.h"

namespace diaryx::server {

StorageError storage_error(const native::SqliteError& error) {
  const auto kind = error.is_full()      ? StorageError::Kind::Full
                    : error.is_damaged() ? StorageError::Kind::Damaged
                                         : StorageError::Kind::Unavailable;
  return {kind, error.message};
}

StorageError conflict_or(const native::SqliteError& error) {
  if (error.is_constraint()) return {StorageError::Kind::Conflict, error.message};
  return storage_error(error);
}

Sha256 hash_in(ByteView column) {
  Sha256 hash;
  if (column.size() == hash.bytes.size()) std::copy(column.begin(), column.end(), hash.bytes.begin());
  return hash;
}

SqliteThreads::SqliteThreads(native::Database writer, native::Database reader)
    : writer_database_(std::move(writer)),
      reader_database_(std::move(reader)),
      reader_([this](auto batch) {
        for (auto& job : batch) job(reader_database_);
      }),
      writer_([this](WriteBatch batch) { run_groups(std::move(batch)); }) {}

void SqliteThreads::run_groups(WriteBatch batch) {
  const auto behind =
      std::stable_partition(batch.begin(), batch.end(), [](const auto& write) { return !write->behind; });
  run_group({batch.begin(), behind});
  run_group({behind, batch.end()});
}

void SqliteThreads::run_group(Group group) {
  if (group.empty()) return;
  const auto failure = commit_group(group);
  if (failure) native::log().error("storage: {} writes were not stored: {}", group.size(), failure->detail);
  for (const auto& write : group) write->answer(failure ? &*failure : nullptr);
}

std::optional<StorageError> SqliteThreads::commit_group(Group group) {
  auto transaction = native::WriteTransaction::begin(writer_database_);
  if (!transaction) return storage_error(transaction.error());
  for (const auto& write : group) {
    // SQLite may have rolled back by itself; running the rest would store it outside any transaction.
    auto failure = write->run(writer_database_);
    writer_database_.end_statements();
    if (failure) return failure;
  }
  if (auto committed = transaction->commit(); !committed) return storage_error(committed.error());
  return std::nullopt;
}

}  // namespace diaryx::server
