#include "replica/disk_work.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace diaryx::sync {
namespace {

const std::string kPath = "a.md";
constexpr TimestampMs kThen{2'000};

TEST(DiskWork, IsNothingUntilSomethingBegins) {
  const DiskWork work;
  EXPECT_FALSE(work.is_pending(kPath));
  EXPECT_FALSE(work.is_removing(kPath));
  EXPECT_FALSE(work.is_left_to_watcher(kPath));
  EXPECT_EQ(work.failures(kPath), 0U);
  EXPECT_EQ(work.next_moment(), std::nullopt);
}

TEST(DiskWork, ReadsAPathOnceAtATime) {
  DiskWork work;
  EXPECT_TRUE(work.start_read(kPath));
  EXPECT_FALSE(work.start_read(kPath));
  work.end(kPath);
  EXPECT_FALSE(work.is_pending(kPath));
  EXPECT_TRUE(work.start_read(kPath));
}

TEST(DiskWork, DoesNotWaitForItsMomentOnceItIsRead) {
  DiskWork work;
  work.wait(kPath, kThen);
  EXPECT_TRUE(work.start_read(kPath));
  EXPECT_FALSE(work.is_waiting(kPath));
  EXPECT_EQ(work.next_moment(), std::nullopt);
}

TEST(DiskWork, KnowsTheRemovalUntilItEnds) {
  DiskWork work;
  work.start_removal(kPath, Ticket{7});
  EXPECT_TRUE(work.is_busy(kPath));
  EXPECT_TRUE(work.is_removing(kPath));
  EXPECT_TRUE(work.is_removing(kPath, Ticket{7}));
  EXPECT_FALSE(work.is_removing(kPath, Ticket{8}));
  EXPECT_EQ(work.end(kPath), Ticket{7});
  EXPECT_FALSE(work.is_removing(kPath));
  EXPECT_EQ(work.end(kPath), Ticket{});
}

TEST(DiskWork, LooksAtWhatARemovalInDoubtLeftBeforeItForgetsIt) {
  DiskWork work;
  work.start_removal(kPath, Ticket{7});
  work.doubt_removal(kPath, Ticket{7}, kThen);
  EXPECT_FALSE(work.is_busy(kPath));
  work.wake(kThen);
  EXPECT_TRUE(work.is_left_to_watcher(kPath));
  EXPECT_TRUE(work.start_read(kPath));
  EXPECT_TRUE(work.is_removing(kPath));
}

TEST(DiskWork, GoesOnAfterItsMoment) {
  DiskWork work;
  work.wait("b.md", TimestampMs{1'000});
  work.wait_for_watcher(kPath, kThen);
  work.wait("c.md", kThen);
  EXPECT_EQ(work.next_moment(), TimestampMs{1'000});
  EXPECT_EQ(work.wake(TimestampMs{999}), std::vector<std::string>{});
  EXPECT_EQ(work.wake(TimestampMs{1'999}), std::vector<std::string>{"b.md"});
  EXPECT_TRUE(work.is_pending(kPath));
  EXPECT_EQ(work.wake(kThen), (std::vector<std::string>{kPath, "c.md"}));
  EXPECT_FALSE(work.is_pending(kPath));
  EXPECT_TRUE(work.is_left_to_watcher(kPath));
  EXPECT_FALSE(work.is_left_to_watcher("c.md"));
  EXPECT_EQ(work.next_moment(), std::nullopt);
}

TEST(DiskWork, CountsTheFetchesThatFailedUntilOneEnds) {
  DiskWork work;
  for (const uint32_t failures : {0U, 1U, 2U}) {
    EXPECT_EQ(work.failures(kPath), failures);
    work.mark_busy(kPath);
    work.fail(kPath, kThen);
    EXPECT_FALSE(work.is_busy(kPath));
    EXPECT_TRUE(work.is_waiting(kPath));
    work.wake(kThen);
  }
  work.end(kPath);
  EXPECT_EQ(work.failures(kPath), 0U);
}

TEST(DiskWork, WakesThoughItWasBusyMeanwhile) {
  DiskWork work;
  work.wait(kPath, kThen);
  work.mark_busy(kPath);
  EXPECT_EQ(work.wake(kThen), std::vector<std::string>{kPath});
  EXPECT_TRUE(work.is_busy(kPath));
}

}  // namespace
}  // namespace diaryx::sync
