#include "awake_documents.h"

#include <algorithm>
#include <utility>

namespace diaryx::sync::relay {
namespace {

/// Larger documents are not made bytes of right after a single edit.
constexpr uint64_t kRestAtOnceBytes = 16u << 10;
constexpr int64_t kCheckMs = 250;

/// The larger, the longer, so that waking takes the same small part of the time whatever the size.
DurationMs quiet_before_rest(uint64_t size_bytes) { return DurationMs{1'000 + static_cast<int64_t>(size_bytes / 8)}; }

/// Between two times that a document is woken because it was told whole: so long that waking, some 2 ns for each byte, takes less
/// than a tenth of it.
DurationMs between_wakings(uint64_t size_bytes) { return DurationMs{20 + static_cast<int64_t>(size_bytes / 32768)}; }

}  // namespace

void AwakeDocuments::on_waking(const SharedDocId& document, WorkTimes& times, uint64_t size_bytes, TimestampMs now) {
  const bool again = now - times.worked_ < quiet_before_rest(size_bytes);
  unsettled_.push_back({.document = document, .stays = again});
  if (is_large(size_bytes)) times.woken_ = now;
}

void AwakeDocuments::on_append(const SharedDocId& document, const SharedBytes& update) {
  const auto found = std::ranges::find(unsettled_.rbegin(), unsettled_.rend(), document, &Unsettled::document);
  if (found != unsettled_.rend()) found->appended = update;
}

/// A single edit is over: the document rests again. One that is edited again soon stays awake until it is left alone for a while.
bool AwakeDocuments::settle(const Unsettled& one, const WorkTimes& times, uint64_t size_bytes, TimestampMs now) {
  if (is_large(size_bytes)) return false;
  if (!one.stays && size_bytes <= kRestAtOnceBytes) return true;
  check_later(one.document, times, size_bytes, now);
  return false;
}

std::optional<TimestampMs> AwakeDocuments::next_moment() const {
  if (checks_.empty()) return std::nullopt;
  return checks_.begin()->first;
}

SharedDocId AwakeDocuments::take_due(TimestampMs now) {
  if (checks_.empty() || checks_.begin()->first > now) return nullptr;
  SharedDocId due = std::move(checks_.begin()->second);
  checks_.erase(checks_.begin());
  return due;
}

bool AwakeDocuments::check(const SharedDocId& document, const WorkTimes& times, uint64_t size_bytes, TimestampMs now) {
  if (is_large(size_bytes)) return false;
  if (now >= times.worked_ + quiet_before_rest(size_bytes)) return true;
  check_later(document, times, size_bytes, now);
  return false;
}

void AwakeDocuments::check_later(const SharedDocId& document, const WorkTimes& times, uint64_t size_bytes,
                                 TimestampMs now) {
  const DurationMs quiet = quiet_before_rest(size_bytes);
  const TimestampMs due = times.worked_ + quiet > now ? times.worked_ + quiet : now + quiet;
  // Rounded up, so that one deadline is about many.
  checks_.emplace(TimestampMs{(due.value() / kCheckMs + 1) * kCheckMs}, document);
}

bool AwakeDocuments::rests_as_told(const WorkTimes& times, uint64_t size_bytes, TimestampMs now) const {
  return is_large(size_bytes) && now >= times.woken_ + between_wakings(size_bytes);
}

}  // namespace diaryx::sync::relay
