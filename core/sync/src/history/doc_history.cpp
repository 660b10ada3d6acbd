#include <algorithm>

#include "diaryx/crdt/update.h"
#include "diaryx/sync/history.h"

namespace diaryx::sync {
namespace {

RecordShape shape_of(const HistoryRecord& record) {
  RecordShape shape;
  const Result<crdt::UpdateSummary> summary = crdt::summarize_update_v1(record.update);
  if (!summary) return shape;
  shape.inserted = summary->text_units;
  for (const auto& [client, end] : summary->ends) {
    const Clock start = summary->starts.get(client);
    shape.wrote.push_back({client, start, end});
  }
  for (const auto& [client, ranges] : summary->deletes.clients()) {
    for (const crdt::ClockRange& range : ranges) shape.deleted += range.length.value();
  }
  return shape;
}

}  // namespace

Result<void> DocHistory::add(ByteView block) {
  DX_TRY(std::vector<HistoryRecord> records, decode_history_block(block));
  if (!records_.empty() && records.front().sequence <= records_.back().sequence) return fail(ErrorCode::BadReference);
  for (HistoryRecord& record : records) records_.push_back(std::move(record));
  return {};
}

const std::vector<RecordShape>& DocHistory::shapes() const {
  while (shapes_.size() < records_.size()) {
    const size_t record = shapes_.size();
    shapes_.push_back(shape_of(records_[record]));
    for (const RecordShape::Wrote& wrote : shapes_.back().wrote) {
      std::vector<Brought>& brought = brought_[wrote.client];
      if (brought.empty() || brought.back().end < wrote.end) brought.push_back({wrote.end, record});
    }
  }
  return shapes_;
}

size_t DocHistory::replay(crdt::Doc& doc, HistoryPoint from, HistoryPoint to) const {
  size_t failed = 0;
  auto record = std::ranges::upper_bound(records_, from, {}, &HistoryRecord::sequence);
  for (; record != records_.end() && record->sequence <= to; ++record) {
    if (!doc.apply_update_v1(record->update)) ++failed;
  }
  return failed;
}

std::optional<DocHistory::Found> DocHistory::record_of(crdt::Id id) const {
  (void)shapes();
  const auto client = brought_.find(id.client);
  if (client == brought_.end()) return std::nullopt;
  const auto found = std::ranges::upper_bound(client->second, id.clock, {}, &Brought::end);
  if (found == client->second.end()) return std::nullopt;
  return Found{found->record, found->end};
}

}  // namespace diaryx::sync
