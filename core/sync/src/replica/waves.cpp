#include "replica/waves.h"

#include <utility>

namespace diaryx::sync {
namespace {

constexpr DurationMs kWaveGrace{1'000};

}  // namespace

// --- found here -------------------------------------------------------------------------------------------------

OutgoingWave::Verdict OutgoingWave::judge(size_t count, size_t files, bool is_holding, Grace grace, TimestampMs now) {
  const bool is_any = count != 0 && !is_released_;
  const bool is_wave = is_any && (is_holding || recent_.is_wave(count, files, now));
  // A folder is emptied file by file: wait until nothing more is missing before counting. One by one, too: once a few went in the
  // last minute, so that a slow wave does not pass file by file until it is large enough.
  if (is_any && !is_wave && grace == Grace::Given && recent_.may_become_wave(count, files, now)) {
    if (count != growing_) wait_until_ = now + kWaveGrace;
    growing_ = count;
    if (wait_until_ && *wait_until_ > now) return Verdict::Wait;
  }
  growing_ = 0;
  wait_until_.reset();
  return is_wave ? Verdict::Hold : Verdict::LetThrough;
}

void OutgoingWave::add(const std::string& path, HeldChange::Kind kind, TimestampMs now) {
  if (!is_released_) recent_.add(path, /*left=*/kind == HeldChange::Kind::Deletion, now);
}

// --- made elsewhere ---------------------------------------------------------------------------------------------

void IncomingWave::ask(const std::string& path, HeldChange::Kind kind, TimestampMs now) {
  if (held_.contains(path)) return;
  asked_.insert_or_assign(path, kind);
  // Texts come one by one, so a wave of them is only seen when it has been quiet for a moment.
  if (kind == HeldChange::Kind::Truncation) truncations_due_ = now + kWaveGrace;
}

IncomingWave::Removals IncomingWave::take_due(TimestampMs now) {
  if (!truncations_due_ || *truncations_due_ <= now) {
    truncations_due_.reset();
    return std::exchange(asked_, {});
  }
  Removals due;
  std::erase_if(asked_, [&](const auto& entry) {
    const bool is_due = entry.second == HeldChange::Kind::Deletion;
    if (is_due) due.insert(entry);
    return is_due;
  });
  if (asked_.empty()) truncations_due_.reset();  // what had lost its text is deleted by now
  return due;
}

bool IncomingWave::is_to_be_held(size_t count, size_t files, TimestampMs now) {
  return count != 0 && (!held_.empty() || recent_.is_wave(count, files, now));
}

void IncomingWave::came_back(const std::string& path) {
  const auto held = held_.find(path);
  if (held != held_.end() && held->second == HeldChange::Kind::Deletion) held_.erase(held);
}

void IncomingWave::add(const std::string& path, HeldChange::Kind kind, TimestampMs now) {
  recent_.add(path, /*left=*/kind == HeldChange::Kind::Deletion, now);
}

}  // namespace diaryx::sync
