#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <vector>

#include "relay/fifo.h"

namespace diaryx::sync::relay {
namespace {

TEST(Fifo, WhatIsErasedDownToNothingCanBeShrunkAndUsedAgain) {
  Fifo<int> queue;
  for (const int item : {1, 2}) queue.push_back(item);
  queue.pop_front();
  queue.erase_if([](int) { return true; });
  EXPECT_TRUE(queue.empty());
  queue.shrink();
  queue.push_back(3);
  ASSERT_FALSE(queue.empty());
  EXPECT_EQ(queue.front(), 3);
}

TEST(Fifo, IsAQueue) {
  std::mt19937_64 random(1);
  Fifo<uint64_t> queue;
  std::deque<uint64_t> model;
  for (uint64_t step = 0; step < 200'000; ++step) {
    switch (random() % 8) {
      case 0:
      case 1:
      case 2:
        queue.push_back(step);
        model.push_back(step);
        break;
      case 3:
      case 4:
      case 5:
        if (model.empty()) break;
        queue.pop_front();
        model.pop_front();
        break;
      case 6: {
        if (step % 50 != 0) break;
        const uint64_t rest = random() % 3;
        const auto wanted = [rest](uint64_t item) { return rest == 2 || item % 2 == rest; };
        queue.erase_if(wanted);
        std::erase_if(model, wanted);
        break;
      }
      case 7:
        if (step % 1000 == 0) {
          const std::vector<uint64_t> all = queue.take();
          ASSERT_TRUE(std::ranges::equal(all, model));
          model.clear();
        } else {
          queue.shrink();
        }
        break;
    }
    ASSERT_EQ(queue.empty(), model.empty());
    if (model.empty()) continue;
    ASSERT_EQ(queue.front(), model.front());
    ASSERT_EQ(queue.back(), model.back());
  }
}

}  // namespace
}  // namespace diaryx::sync::relay
