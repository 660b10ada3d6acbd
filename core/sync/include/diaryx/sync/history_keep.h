// Which past is kept: records as they are stored, marks that are kept for long, and compaction of everything between.
//
// A shell stores what the recorder makes, in the transaction that stores the update. Every few hours it asks which marks to drop
// and compacts documents with many blocks.
//
// Invariants
// 1. Compaction never changes what a kept point shows: same files, same texts, same writers (T21). Kept points are every mark
//    and every record of the last day.
// 2. Records are folded into the next kept point, never dropped (T22).
// 3. A document has at most one record per kept mark, one per rename, two per restore, and `recent_records`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/result.h"
#include "diaryx/sync/action.h"
#include "diaryx/sync/history.h"

namespace diaryx::sync {

// --- marks ------------------------------------------------------------------------------------------------------

/// A point that is kept: a snapshot of the workspace, made by a person or by the hour. It costs a few bytes, since the texts are
/// in the records.
struct HistoryMark {
  HistoryPoint point = 0;
  TimestampMs time;
  std::string name;  // empty: automatic

  bool is_named() const { return !name.empty(); }
  bool operator==(const HistoryMark&) const = default;
};

/// Longer names are refused.
inline constexpr size_t kMaxMarkNameBytes = 200;

/// A name that a snapshot may have: text without control characters, not empty, no blanks at its ends, and no number (numbers are
/// points). Errors: InvalidUtf8, InvalidMessage, TooLarge.
Result<void> check_mark_name(std::string_view name);

/// How a mark is stored: as a record of a replica's store. The key of a name is its own; automatic marks have their point.
std::string mark_record_key(const HistoryMark& mark);
PersistRecord mark_record(const HistoryMark& mark);
bool is_mark_record(std::string_view key);
/// Errors: InvalidMessage.
Result<HistoryMark> parse_mark_record(std::string_view key, std::string_view value);

struct RetentionRule {
  DurationMs everything{24 * 3'600'000LL};  // younger than this: every record
  DurationMs hourly{7 * 24 * 3'600'000LL};  // younger: the last automatic mark of an hour
  DurationMs daily{31 * 24 * 3'600'000LL};  // of a day
  DurationMs weekly{366 * 24 * 3'600'000LL};  // of a week; older ones go
  /// Records of a document that are left as they are, however young they are.
  size_t recent_records = 4'096;
};

/// Marks that the rule does not keep. Named ones are kept for ever. Hours, days and weeks are those of UTC.
std::vector<HistoryMark> marks_to_drop(std::span<const HistoryMark> marks, TimestampMs now,
                                       const RetentionRule& rule = {});

// --- recording --------------------------------------------------------------------------------------------------

/// Turns updates that are about to be stored into records.
class HistoryRecorder {
 public:
  /// device     this one; stands in records of what was done here.
  /// last       the last sequence of the store, and its time; 0 when it is empty.
  /// last_mark  the last mark of the store.
  HistoryRecorder(HistoryDevice device, HistoryPoint last, TimestampMs last_time, std::optional<HistoryMark> last_mark);

  struct Row {
    std::string doc;
    HistoryPoint sequence = 0;
    Bytes block;
    HistoryRecord record;  // what is in the block
    /// To be stored as well: the workspace as it was before this record.
    std::optional<HistoryMark> mark;
  };

  /// Errors: TooLarge.
  Result<Row> record(const PersistUpdate& update, TimestampMs now);

  HistoryPoint last() const { return last_; }
  /// After a mark was made by somebody else.
  void set_last_mark(const HistoryMark& mark);

 private:
  HistoryDevice device_;
  HistoryPoint last_ = 0;
  TimestampMs last_time_;
  HistoryPoint marked_ = 0;
  std::optional<TimestampMs> marked_at_;
};

// --- compaction -------------------------------------------------------------------------------------------------

struct StoredBlock {
  HistoryPoint first = 0;
  HistoryPoint last = 0;
  Bytes bytes;
};

/// The records of a document by the rule, packed into blocks that replace all that are stored of it.
///
/// marks   those that are kept.
/// Cost    one replay of the document.
/// Errors  TooLarge.
Result<std::vector<StoredBlock>> compact_history(const DocHistory& document, std::span<const HistoryMark> marks,
                                                 TimestampMs now, const RetentionRule& rule = {});

}  // namespace diaryx::sync
