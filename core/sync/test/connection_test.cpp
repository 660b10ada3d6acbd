// Which states a connection goes through, what of them is told, and when it is given up.
#include "replica/connection.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

constexpr TimestampMs kNow{1'000};
constexpr TimestampMs after(int64_t seconds) { return kNow + DurationMs{seconds * 1'000}; }

TEST(Connection, GoesThroughItsStatesAndTellsEachOnce) {
  Connection connection;
  EXPECT_FALSE(connection.is_online());
  EXPECT_FALSE(connection.hear()) << "before it begins";
  EXPECT_TRUE(connection.begin(kNow));
  EXPECT_EQ(connection.state(), SyncState::Connected);
  EXPECT_TRUE(connection.is_online());
  EXPECT_FALSE(connection.is_active());
  EXPECT_FALSE(connection.catch_up()) << "nothing was heard";
  EXPECT_TRUE(connection.hear());
  EXPECT_FALSE(connection.hear());
  EXPECT_EQ(connection.state(), SyncState::Syncing);
  EXPECT_TRUE(connection.is_active());
  EXPECT_TRUE(connection.catch_up());
  EXPECT_FALSE(connection.catch_up());
  EXPECT_FALSE(connection.hear()) << "it stays in step";
  EXPECT_EQ(connection.state(), SyncState::Synced);
  EXPECT_TRUE(connection.is_active());
  EXPECT_TRUE(connection.end());
  EXPECT_FALSE(connection.end());
  EXPECT_EQ(connection.state(), SyncState::Disconnected);
  EXPECT_FALSE(connection.is_online());
}

TEST(Connection, ForgetsWhatItsServerSaid) {
  Connection connection;
  connection.begin(kNow);
  connection.on_hello(/*receipts=*/true);
  EXPECT_TRUE(connection.has_receipts());
  connection.end();
  EXPECT_FALSE(connection.has_receipts());
  EXPECT_EQ(connection.deadline(), std::nullopt);
}

TEST(Connection, IsMadeAnewWhileTheServerIsSilent) {
  Connection connection;
  connection.begin(kNow);
  EXPECT_EQ(connection.deadline(), after(10));
  EXPECT_EQ(connection.overdue(after(9)), std::nullopt);
  EXPECT_EQ(connection.overdue(after(10)), "the server did not answer within 10 seconds");
  EXPECT_EQ(connection.overdue(after(19)), std::nullopt);
  EXPECT_TRUE(connection.overdue(after(20)));
  connection.hear();
  EXPECT_EQ(connection.deadline(), after(30)) << "only the answer that is awaited counts";
  connection.on_answer();
  EXPECT_EQ(connection.overdue(after(99)), std::nullopt);
  connection.await(after(99));
  EXPECT_EQ(connection.deadline(), after(109));
}

TEST(Connection, IsTriedAgainAfterARefusalThatOutlivesIt) {
  Connection connection;
  connection.begin(kNow);
  connection.end();
  EXPECT_TRUE(connection.refuse(SyncState::Refused, kNow));
  EXPECT_FALSE(connection.is_online());
  EXPECT_EQ(connection.overdue(after(29)), std::nullopt);
  EXPECT_EQ(connection.overdue(after(30)), "the server is asked once more");
  EXPECT_TRUE(connection.overdue(after(40)));
  EXPECT_FALSE(connection.end());
  EXPECT_EQ(connection.state(), SyncState::Refused);
  EXPECT_EQ(connection.deadline(), std::nullopt);
  EXPECT_TRUE(connection.begin(kNow));
  EXPECT_EQ(connection.state(), SyncState::Connected);
}

TEST(Connection, ThatCouldNotBeServedNowIsOverWithItsEnd) {
  Connection connection;
  connection.refuse(SyncState::Reconnecting, kNow);
  EXPECT_EQ(connection.overdue(after(30)), "the server is asked once more");
  EXPECT_TRUE(connection.end());
  EXPECT_EQ(connection.state(), SyncState::Disconnected);
}

}  // namespace
}  // namespace diaryx::sync
