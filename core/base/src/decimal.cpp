#include "decimal.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace diaryx {
namespace {

constexpr int kMantissaBits = 52;  // stored; the first bit of a normal number is not
constexpr int kSmallestExponent = -1074;
constexpr uint64_t kHiddenBit = uint64_t{1} << kMantissaBits;
/// No double, and no middle between two, has more digits; what comes after can only tip the balance.
constexpr size_t kMaxDigits = 780;
/// Natural numbers of so many digits, and powers of ten up to this one, are doubles.
constexpr size_t kExactDigits = 15;
constexpr int64_t kExactPower = 22;
/// Beyond these powers of ten every number is infinite or zero.
constexpr int64_t kTooLarge = 310;
constexpr int64_t kTooSmall = -330;

int width_of(uint64_t number) { return static_cast<int>(std::bit_width(number)); }

/// A natural number of up to 4,096 bits. Our largest is 10^1110 x 2^66.
class Big {
 public:
  explicit Big(uint64_t value) {
    add(static_cast<uint32_t>(value));
    words_[1] = static_cast<uint32_t>(value >> 32);
    size_ = words_[1] != 0 ? 2 : 1;
  }

  void multiply(uint32_t factor) {
    uint64_t carry = 0;
    for (size_t i = 0; i < size_; ++i) {
      carry += uint64_t{words_[i]} * factor;
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words_[size_++] = static_cast<uint32_t>(carry);
  }

  void multiply_by_power_of_ten(int64_t power) {
    for (; power >= 9; power -= 9) multiply(1'000'000'000);
    for (; power > 0; --power) multiply(10);
  }

  void shift_left(int64_t bits) {
    for (; bits >= 31; bits -= 31) multiply(uint32_t{1} << 31);
    multiply(uint32_t{1} << bits);
  }

  void add(uint32_t value) {
    uint64_t carry = value;
    for (size_t i = 0; carry != 0; ++i) {
      carry += words_[i];
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
      size_ = std::max(size_, i + 1);
    }
  }

  void add(const Big& other) {
    uint64_t carry = 0;
    const size_t size = std::max(size_, other.size_);
    for (size_t i = 0; i < size; ++i) {
      carry += uint64_t{words_[i]} + other.words_[i];
      words_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    size_ = size;
    if (carry != 0) words_[size_++] = static_cast<uint32_t>(carry);
  }

  /// other   at most this.
  void subtract(const Big& other) {
    uint64_t borrow = 0;
    for (size_t i = 0; i < size_; ++i) {
      const uint64_t taken = other.words_[i] + borrow;
      borrow = words_[i] < taken ? 1 : 0;
      words_[i] = static_cast<uint32_t>(words_[i] - taken);
    }
    while (size_ > 1 && words_[size_ - 1] == 0) --size_;
  }

  /// -1, 0 or 1.
  int compare(const Big& other) const {
    for (size_t i = std::max(size_, other.size_); i-- > 0;) {
      if (words_[i] != other.words_[i]) return words_[i] < other.words_[i] ? -1 : 1;
    }
    return 0;
  }

  int bits() const { return static_cast<int>(size_ - 1) * 32 + width_of(words_[size_ - 1]); }
  bool is_zero() const { return size_ == 1 && words_[0] == 0; }

 private:
  std::array<uint32_t, 132> words_{};
  size_t size_ = 1;
};

int compare_sum(Big a, const Big& b, const Big& with) {
  a.add(b);
  return a.compare(with);
}

double double_of(uint64_t mantissa, int exponent) { return std::ldexp(static_cast<double>(mantissa), exponent); }

/// numerator / denominator, rounded.
double divide(Big numerator, Big denominator) {
  if (numerator.is_zero()) return 0;
  // Scale so that the quotient has 54 or 55 bits: one or two more than are kept.
  int exponent = numerator.bits() - denominator.bits() - (kMantissaBits + 2);
  exponent = std::max(exponent, kSmallestExponent - 1);
  if (exponent < 0) {
    numerator.shift_left(-exponent);
  } else {
    denominator.shift_left(exponent);
  }
  uint64_t quotient = 0;
  int shift = std::max(numerator.bits() - denominator.bits(), 0);
  Big step = denominator;
  step.shift_left(shift);
  for (;; --shift) {
    quotient <<= 1;
    if (numerator.compare(step) >= 0) {
      numerator.subtract(step);
      quotient |= 1;
    }
    if (shift == 0) break;
    numerator.multiply(2);  // instead of halving the step
  }
  // The last bits, and whether anything is left, decide which way it goes.
  const bool has_rest = !numerator.is_zero();
  const int extra = std::max({width_of(quotient) - (kMantissaBits + 1), kSmallestExponent - exponent, 0});
  const uint64_t cut = quotient & ((uint64_t{1} << extra) - 1);
  const uint64_t half = extra > 0 ? uint64_t{1} << (extra - 1) : 0;
  uint64_t kept = quotient >> extra;
  if (extra > 0 && (cut > half || (cut == half && (has_rest || (kept & 1) != 0)))) ++kept;
  return double_of(kept, exponent + extra);
}

}  // namespace

Decimal shortest_decimal(double value) {
  const auto bits = std::bit_cast<uint64_t>(value);
  const auto biased = static_cast<int>(bits >> kMantissaBits);
  const uint64_t mantissa = (bits & (kHiddenBit - 1)) | (biased != 0 ? kHiddenBit : 0);
  const int exponent = std::max(biased, 1) - 1 + kSmallestExponent;
  const bool is_even = (mantissa & 1) == 0;
  // Below a power of two the neighbour is half as far away.
  const bool is_lopsided = mantissa == kHiddenBit && biased > 1;

  // value = rest / scale; the numbers up to `above` more and `below` less read back as it.
  Big rest(mantissa);
  Big scale(1);
  Big above(1);
  Big below(1);
  rest.shift_left(std::max(exponent, 0) + (is_lopsided ? 2 : 1));
  scale.shift_left(std::max(-exponent, 0) + (is_lopsided ? 2 : 1));
  above.shift_left(std::max(exponent, 0) + (is_lopsided ? 1 : 0));
  below.shift_left(std::max(exponent, 0));

  constexpr double kLog10Of2 = 0.30102999566398;
  int power = static_cast<int>(std::floor((width_of(mantissa) - 1 + exponent) * kLog10Of2));  // at most one too small
  if (power >= 0) {
    scale.multiply_by_power_of_ten(power);
  } else {
    for (Big* number : {&rest, &above, &below}) number->multiply_by_power_of_ten(-power);
  }
  Big next = scale;
  next.multiply(10);
  const int against_next = compare_sum(rest, above, next);
  if (against_next > 0 || (against_next == 0 && is_even)) {
    scale = next;
    ++power;
  }

  Decimal decimal{.digits = {}, .exponent = power};
  for (;;) {
    char digit = '0';
    for (; rest.compare(scale) >= 0; ++digit) rest.subtract(scale);
    const int low = rest.compare(below);
    const int high = compare_sum(rest, above, scale);
    const bool may_end_low = low < 0 || (low == 0 && is_even);
    const bool may_end_high = high > 0 || (high == 0 && is_even);
    if (may_end_low || may_end_high) {
      const int half = compare_sum(rest, rest, scale);
      const bool up = may_end_high && (!may_end_low || half > 0 || (half == 0 && (digit & 1) != 0));
      decimal.digits.push_back(static_cast<char>(digit + (up ? 1 : 0)));
      return decimal;
    }
    decimal.digits.push_back(digit);
    for (Big* number : {&rest, &above, &below}) number->multiply(10);
  }
}

double nearest_double(std::string_view number) {
  std::string digits;
  int64_t exponent = 0;  // of the last digit
  bool after_point = false;
  bool is_cut = false;
  size_t at = 0;
  for (; at < number.size() && (number[at] | 0x20) != 'e'; ++at) {
    if (number[at] == '.') {
      after_point = true;
      continue;
    }
    exponent -= after_point ? 1 : 0;
    if (digits.empty() && number[at] == '0') continue;
    if (digits.size() < kMaxDigits) {
      digits.push_back(number[at]);
    } else {
      is_cut = is_cut || number[at] != '0';
      ++exponent;
    }
  }
  if (at < number.size()) {
    const bool is_negative = number[++at] == '-';
    if (number[at] == '-' || number[at] == '+') ++at;
    int64_t said = 0;
    for (; at < number.size(); ++at) said = std::min<int64_t>(said * 10 + (number[at] - '0'), int64_t{1} << 50);
    exponent += is_negative ? -said : said;
  }
  if (digits.empty()) return 0;
  const int64_t first = exponent + static_cast<int64_t>(digits.size()) - 1;
  if (first > kTooLarge) return std::numeric_limits<double>::infinity();
  if (first < kTooSmall) return 0;
  if (is_cut) {
    digits.push_back('1');
    --exponent;
  }
  if (digits.size() <= kExactDigits && std::abs(exponent) <= kExactPower) {
    // Both are doubles, so one division or multiplication rounds right: nearly every number that anybody writes.
    uint64_t mantissa = 0;
    for (const char digit : digits) mantissa = mantissa * 10 + static_cast<uint64_t>(digit - '0');
    double power = 1;
    for (int64_t i = std::abs(exponent); i > 0; --i) power *= 10;
    return exponent < 0 ? static_cast<double>(mantissa) / power : static_cast<double>(mantissa) * power;
  }
  Big numerator(0);
  for (const char digit : digits) {
    numerator.multiply(10);
    numerator.add(static_cast<uint32_t>(digit - '0'));
  }
  Big denominator(1);
  (exponent < 0 ? denominator : numerator).multiply_by_power_of_ten(std::abs(exponent));
  return divide(numerator, denominator);
}

}  // namespace diaryx
