#include "past.h"

#include "ask.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/history_record.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;

constexpr uint64_t kMaxPastBytes = 256u << 20;  // of one request
constexpr std::string_view kTooLong =
    "This is too much of the past for one request. Ask for one file, or for a later point.";
constexpr std::string_view kBodyPrefix = "body:";

sync::HistoryOrigin origin_of(relay::UpdateOrigin origin) {
  switch (origin) {
    case relay::UpdateOrigin::Import: return sync::HistoryOrigin::Import;
    case relay::UpdateOrigin::Restore: return sync::HistoryOrigin::Restore;
    case relay::UpdateOrigin::Remote: break;
  }
  return sync::HistoryOrigin::Remote;
}

/// False when the records up to the snapshot do not make what it holds: the oldest of them were forgotten.
bool is_whole(const DocumentPast& past) {
  if (past.snapshot.empty()) return true;
  crdt::Doc replayed({.client = ClientId{1}});
  crdt::Doc wanted({.client = ClientId{1}});
  if (!wanted.apply_update_v1(past.snapshot)) return true;  // then it says nothing
  for (const StoredRecord& record : past.records) {
    if (record.sequence > past.through) break;
    if (!replayed.apply_update_v1(record.update)) return true;
  }
  return replayed.state_vector().covers(wanted.state_vector());
}

}  // namespace

std::vector<sync::HistoryRecord> history_records(DocumentPast past) {
  std::vector<sync::HistoryRecord> records;
  const bool whole = is_whole(past);
  if (!whole) {
    sync::HistoryRecord base;
    base.sequence = past.through.value();
    base.origin = sync::HistoryOrigin::Base;
    base.update = std::move(past.snapshot);
    records.push_back(std::move(base));
  }
  for (StoredRecord& stored : past.records) {
    if (!whole && stored.sequence <= past.through) {
      records[0].time = stored.time;  // the newest that the base stands for
      continue;
    }
    sync::HistoryRecord record;
    record.sequence = stored.sequence.value();
    record.time = stored.time;
    record.origin = origin_of(stored.origin);
    record.device = {std::move(stored.device_id), std::move(stored.device_name)};
    record.update = std::move(stored.update);
    records.push_back(std::move(record));
  }
  // A base whose records are all gone is as old as what comes after it, at most.
  if (!whole && records[0].time == TimestampMs{0} && records.size() > 1) records[0].time = records[1].time;
  return records;
}

std::string Past::stored_name(const std::string& document) const {
  if (!document.starts_with(kBodyPrefix)) return "workspace:" + workspace_;
  return std::string(kBodyPrefix) + workspace_ + "/" + document.substr(kBodyPrefix.size());
}

awaitable<OrResponse<void>> Past::load(std::vector<std::string> documents) {
  for (const std::string& document : documents) {
    if (history_.document(document) != nullptr) continue;
    auto past = co_await ask<DocumentPast>([&](auto reply) {
      services_.storage.load_past(stored_name(document), kMaxPastBytes - size_bytes_, std::move(reply));
    });
    if (!past && past.error().kind == StorageError::Kind::TooMany)
      co_return std::unexpected(error_response(http::status::payload_too_large, kTooLong));
    if (!past) co_return std::unexpected(storage_response(past.error(), kNoWorkspace));
    if (past->records.empty() && past->snapshot.empty()) continue;
    size_bytes_ += past->snapshot.size();
    for (const StoredRecord& record : past->records) size_bytes_ += record.update.size();
    const bool added = co_await run_on(services_.pool, [this, &document, &past] {
      const auto block = sync::encode_history_block(history_records(std::move(*past)));
      return block && history_.add(document, *block);
    });
    if (!added) co_return std::unexpected(workspace_failed("the past of " + document + " cannot be read"));
  }
  co_return OrResponse<void>{};
}

awaitable<OrResponse<void>> Past::load_file(const std::string& path) {
  if (auto loaded = co_await load({"workspace"}); !loaded) co_return loaded;
  co_return co_await load(history_.documents_of(path));
}

awaitable<OrResponse<std::vector<ChangedDocument>>> Past::changed_since(sync::HistoryPoint point, uint32_t limit) {
  auto changed = co_await ask<std::vector<ChangedDocument>>([&](auto reply) {
    services_.storage.changed_documents(workspace_, relay::Sequence{point}, limit, std::move(reply));
  });
  if (!changed) co_return std::unexpected(storage_response(changed.error(), kNoWorkspace));
  const std::string prefix = std::string(kBodyPrefix) + workspace_ + "/";
  for (ChangedDocument& one : *changed)
    one.name = one.name.starts_with(prefix) ? std::string(kBodyPrefix) + one.name.substr(prefix.size()) : "workspace";
  co_return std::move(*changed);
}

}  // namespace diaryx::server
