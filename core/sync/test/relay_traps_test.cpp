// The traps that a relay must not fall into; docs/traps.md lists them all.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(RelayPair, T6PresenceIsReadWholeAndWhatFollowsItToo) {
  // The state of the presence is a text that looks like an empty SyncStep1 and an update of its own.
  const std::string presence = "01 0b 01 07 01 07 22 00 00 01 00 00 22 ";
  bench.frame(1, kB + presence + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + presence), hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
}

TEST_F(RelayPair, T8ARefusedDocumentIsAnsweredAndTheOthersGoOn) {
  bench.frame(1, kOther + "00 02 02 ff ff");
  EXPECT_THAT(bench.take(1), Contains(HasSubstr(R"("doc":"body:ws1/b.md","code":"invalid")")));
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 1)));
}

TEST_F(RelayPair, T10AReplyOfTwoMessagesIsNotRelayedWhole) {
  bench.frame(1, kB + "00 01 12 " + kHello + " 00 00 01 00");
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 12 " + kHello)));
  EXPECT_THAT(bench.take(1), Contains(hex(kB + "00 01 12 " + kHello)));  // its question is answered here
}

TEST_F(RelayPair, T11ADeletionAloneIsStoredAndRelayed) {
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.take(2);
  const std::string deletion = "00 01 01 01 03 02";  // no struct; client 1, clocks 3 and 4
  bench.frame(1, kB + "00 01 06 " + deletion);
  EXPECT_THAT(bench.take(2), ElementsAre(hex(kB + "00 02 06 " + deletion)));
  EXPECT_THAT(bench.log[kBodyName], SizeIs(2));
}

TEST(RelayTraps, T31OnlyTheWorkspaceCountsItsPeers) {
  RelayBench bench;
  bench.open(1, Handshake::Lean);
  bench.frame(1, kW + "00 00 01 00");
  bench.frame(1, kB + "00 00 01 00");
  bench.open(2, Handshake::Lean, "user-2");
  bench.take(1);
  bench.frame(2, kB + "00 00 01 00");
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.frame(2, kW + "00 00 01 00");
  EXPECT_THAT(bench.take(1), ElementsAre(HasSubstr("peer_joined")));
}

TEST(RelayTraps, EveryUpdateIsStoredWithTheDeviceOfItsToken) {
  RelayBench bench;
  bench.commit_at_once = false;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  ASSERT_THAT(bench.appends, SizeIs(1));
  EXPECT_EQ(bench.appends[0].device_id, "device");
  EXPECT_EQ(bench.appends[0].user_id, "user-1");
}

TEST(RelayTraps, A9TheSameFrameTwiceIsStoredOnce) {
  RelayBench bench;
  bench.open(1);
  bench.frame(1, kB + "00 00 01 00");
  bench.frame(1, kB + "00 02 12 " + kHello);
  bench.frame(1, kB + "00 02 12 " + kHello);
  EXPECT_THAT(bench.log[kBodyName], SizeIs(1));
  EXPECT_THAT(bench.take(1), Contains(saved(kBodyName, 2)));
}

TEST(RelayTraps, A33GarbageIsCountedAndEndsTheConnection) {
  RelayBench bench(Limits{.max_bad_frames = 3});
  bench.open(1);
  for (int i = 0; i < 3; ++i) bench.frame(1, "ff 00");
  EXPECT_THAT(bench.take(1), Contains(HasSubstr(R"("code":"invalid")")));
  EXPECT_EQ(bench.closed.at(1), CloseCode::PolicyViolation);
}

}  // namespace
}  // namespace diaryx::sync::relay
