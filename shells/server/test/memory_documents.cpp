// Documents in memory.
#include "memory_parts.h"

namespace diaryx::server {

using Kind = StorageError::Kind;

void MemoryDocuments::load(std::string document, Reply<StoredDocument> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<StoredDocument> {
    StoredDocument stored;
    const auto found = tables_.documents.find(document);
    if (found == tables_.documents.end()) return stored;
    stored.snapshot = found->second.snapshot;
    stored.last = relay::Sequence{found->second.through};
    for (const MemoryTables::Record& record : found->second.records) {
      if (record.sequence <= found->second.through) continue;
      stored.updates.push_back(record.bytes);
      stored.last = relay::Sequence{record.sequence};
    }
    return stored;
  });
}

void MemoryDocuments::append(NewUpdate update, Reply<relay::Sequence> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<relay::Sequence> {
    if (update.epoch != tables_.writer) return no(Kind::Superseded);
    if (!tables_.workspaces.contains(update.workspace)) return no(Kind::NotFound);
    MemoryTables::Document& document = tables_.documents[update.document];
    document.workspace = update.workspace;
    document.records.push_back({++tables_.last_sequence, *update.bytes, update.time, update.origin, update.device_id});
    return relay::Sequence{tables_.last_sequence};
  });
}

void MemoryDocuments::store_snapshot(std::string document, relay::SharedBytes state, relay::Sequence through,
                                     uint64_t epoch, Reply<void> reply) {
  line_.write(std::move(reply), [&]() -> StorageResult<void> {
    if (epoch != tables_.writer) return no(Kind::Superseded);
    const auto found = tables_.documents.find(document);
    if (found == tables_.documents.end() || found->second.through > through.value()) return {};
    found->second.snapshot = *state;
    found->second.through = through.value();
    return {};
  });
}

void MemoryDocuments::list(std::string workspace, Reply<std::vector<std::string>> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<std::vector<std::string>> {
    std::vector<std::string> names;
    for (const auto& [name, document] : tables_.documents) {
      if (document.workspace == workspace) names.push_back(name);
    }
    return names;
  });
}

void MemoryDocuments::list_changes(std::string workspace, std::optional<relay::Sequence> since,
                                   Reply<ChangedDocuments> reply) {
  line_.read(std::move(reply), [&]() -> StorageResult<ChangedDocuments> {
    ChangedDocuments changed{.known = false, .documents = {}, .through = relay::Sequence{tables_.last_sequence}};
    changed.known = since && since->value() >= tables_.pruned_through && since->value() <= tables_.last_sequence;
    if (!changed.known) return changed;
    for (const auto& [name, document] : tables_.documents) {
      const bool later = !document.records.empty() && document.records.back().sequence > since->value();
      if (document.workspace == workspace && later) changed.documents.push_back(name);
    }
    return changed;
  });
}

}  // namespace diaryx::server
