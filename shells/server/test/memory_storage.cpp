#include "memory_storage.h"

namespace diaryx::server {

MemoryStorage::MemoryStorage() : Storage(documents_, history_, accounts_, access_, workspaces_, attachments_) {}

void MemoryStorage::take_over(Reply<uint64_t> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<uint64_t> { return ++tables_.writer; });
}

void MemoryStorage::barrier(Reply<void> reply) {
  line_.write(std::move(reply), []() -> StorageResult<void> { return {}; });
}

void MemoryStorage::lineage(Reply<std::string> reply) {
  line_.read(std::move(reply), []() -> StorageResult<std::string> { return std::string("memory"); });
}

/// Memory has no check values.
void MemoryStorage::review(ReviewPlace, uint64_t, Reply<StorageReview> reply) {
  line_.read(std::move(reply), []() -> StorageResult<StorageReview> { return StorageReview{}; });
}

}  // namespace diaryx::server
