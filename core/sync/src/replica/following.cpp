#include "replica/following.h"

#include <charconv>
#include <utility>

namespace diaryx::sync {

Result<void> Following::restore(std::string_view record) {
  int64_t checked = 0;
  const char* const last = record.data() + record.size();
  const auto [end, error] = std::from_chars(record.data(), last, checked);
  if (error != std::errc{} || end == last) return fail(ErrorCode::InvalidMessage);
  checked_ = TimestampMs{checked};
  cursor_ = std::string(end + 1, last);
  return {};
}

bool Following::begin(TimestampMs wall_clock) {
  if (!is_offered_) return false;
  const bool is_good = !cursor_.empty() && checked_ <= wall_clock && wall_clock < checked_ + full_check_after_;
  question_ = is_good ? Question::List : Question::Cursor;
  updates_ = 0;
  return true;
}

bool Following::renew() {
  if (!is_following_ || question_ != Question::None || new_cursor_) return false;
  if (!cursor_.empty() && updates_ < updates_per_cursor_) return false;
  question_ = Question::Cursor;
  updates_ = 0;
  return true;
}

Following::Keys Following::on_changes(const Changes& changes) {
  const Question question = std::exchange(question_, Question::None);
  if (question == Question::None) return {};
  is_following_ = true;
  if (!changes.cursor.empty()) new_cursor_ = changes.cursor;
  Keys changed = std::exchange(heard_of_, {});
  if (question == Question::Cursor || !changes.known) return {};
  changed.insert(changes.keys.begin(), changes.keys.end());
  return changed;
}

std::string Following::keep(TimestampMs wall_clock) {
  cursor_ = *std::exchange(new_cursor_, std::nullopt);
  if (all_asked_) checked_ = wall_clock;
  return std::to_string(checked_.value()) + " " + cursor_;
}

bool Following::forget_cursor() { return !std::exchange(cursor_, {}).empty(); }

Following::Keys Following::end() {
  is_offered_ = is_following_ = all_asked_ = false;
  question_ = Question::None;
  new_cursor_.reset();
  return std::exchange(heard_of_, {});
}

}  // namespace diaryx::sync
