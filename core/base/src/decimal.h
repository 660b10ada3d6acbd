// Doubles as decimal digits and back, exactly.
//
// Our own: the C library brings printf and a table of powers for it, a tenth of a small module. Both directions use plain
// arithmetic with long integers, so nothing is estimated and nothing needs a correction.
#pragma once

#include <string>
#include <string_view>

namespace diaryx {

/// Digits d1 d2 ... and the power of ten of the first one: d1.d2d3... x 10^exponent.
struct Decimal {
  std::string digits;
  int exponent = 0;
};

/// The shortest digits that read back as `value`; of several, those nearest to it. value: finite and > 0.
/// Source  Burger and Dybvig, "Printing Floating-Point Numbers Quickly and Accurately" (1996), the free-format algorithm.
Decimal shortest_decimal(double value);

/// The double nearest to a number; ties go to the even one. Infinity when it is too large, zero when it is too small.
///
/// number  digits with at most one point, then perhaps `e` and an exponent; no sign in front.
double nearest_double(std::string_view number);

}  // namespace diaryx
