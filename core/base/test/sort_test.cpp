#include "diaryx/base/sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace diaryx {
namespace {

TEST(SortCompactly, OrdersWhatStdSortOrders) {
  std::mt19937 random(11);
  for (size_t size = 0; size < 300; ++size) {
    std::vector<std::string> words;
    for (size_t i = 0; i < size; ++i)
      words.push_back("a word beyond the small buffer " + std::to_string(random() % (size + 1)));
    std::vector<std::string> expected = words;
    std::sort(expected.begin(), expected.end());
    sort_compactly(words);
    ASSERT_EQ(words, expected);
    sort_compactly(words, std::greater<>{});
    std::reverse(expected.begin(), expected.end());
    ASSERT_EQ(words, expected);
  }
}

TEST(SortCompactly, LeavesWhatIsInOrder) {
  std::vector<std::pair<int, int>> pairs = {{1, 3}, {1, 2}, {1, 1}, {2, 0}};
  const auto expected = pairs;
  sort_compactly(pairs, [](const auto& a, const auto& b) { return a.first < b.first; });
  EXPECT_EQ(pairs, expected);
}

}  // namespace
}  // namespace diaryx
