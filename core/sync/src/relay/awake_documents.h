// The documents that are more than their bytes, and when they become bytes again.
//
//             on_waking                    settles: a single edit of a small one is over
//   at rest ────────────► unsettled ──────────────────────────────────────────────────────► to rest
//              loaded ───────►│                                                                ▲
//                             └──► awake: waits for its check ──── left alone for a while ─────┘
//
// Invariants
// 1. Whatever is unsettled is decided upon before the call ends. It is to rest, or waits for a check, and for the next, until it is.
// 2. None that is worked on again soon is to rest; the larger it is, the later soon ends, so that waking takes a small part of the time.
// 3. One beyond `max_resting_bytes` waits for no check. It rests as what somebody was told anyway, and not each time.
#pragma once

#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "diaryx/base/units.h"
#include "diaryx/sync/relay_types.h"
#include "document_name.h"

namespace diaryx::sync::relay {

/// When one document was worked on. Outlives its rest: its room keeps it.
class WorkTimes {
 private:
  friend class AwakeDocuments;
  TimestampMs worked_{std::numeric_limits<int64_t>::min() / 2};
  TimestampMs woken_{std::numeric_limits<int64_t>::min() / 2};  // the last time, while it was large
};

/// Sizes are what a document takes now, as an update.
/// Cost   a logarithm of the awake ones; `on_append`: the unsettled ones.
class AwakeDocuments {
 public:
  explicit AwakeDocuments(size_t max_resting_bytes) : max_resting_bytes_(max_resting_bytes) {}

  /// It has become more than its bytes in this call.
  struct Unsettled {
    SharedDocId document;
    bool stays = false;  // it was worked on a moment ago, too
    SharedBytes appended = nullptr;  // its newest update, which is perhaps all of it
  };

  /// It was loaded.
  void on_loaded(const SharedDocId& document) { unsettled_.push_back({.document = document}); }
  /// It rested, and is about to be worked on.
  void on_waking(const SharedDocId& document, WorkTimes& times, uint64_t size_bytes, TimestampMs now);
  void on_work(WorkTimes& times, TimestampMs now) { times.worked_ = now; }
  void on_append(const SharedDocId& document, const SharedBytes& update);

  size_t unsettled() const { return unsettled_.size(); }
  std::vector<Unsettled> take_unsettled() { return std::exchange(unsettled_, {}); }
  /// True if it is to rest now. Else it waits for its check, unless it is large.
  bool settle(const Unsettled& one, const WorkTimes& times, uint64_t size_bytes, TimestampMs now);

  std::optional<TimestampMs> next_moment() const;
  /// The document that is to be looked at first; null: none now. It may have come to rest meanwhile, or be gone.
  SharedDocId take_due(TimestampMs now);
  /// Of one that is awake: the same.
  bool check(const SharedDocId& document, const WorkTimes& times, uint64_t size_bytes, TimestampMs now);
  /// It was to rest now and could not: what it waits for may come.
  void check_later(const SharedDocId& document, const WorkTimes& times, uint64_t size_bytes, TimestampMs now);

  /// Somebody is told all of one that is awake: true if it is to rest as that.
  bool rests_as_told(const WorkTimes& times, uint64_t size_bytes, TimestampMs now) const;

 private:
  bool is_large(uint64_t size_bytes) const { return size_bytes > max_resting_bytes_; }

  size_t max_resting_bytes_;
  std::vector<Unsettled> unsettled_;
  std::multimap<TimestampMs, SharedDocId> checks_;
};

}  // namespace diaryx::sync::relay
