#include <algorithm>
#include <array>

#include "diaryx/sync/metadata.h"

namespace diaryx::sync {
namespace {

constexpr int64_t kMsPerDay = 86'400'000;
constexpr int64_t kFirstYear = -62'167'219'200'000;   // 0000-01-01T00:00:00.000Z
constexpr int64_t kLastInstant = 253'402'300'799'999;  // 9999-12-31T23:59:59.999Z

struct Date {
  int64_t year;
  int64_t month;  // 1 to 12
  int64_t day;    // 1 to 31
};

// Days since 1970-01-01 and back, for the proleptic Gregorian calendar. Years are counted from March, so that the leap
// day is the last day of the year; 719468 days lie between 0000-03-01 and 1970-01-01, 146097 in 400 years.
int64_t days_of(Date date) {
  const int64_t year = date.month <= 2 ? date.year - 1 : date.year;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

Date date_of(int64_t days) {
  const int64_t shifted = days + 719468;
  const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t from_march = (5 * day_of_year + 2) / 153;
  const int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day_of_year - (153 * from_march + 2) / 5 + 1};
}

bool is_leap(int64_t year) { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

int64_t days_in(int64_t year, int64_t month) {
  constexpr std::array<int64_t, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kDays[static_cast<size_t>(month - 1)];
}

// Takes fixed parts off the front of a text; any mismatch makes it fail for good.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  int64_t digits(size_t count) {
    int64_t number = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!next_is_digit()) return failed();
      number = number * 10 + (text_[at_++] - '0');
    }
    return number;
  }

  void one_of(std::string_view choices) {
    if (at_ < text_.size() && choices.find(text_[at_]) != std::string_view::npos)
      ++at_;
    else
      ok_ = false;
  }

  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool next_is_digit() const { return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; }
  bool ended_well() const { return ok_ && at_ == text_.size(); }

 private:
  int64_t failed() {
    ok_ = false;
    return 0;
  }

  std::string_view text_;
  size_t at_ = 0;
  bool ok_ = true;
};

int64_t read_milliseconds(Cursor& in) {
  if (!in.take('.')) return 0;
  int64_t milliseconds = in.digits(1) * 100;
  for (const int64_t weight : {10, 1})
    if (in.next_is_digit()) milliseconds += in.digits(1) * weight;
  while (in.next_is_digit()) in.digits(1);
  return milliseconds;
}

int64_t read_offset_minutes(Cursor& in) {
  if (in.take('Z') || in.take('z')) return 0;
  const int64_t sign = in.take('-') ? -1 : 1;
  if (sign == 1) in.one_of("+");
  const int64_t hours = in.digits(2);
  in.one_of(":");
  return sign * (hours * 60 + in.digits(2));
}

void append_padded(std::string& out, int64_t number, size_t width) {
  const std::string digits = std::to_string(number);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out.append(digits);
}

}  // namespace

std::string format_rfc3339(TimestampMs time) {
  const int64_t instant = std::clamp(time.value(), kFirstYear, kLastInstant);
  const int64_t days = (instant >= 0 ? instant : instant - (kMsPerDay - 1)) / kMsPerDay;
  const int64_t of_day = instant - days * kMsPerDay;
  const Date date = date_of(days);
  std::string text;
  append_padded(text, date.year, 4);
  text.push_back('-');
  append_padded(text, date.month, 2);
  text.push_back('-');
  append_padded(text, date.day, 2);
  text.push_back('T');
  append_padded(text, of_day / 3'600'000, 2);
  text.push_back(':');
  append_padded(text, of_day / 60'000 % 60, 2);
  text.push_back(':');
  append_padded(text, of_day / 1000 % 60, 2);
  text.push_back('.');
  append_padded(text, of_day % 1000, 3);
  return text + "+00:00";
}

std::optional<TimestampMs> parse_rfc3339(std::string_view text) {
  Cursor in(text);
  Date date{};
  date.year = in.digits(4);
  in.one_of("-");
  date.month = in.digits(2);
  in.one_of("-");
  date.day = in.digits(2);
  in.one_of("Tt ");
  const int64_t hours = in.digits(2);
  in.one_of(":");
  const int64_t minutes = in.digits(2);
  in.one_of(":");
  const int64_t seconds = in.digits(2);
  const int64_t milliseconds = read_milliseconds(in);
  const int64_t offset = read_offset_minutes(in);
  if (!in.ended_well() || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > days_in(date.year, date.month))
    return std::nullopt;
  // 60 is a leap second; it counts as the first moment of the next minute.
  if (hours > 23 || minutes > 59 || seconds > 60 || offset < -24 * 60 || offset > 24 * 60) return std::nullopt;
  const int64_t of_day = ((hours * 60 + minutes - offset) * 60 + seconds) * 1000 + milliseconds;
  return TimestampMs{days_of(date) * kMsPerDay + of_day};
}

}  // namespace diaryx::sync
