// The past of documents in memory.
#include <algorithm>

#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

void MemoryHistory::load(std::string document, uint64_t max_bytes, Reply<DocumentPast> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<DocumentPast> {
    DocumentPast past;
    const auto found = tables_.documents.find(document);
    if (found == tables_.documents.end()) return past;
    past.snapshot = found->second.snapshot;
    past.through = relay::Sequence{found->second.through};
    past.begins_at_start = tables_.pruned_through == 0;
    uint64_t size_bytes = past.snapshot.size();
    for (const MemoryTables::Record& record : found->second.records) {
      const auto device = tables_.devices.find(record.device_id);
      past.records.push_back({relay::Sequence{record.sequence}, record.time, record.origin, record.device_id,
                              device == tables_.devices.end() ? std::string() : device->second.device.name,
                              record.bytes});
      size_bytes += record.bytes.size();
    }
    if (size_bytes > max_bytes) return no(Kind::TooMany);
    return past;
  });
}

void MemoryHistory::changed_documents(std::string workspace, relay::Sequence after, uint32_t limit,
                                      Reply<std::vector<ChangedDocument>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<ChangedDocument>> {
    std::vector<ChangedDocument> changed;
    for (const auto& [name, document] : tables_.documents) {
      if (document.workspace != workspace || document.records.empty()) continue;
      const relay::Sequence last{document.records.back().sequence};
      if (last > after) changed.push_back({name, last});
    }
    std::sort(changed.begin(), changed.end(), [](const auto& a, const auto& b) { return a.last > b.last; });
    if (changed.size() > limit) changed.resize(limit);
    return changed;
  });
}

void MemoryHistory::prune(TimestampMs now, DurationMs keep, uint32_t max_records, Reply<Pruned> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<Pruned> {
    const TimestampMs before = now + DurationMs{-keep.value()};
    std::map<uint64_t, TimestampMs> times;
    for (const auto& [name, document] : tables_.documents) {
      for (const MemoryTables::Record& record : document.records) times.emplace(record.sequence, record.time);
    }
    for (const auto& [sequence, time] : times) {
      if (time >= before && time <= now) break;
      if (time < before) tables_.pruned_through = std::max(tables_.pruned_through, sequence);
    }
    Pruned pruned;
    for (auto& [name, document] : tables_.documents) {
      std::erase_if(document.records, [&](const MemoryTables::Record& record) {
        if (record.sequence > std::min(document.through, tables_.pruned_through) || record.time >= before) return false;
        if (pruned.records == max_records) return false;
        ++pruned.records;
        return true;
      });
    }
    pruned.more = pruned.records == max_records;
    return pruned;
  });
}

}  // namespace diaryx::server
