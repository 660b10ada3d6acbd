// Folding old records into kept points.
//
// A stretch of records becomes one by replaying it in a document that collects garbage: what was typed and deleted again within
// the stretch leaves only its place. The new record is what that document has more than before the stretch, so the points at its
// two ends show what they showed, and so does every later one.
#include <algorithm>
#include <utility>

#include "diaryx/base/sort.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/history_keep.h"

namespace diaryx::sync {
namespace {

constexpr size_t kMaxPackedRecords = 256;
constexpr size_t kMaxPackedBytes = 64 * 1024;

using Records = std::span<const HistoryRecord>;

bool is_own(const HistoryRecord& record) {
  return record.origin == HistoryOrigin::Local || record.origin == HistoryOrigin::Restore ||
         record.origin == HistoryOrigin::Import;
}

/// Its note says what it was, and is asked for later: where what came along with a rename came from, and which restore can be
/// taken back.
bool is_noted(const HistoryRecord& record) {
  return record.origin == HistoryOrigin::Move || record.origin == HistoryOrigin::Restore;
}

/// Records of a stretch can be one: no kept point between them, and what is noted stays known as such.
bool may_join(const HistoryRecord& a, const HistoryRecord& b, std::span<const HistoryPoint> points) {
  if ((is_noted(a) || is_noted(b)) && (a.origin != b.origin || a.note != b.note)) return false;
  return std::ranges::lower_bound(points, a.sequence) == std::ranges::lower_bound(points, b.sequence);
}

size_t first_recent(Records records, TimestampMs now, const RetentionRule& rule) {
  const auto recent =
      std::ranges::find_if(records, [&](const HistoryRecord& r) { return now - r.time < rule.everything; });
  const size_t by_age = static_cast<size_t>(recent - records.begin());
  const size_t by_count = records.size() > rule.recent_records ? records.size() - rule.recent_records : 0;
  return std::max(by_age, by_count);
}

/// Everything but the update.
HistoryRecord summary_of(Records stretch, std::span<const RecordShape> shapes) {
  HistoryRecord merged = stretch.back();
  merged.update.clear();
  merged.merged = 0;
  merged.writers.clear();
  TimestampMs from = merged.time;
  for (const HistoryRecord& record : stretch) {
    merged.merged += record.merged;
    from = std::min(from, TimestampMs{record.time.value() - record.span.value()});
    if (record.device != merged.device) merged.device = {};
    if (record.note != merged.note) merged.note.clear();
  }
  merged.span = merged.time - from;
  const auto add_writer = [&](const HistoryWriter& writer) {
    if (std::ranges::find(merged.writers, writer) == merged.writers.end()) merged.writers.push_back(writer);
  };
  for (size_t i = 0; i < stretch.size(); ++i) {
    for (const HistoryWriter& writer : stretch[i].writers) add_writer(writer);
    if (stretch[i].device.id.empty() || !is_own(stretch[i])) continue;
    const bool said_by_merged = stretch[i].device == merged.device && is_own(merged);
    if (said_by_merged) continue;
    for (const RecordShape::Wrote& wrote : shapes[i].wrote) add_writer({wrote.client, stretch[i].device});
  }
  return merged;
}

/// What `doc` has more than `known`, with `deletions` instead of everything that was ever deleted.
Bytes difference(const crdt::Doc& doc, const crdt::StateVector& known, const crdt::DeleteSet& deletions) {
  Bytes update = doc.encode_update_v1(known);
  const Bytes all_deletions = doc.delete_set().encode_v1();
  // The delete set is the end of an update; without pending parts it is the document's own.
  const bool ends_with_all = update.size() >= all_deletions.size() &&
                             std::equal(all_deletions.rbegin(), all_deletions.rend(), update.rbegin());
  if (!ends_with_all || doc.has_pending()) return update;
  update.resize(update.size() - all_deletions.size());
  const Bytes own = deletions.encode_v1();
  update.insert(update.end(), own.begin(), own.end());
  return update;
}

/// Folds records one stretch after another.
class Folder {
 public:
  Folder() : doc_({.client = ClientId{1}, .emit = crdt::Emit::Nothing}) {}

  void fold(Records stretch, std::span<const RecordShape> shapes, std::vector<HistoryRecord>& out) {
    const crdt::StateVector before = doc_.state_vector();
    crdt::DeleteSet deletions;
    bool complete = !doc_.has_pending();
    for (const HistoryRecord& record : stretch) {
      const Result<crdt::Commit> commit = doc_.apply_update_v1(record.update);
      if (commit) deletions.merge(commit->deletions());
      complete = complete && commit && !doc_.has_pending();
    }
    if (stretch.size() == 1 || !complete) {
      // Something in it cannot be read, or waits for what is not here: it is kept as it is.
      for (const HistoryRecord& record : stretch) out.push_back(record);
      return;
    }
    HistoryRecord merged = summary_of(stretch, shapes);
    merged.update = difference(doc_, before, deletions);
    out.push_back(std::move(merged));
  }

 private:
  crdt::Doc doc_;
};

Result<std::vector<StoredBlock>> pack(Records records) {
  std::vector<StoredBlock> blocks;
  while (!records.empty()) {
    size_t count = 0;
    size_t bytes = 0;
    while (count < records.size() && count < kMaxPackedRecords && (count == 0 || bytes < kMaxPackedBytes))
      bytes += records[count++].update.size();
    if (count > 1 && bytes > kMaxPackedBytes) --count;
    StoredBlock block{.first = records.front().sequence, .last = records[count - 1].sequence};
    DX_TRY(block.bytes, encode_history_block(records.first(count)));
    blocks.push_back(std::move(block));
    records = records.subspan(count);
  }
  return blocks;
}

}  // namespace

Result<std::vector<StoredBlock>> compact_history(const DocHistory& document, std::span<const HistoryMark> marks,
                                                 TimestampMs now, const RetentionRule& rule) {
  const Records records = document.records();
  const std::span<const RecordShape> shapes = document.shapes();
  std::vector<HistoryPoint> points;
  for (const HistoryMark& mark : marks) points.push_back(mark.point);
  sort_compactly(points);

  const size_t old_end = first_recent(records, now, rule);
  std::vector<HistoryRecord> kept;
  Folder folder;
  for (size_t start = 0; start < old_end;) {
    size_t end = start + 1;
    while (end < old_end && may_join(records[start], records[end], points)) ++end;
    folder.fold(records.subspan(start, end - start), shapes.subspan(start, end - start), kept);
    start = end;
  }
  for (const HistoryRecord& record : records.subspan(old_end)) kept.push_back(record);
  return pack(kept);
}

}  // namespace diaryx::sync
