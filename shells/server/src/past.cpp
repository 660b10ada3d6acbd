#include "past.h"

#include <algorithm>
#include <array>

#include "ask.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "diaryx/native/log.h"
#include "diaryx/sync/history_record.h"

namespace diaryx::server {
namespace {

using boost::asio::awaitable;

constexpr uint64_t kMaxPastBytes = 256u << 20;  // of one request
constexpr std::string_view kTooLong =
    "This is too much of the past for one request. Ask for one file, or for a later point.";
constexpr std::string_view kWorkspace = "workspace";
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

// What is lost is to a CRDT an operation that has not come: an operation of a client that nobody is, which comes after it, waits.
constexpr ClientId kNobody{(uint64_t{1} << 53) - 1};
constexpr uint32_t kCoveredHole = 1;  // waits for the one before it, which the base brings
constexpr uint32_t kHole = 3;  // waits for ever

/// One unit without content.
Bytes placeholder(uint32_t clock) {
  Writer out;
  out.var_uint(1);  // a client with one struct
  out.var_uint(1);
  out.var_uint(kNobody.value());
  out.var_uint(clock);
  out.u8(0);  // Gc
  out.var_uint(1);
  out.var_uint(0);  // nothing is deleted
  return std::move(out).take();
}

/// The state with what a covered hole waits for.
Bytes filled(const Bytes& state) {
  const Bytes missing = placeholder(kCoveredHole - 1);
  const std::array<ByteView, 2> parts{state, missing};
  auto merged = crdt::merge_updates_v1(parts);
  return merged ? std::move(*merged) : state;  // then it says nothing
}

sync::HistoryRecord history_record(StoredRecord stored, uint32_t hole) {
  sync::HistoryRecord record;
  record.sequence = stored.sequence.value();
  record.time = stored.time;
  record.origin = origin_of(stored.origin);
  record.device = {std::move(stored.device_id), std::move(stored.device_name)};
  record.update = stored.damaged ? placeholder(hole) : std::move(stored.update);
  return record;
}

}  // namespace

std::vector<sync::HistoryRecord> history_records(DocumentPast past) {
  const auto is_covered = [&past](const StoredRecord& record) {
    return !past.snapshot.empty() && record.sequence <= past.through;
  };
  const bool lost = std::ranges::any_of(past.records, [&](const auto& one) { return one.damaged && is_covered(one); });
  const bool based = lost || !is_whole(past);
  std::vector<sync::HistoryRecord> records;
  sync::HistoryRecord base;
  base.sequence = past.through.value();
  base.origin = sync::HistoryOrigin::Base;
  bool is_shown = lost && past.begins_at_start;  // up to the first that is lost
  auto stored = past.records.begin();
  for (; based && stored != past.records.end() && is_covered(*stored); ++stored) {
    base.time = stored->time;  // the newest that the base stands for
    if (!is_shown || stored->sequence == past.through) continue;
    is_shown = !stored->damaged;
    records.push_back(history_record(std::move(*stored), kCoveredHole));
  }
  if (based) {
    // A base whose records are all gone is as old as what comes after it, at most.
    if (base.time == TimestampMs{0} && stored != past.records.end()) base.time = stored->time;
    base.update = lost ? filled(past.snapshot) : std::move(past.snapshot);
    records.push_back(std::move(base));
  }
  for (; stored != past.records.end(); ++stored) records.push_back(history_record(std::move(*stored), kHole));
  return records;
}

std::string Past::stored_name(const std::string& document) const {
  if (document == kWorkspace) return "workspace:" + workspace_;
  return std::string(kBodyPrefix) + workspace_ + "/" + document.substr(kBodyPrefix.size());
}

awaitable<OrResponse<void>> Past::load(std::vector<std::string> documents) {
  for (const std::string& document : documents) {
    if (history_.document(document) != nullptr) continue;
    auto past = co_await ask<DocumentPast>([&](auto reply) {
      services_.storage.history.load(stored_name(document), kMaxPastBytes - size_bytes_, std::move(reply));
    });
    if (!past && past.error().kind == StorageError::Kind::TooMany)
      co_return std::unexpected(error_response(http::status::payload_too_large, kTooLong));
    if (!past && past.error().kind == StorageError::Kind::Damaged) {
      native::log().error("history: {}", past.error().detail);
      past =
          DocumentPast{.snapshot = {}, .through = {}, .records = {{.sequence = relay::Sequence{1}, .damaged = true}}};
    }
    if (!past) co_return std::unexpected(storage_response(past.error(), kNoWorkspace));
    if (past->records.empty() && past->snapshot.empty()) continue;
    note_lost(document, *past);
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

void Past::note_lost(const std::string& document, const DocumentPast& past) {
  for (const StoredRecord& record : past.records) {
    if (!record.damaged) continue;
    native::log().error("history: record {} of {} is not what was written", record.sequence.value(),
                        stored_name(document));
    LostRecord lost{.document = document, .point = record.sequence.value(), .time = record.time};
    lost.device = {record.device_id, record.device_name};
    if (!past.snapshot.empty() && record.sequence <= past.through) lost.known_again = past.through.value();
    lost_.push_back(std::move(lost));
  }
}

std::string Past::file_of(const LostRecord& lost) const {
  return lost.document == kWorkspace ? std::string() : history_.path_of_document(lost.document);
}

std::string Past::damage_at(sync::HistoryPoint point, std::span<const std::string> documents) const {
  for (const LostRecord& lost : lost_) {
    const bool is_list = lost.document == kWorkspace;
    if (!lost.hides(point) || (!is_list && std::ranges::find(documents, lost.document) == documents.end())) continue;
    const std::string subject = is_list ? "the list of files" : file_of(lost);
    return "What was stored of " + subject + " at point " + std::to_string(lost.point) +
           " is damaged on this server: only points before it" +
           (lost.known_again ? ", and from " + std::to_string(*lost.known_again) + " on," : std::string()) +
           " can be read.";
  }
  return {};
}

awaitable<OrResponse<void>> Past::load_file(const std::string& path) {
  if (auto loaded = co_await load({std::string(kWorkspace)}); !loaded) co_return loaded;
  co_return co_await load(history_.documents_of(path));
}

awaitable<OrResponse<std::vector<ChangedDocument>>> Past::changed_since(sync::HistoryPoint point, uint32_t limit) {
  auto changed = co_await ask<std::vector<ChangedDocument>>([&](auto reply) {
    services_.storage.history.changed_documents(workspace_, relay::Sequence{point}, limit, std::move(reply));
  });
  if (!changed) co_return std::unexpected(storage_response(changed.error(), kNoWorkspace));
  const std::string prefix = std::string(kBodyPrefix) + workspace_ + "/";
  for (ChangedDocument& one : *changed)
    one.name = one.name.starts_with(prefix) ? std::string(kBodyPrefix) + one.name.substr(prefix.size())
                                            : std::string(kWorkspace);
  co_return std::move(*changed);
}

}  // namespace diaryx::server
