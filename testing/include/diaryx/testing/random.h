// A seeded source of choices. The same seed gives the same run on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace diaryx::testing {

/// SplitMix64: one multiplication chain, good enough to choose faults and edits.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }

  /// Uniform in [0, bound); `bound` > 0.
  uint64_t below(uint64_t bound) { return next() % bound; }

  /// True once in about `1 / probability` calls.
  bool chance(double probability) { return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability; }

  template <typename T>
  const T& pick(const std::vector<T>& items) {
    return items[below(items.size())];
  }

 private:
  uint64_t state_;
};

}  // namespace diaryx::testing
