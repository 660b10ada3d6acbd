#include <utility>

#include "diaryx/sync/history_keep.h"

namespace diaryx::sync {
namespace {

/// While people work, the workspace is marked this often; what happened since the last mark is marked when work goes on.
constexpr DurationMs kMarkEvery{3'600'000};

bool is_own(HistoryOrigin origin) { return origin != HistoryOrigin::Remote && origin != HistoryOrigin::Sync; }

}  // namespace

HistoryRecorder::HistoryRecorder(HistoryDevice device, HistoryPoint last, TimestampMs last_time,
                                 std::optional<HistoryMark> last_mark)
    : device_(std::move(device)), last_(last), last_time_(last_time) {
  if (last_ != kHistoryStart) marked_at_ = last_time;
  if (last_mark) set_last_mark(*last_mark);
}

void HistoryRecorder::set_last_mark(const HistoryMark& mark) {
  marked_ = mark.point;
  marked_at_ = mark.time;
}

Result<HistoryRecorder::Row> HistoryRecorder::record(const PersistUpdate& update, TimestampMs now) {
  Row row{.doc = update.doc, .sequence = last_ + 1};
  if (!marked_at_) marked_at_ = now;
  if (last_ > marked_) {
    const DurationMs since = now - *marked_at_;
    // A clock that was set back counts as time that passed, so that marks go on.
    if (since >= kMarkEvery || since.value() <= -kMarkEvery.value()) {
      row.mark = HistoryMark{.point = last_, .time = last_time_};
      marked_ = last_;
      marked_at_ = now;
    }
  }
  row.record = {.sequence = row.sequence,
                .time = now,
                .origin = update.origin,
                .device = is_own(update.origin) ? device_ : HistoryDevice{},
                .note = update.note,
                .update = update.update};
  DX_TRY(row.block, encode_history_block({&row.record, 1}));
  last_ = row.sequence;
  last_time_ = now;
  return row;
}

}  // namespace diaryx::sync
