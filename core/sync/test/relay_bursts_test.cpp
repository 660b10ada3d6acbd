// Updates that come together: one record, one message and one receipt, and nothing mixed up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/update.h"
#include "relay_bench.h"

namespace diaryx::sync::relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

struct RelayBurst : RelayPair {
  RelayBurst() { bench.commit_at_once = false; }

  void frames(const std::vector<std::pair<uint64_t, std::string>>& frames) {
    std::vector<Event> events;
    for (const auto& [from, message] : frames)
      events.push_back(BinaryFrame{ConnectionId{from}, RelayBench::bytes(kB + message)});
    bench.handle(std::move(events));
  }
  void commit_together() {
    std::vector<Event> stored;
    for (const AppendUpdate& append : std::exchange(bench.appends, {}))
      stored.push_back(UpdateStored{append.ticket, Sequence{++bench.sequence}});
    bench.handle(std::move(stored));
  }
  /// The clocks that each frame sent to a connection holds, by writer.
  std::vector<std::map<uint64_t, uint64_t>> heard(uint64_t connection) {
    std::vector<std::map<uint64_t, uint64_t>> frames;
    for (const std::string& sent : bench.take(connection)) {
      if (sent.starts_with("{")) continue;
      const Bytes frame = RelayBench::bytes(sent);
      const auto messages = parse_messages(decode_frame(frame)->payload);
      const auto* update = std::get_if<Update>(&messages->at(0));
      if (update == nullptr) continue;
      frames.emplace_back();
      for (const auto& [client, end] : crdt::summarize_update_v1(update->update)->ends)
        frames.back()[client.value()] = end.value();
    }
    return frames;
  }
};

TEST_F(RelayBurst, OfOneSenderIsOneRecordAndOneMessage) {
  frames({{1, letter_of(7, 0)}, {1, letter_of(7, 1)}, {1, letter_of(7, 2)}});
  ASSERT_THAT(bench.appends, SizeIs(1));
  EXPECT_EQ(bench.appends[0].user_id, "user-1");
  bench.commit_one();
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 3}}));
  EXPECT_THAT(bench.take(1), ElementsAre(saved(kBodyName, 3)));
  EXPECT_THAT(heard(1), IsEmpty());
}

TEST_F(RelayBurst, OfSeveralSendersStaysApart) {
  frames({{1, letter_of(7, 0)}, {2, letter_of(8, 0)}, {1, letter_of(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(3));
  bench.open(3);
  bench.frame(3, kB + "00 00 01 00");
  commit_together();
  // What was stored in one go is one message for each of them, and nobody hears their own words.
  EXPECT_THAT(heard(1), ElementsAre(std::map<uint64_t, uint64_t>{{8, 1}}));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 2}}));
}

TEST_F(RelayBurst, EndsWhereAnAnswerLiesBetween) {
  // Another question of the same connection: its answer holds the first letter and must not come before it is stored.
  frames({{1, letter_of(7, 0)}, {1, "00 00 01 00"}, {1, letter_of(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  EXPECT_THAT(bench.take(1), IsEmpty());
  bench.commit_one();
  EXPECT_THAT(bench.take(1), ElementsAre(testing::StartsWith(hex(kB + "00 01")), saved(kBodyName, 1)));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}));
}

TEST_F(RelayBurst, IsNotForWhoCameInBetween) {
  bench.open(3);
  bench.frame(3, kOther + "00 00 01 00");  // so that its access is known
  frames({{1, letter_of(7, 0)}, {3, "00 00 01 00"}, {1, letter_of(7, 1)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  commit_together();
  // The newcomer is answered with the first letter in it, and relayed the second alone.
  EXPECT_THAT(heard(3), ElementsAre(std::map<uint64_t, uint64_t>{{7, 2}}));
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}, std::map<uint64_t, uint64_t>{{7, 2}}));
}

TEST_F(RelayBurst, OfLargeUpdatesIsNotCopiedTogether) {
  frames({{1, letter_of(7, 0, 9000)}, {1, letter_of(7, 9000, 9000)}});
  EXPECT_THAT(bench.appends, SizeIs(2));
  commit_together();
  EXPECT_THAT(heard(2), SizeIs(2));
}

TEST_F(RelayBurst, OfWhichOneIsBrokenLosesOnlyThat) {
  frames({{1, letter_of(7, 0)}, {1, "00 02 03 01 01 01"}, {1, letter_of(7, 1)}});
  commit_together();
  EXPECT_THAT(heard(2), ElementsAre(std::map<uint64_t, uint64_t>{{7, 1}}, std::map<uint64_t, uint64_t>{{7, 2}}));
  const auto told = bench.take(1);
  EXPECT_THAT(told, ElementsAre(error("invalid"), saved(kBodyName, 3)));
}

TEST_F(RelayBurst, ThatIsNotStoredIsRelayedToNobody) {
  frames({{1, letter_of(7, 0)}, {1, letter_of(7, 1)}});
  bench.fail_one();
  EXPECT_THAT(heard(2), IsEmpty());
  EXPECT_THAT(bench.take(1), testing::Not(testing::Contains(HasSubstr("saved"))));
}

}  // namespace
}  // namespace diaryx::sync::relay
