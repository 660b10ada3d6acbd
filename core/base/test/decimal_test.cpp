#include "../src/decimal.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace diaryx {
namespace {

std::string written(double value) {
  const Decimal decimal = shortest_decimal(value);
  return decimal.digits + "e" + std::to_string(decimal.exponent - static_cast<int>(decimal.digits.size()) + 1);
}

/// What the standard library finds: the shortest form in scientific notation.
Decimal expected(double value) {
  std::array<char, 64> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  Decimal decimal;
  const char* at = buffer.data();
  for (; *at != 'e'; ++at) {
    if (*at != '.') decimal.digits.push_back(*at);
  }
  std::from_chars(at[1] == '+' ? at + 2 : at + 1, end, decimal.exponent);
  return decimal;
}

void expect_same(double value) {
  const Decimal ours = shortest_decimal(value);
  const Decimal theirs = expected(value);
  ASSERT_EQ(ours.digits, theirs.digits) << std::bit_cast<uint64_t>(value);
  ASSERT_EQ(ours.exponent, theirs.exponent) << std::bit_cast<uint64_t>(value);
  ASSERT_EQ(nearest_double(written(value)), value);
}

TEST(Decimal, WritesAndReadsTheEdgesOfDoubles) {
  for (const double value : {5e-324, 2.2250738585072009e-308, 2.2250738585072014e-308, 1.7976931348623157e308, 1.0, 0.1,
                             0.3, 9007199254740993.0, 4503599627370496.0, 9e-265, 1e23, 5e-322, 123456.789}) {
    expect_same(value);
  }
  for (int power = -1074; power < 1024; ++power) expect_same(std::ldexp(1.0, power));
}

TEST(Decimal, WritesAndReadsAnyDouble) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const auto value = std::bit_cast<double>(random() & ~(uint64_t{1} << 63));
    if (std::isfinite(value) && value > 0) expect_same(value);
  }
}

TEST(Decimal, ReadsWhatIsBetweenTwoDoublesAsTheLibraryDoes) {
  std::mt19937_64 random(8);
  for (int i = 0; i < 20'000; ++i) {
    std::string text = std::to_string(random());
    if (i % 3 == 0) text.insert(random() % text.size() + 1, ".");
    if (text.back() == '.') text.push_back('0');
    text += "e" + std::to_string(static_cast<int>(random() % 700) - 350);
    ASSERT_EQ(nearest_double(text), std::strtod(text.c_str(), nullptr)) << text;
    text = std::to_string(random() % 100'000'000) + "e" + std::to_string(static_cast<int>(random() % 60) - 30);
    ASSERT_EQ(nearest_double(text), std::strtod(text.c_str(), nullptr)) << text;
  }
  // The exact middle between two doubles, and a hair beside it, 800 digits long.
  for (int i = 0; i < 200; ++i) {
    const double value =
        std::ldexp(1.0 + std::ldexp(static_cast<double>(random() >> 12), -52), -static_cast<int>(random() % 1000));
    std::array<char, 1500> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.1200f", value);
    std::string text(buffer.data());
    ASSERT_EQ(nearest_double(text), value);
    text += std::string(300, '7');
    ASSERT_EQ(nearest_double(text), std::strtod(text.c_str(), nullptr));
  }
  ASSERT_EQ(nearest_double("9007199254740993"), 9007199254740992.0);
  ASSERT_EQ(nearest_double("9007199254740993." + std::string(2000, '0') + "1"), 9007199254740994.0);
  ASSERT_EQ(nearest_double("2.4703282292062327e-324"), 0.0);
  ASSERT_EQ(nearest_double("2.4703282292062329e-324"), 5e-324);
}

}  // namespace
}  // namespace diaryx
