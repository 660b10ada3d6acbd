#include "diaryx/base/inline_vector.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace diaryx {
namespace {

/// Long enough to be allocated, so that a sanitizer sees what is lost or freed twice.
std::string word(uint32_t number) { return "a text that no string keeps in itself: " + std::to_string(number); }

TEST(InlineVector, HoldsWhatAVectorHolds) {
  std::mt19937 random(7);
  InlineVector<std::string, 2> tested;
  std::vector<std::string> truth;
  for (uint32_t step = 0; step < 4000; ++step) {
    const size_t at = truth.empty() ? 0 : random() % truth.size();
    const auto place = static_cast<std::ptrdiff_t>(at);
    switch (random() % 8) {
      case 0:
        tested.insert(tested.begin() + place, word(step));
        truth.insert(truth.begin() + place, word(step));
        break;
      case 1: {
        const auto end = place + static_cast<std::ptrdiff_t>(random() % (truth.size() - at + 1));
        tested.erase(tested.begin() + place, tested.begin() + end);
        truth.erase(truth.begin() + place, truth.begin() + end);
        break;
      }
      case 2: {
        InlineVector<std::string, 2> moved = std::move(tested);
        EXPECT_TRUE(tested.empty());
        tested = std::move(moved);
        break;
      }
      case 3: {
        const InlineVector<std::string, 2> copied = tested;
        tested.clear();
        tested = copied;
        break;
      }
      case 4:
        if (!truth.empty()) {
          tested.push_back(tested[at]);
          truth.push_back(std::string(truth[at]));
        }
        break;
      default:
        tested.emplace_back(word(step));
        truth.push_back(word(step));
        break;
    }
    if (truth.size() > 7) {
      tested.pop_back();
      truth.pop_back();
    }
    if (truth.size() > 6) {
      tested.truncate(1);
      truth.resize(1);
    }
    ASSERT_EQ(std::vector<std::string>(tested.begin(), tested.end()), truth) << "step " << step;
  }
}

TEST(InlineVector, AllocatesOnlyBeyondItsRoom) {
  InlineVector<uint64_t, 3> numbers;
  for (uint64_t i = 0; i < 3; ++i) numbers.push_back(i);
  EXPECT_EQ(numbers.heap_bytes(), 0u);
  numbers.push_back(3);
  EXPECT_GE(numbers.heap_bytes(), 4 * sizeof(uint64_t));
  EXPECT_EQ(numbers[3], 3u);
}

}  // namespace
}  // namespace diaryx
