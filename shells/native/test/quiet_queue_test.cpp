#include "quiet_queue.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace diaryx::native {
namespace {

using Paths = std::vector<std::string>;

TEST(QuietQueue, WaitsFromTheLastTouch) {
  QuietQueue queue(1000);
  queue.touch("a", 0, 100);
  queue.touch("a", 50, 100);
  EXPECT_EQ(queue.next_due_ms(), 150);
  EXPECT_TRUE(queue.take_due(149).empty());
  EXPECT_EQ(queue.take_due(150), Paths{"a"});
  EXPECT_FALSE(queue.next_due_ms());
}

TEST(QuietQueue, NeverWaitsLongerThanTheLongest) {
  QuietQueue queue(1000);
  for (int64_t now_ms = 0; now_ms < 1000; now_ms += 50) queue.touch("a", now_ms, 100);
  EXPECT_EQ(queue.take_due(1000), Paths{"a"});
}

TEST(QuietQueue, LeavesAloneLongerWhatNeedsMoreRest) {
  QuietQueue queue(1000, [](const std::string& path) { return path == "large" ? 500 : 0; });
  for (const char* path : {"large", "small"}) queue.touch(path, 0, 100);
  EXPECT_EQ(queue.take_due(100), Paths{"small"});
  queue.touch("large", 300, 100);
  EXPECT_TRUE(queue.take_due(799).empty());
  EXPECT_EQ(queue.next_due_ms(), 800);
  EXPECT_EQ(queue.take_due(800), Paths{"large"});
}

TEST(QuietQueue, TellsWhatNeedsRestAndNeverHasItAfterTenTimesThat) {
  QuietQueue queue(1000, [](const std::string&) { return 500; });
  int64_t now_ms = 0;
  for (; queue.take_due(now_ms).empty() && now_ms < 10'000; now_ms += 200) queue.touch("large", now_ms, 100);
  EXPECT_EQ(now_ms, 5'000);
}

TEST(QuietQueue, TellsTenTimesAtOnceAndThenFourTimesASecond) {  // typing, and a log
  QuietQueue queue(5000);
  int64_t now_ms = 0;
  const auto told_within = [&](int64_t duration_ms) {
    size_t told = 0;
    for (const int64_t end_ms = now_ms + duration_ms; now_ms < end_ms; now_ms += 10) {
      if (now_ms % 40 == 0) queue.touch("log", now_ms, 30);
      told += queue.take_due(now_ms).size();
    }
    return told;
  };
  EXPECT_EQ(told_within(400), 10u);
  told_within(2000);
  EXPECT_EQ(told_within(10'000), 40u);
  queue.touch("note", now_ms, 30);
  now_ms += 30;
  EXPECT_EQ(std::ranges::count(queue.take_due(now_ms), "note"), 1);
  now_ms += 10'000;
  EXPECT_EQ(told_within(400), 10u) << "it has rested";
}

TEST(QuietQueue, TellsAtOnceAfterTheClockWasSetBack) {
  QuietQueue queue(5000);
  for (int64_t now_ms = 1'000'000; now_ms < 1'010'000; now_ms += 40) {
    queue.touch("log", now_ms, 30);
    queue.take_due(now_ms + 30);
  }
  queue.touch("log", 1000, 30);
  EXPECT_EQ(queue.take_due(1000 + 250), Paths{"log"});
}

TEST(QuietQueue, RenamesWhatIsBeneathAFolderOnly) {
  QuietQueue queue(1000);
  for (const char* path : {"a/x", "a/y/z", "a-b", "a"}) queue.touch(path, 0, 1);
  queue.rename("a", "n");
  auto due = queue.take_due(1);
  std::sort(due.begin(), due.end());
  EXPECT_EQ(due, (Paths{"a-b", "n", "n/x", "n/y/z"}));
}

TEST(QuietQueue, KnowsWhatIsNewWhileItWaits) {
  QuietQueue queue(1000);
  queue.touch("a", 0, 10);
  queue.mark_new("a");
  queue.touch("a", 5, 10);
  EXPECT_TRUE(queue.is_new("a"));
  EXPECT_TRUE(queue.erase("a"));
  EXPECT_FALSE(queue.is_new("a"));
  EXPECT_FALSE(queue.erase("a"));
}

}  // namespace
}  // namespace diaryx::native
