#include "diaryx/crdt/delete_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

#include "diaryx/base/base64.h"

namespace diaryx::crdt {
namespace {

constexpr ClientId kA{1};

TEST(DeleteSet, JoinsRangesThatTouch) {
  DeleteSet set;
  set.add(kA, Clock{0}, Length{2});
  set.add(kA, Clock{4}, Length{2});
  EXPECT_EQ(set.ranges(kA).size(), 2u);
  set.add(kA, Clock{2}, Length{2});
  ASSERT_EQ(set.ranges(kA).size(), 1u);
  EXPECT_EQ(set.ranges(kA)[0], (ClockRange{Clock{0}, Length{6}}));
}

TEST(DeleteSet, HoldsExactlyWhatWasAdded) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    DeleteSet set;
    std::set<uint32_t> expected;
    for (int i = 0; i < 20; ++i) {
      const uint32_t start = random() % 60;
      const uint32_t length = random() % 6;
      set.add(kA, Clock{start}, Length{length});
      for (uint32_t at = start; at < start + length; ++at) expected.insert(at);
    }
    for (uint32_t at = 0; at < 70; ++at) EXPECT_EQ(set.contains({kA, Clock{at}}), expected.contains(at));
    const auto again = DeleteSet::decode_v1(set.encode_v1());
    ASSERT_TRUE(again.has_value());
    EXPECT_TRUE(*again == set);
    EXPECT_TRUE(set.covers(*again));
  }
}

TEST(DeleteSet, CoversOnlyWhatItHolds) {
  DeleteSet big;
  big.add(kA, Clock{5}, Length{10});
  DeleteSet small;
  small.add(kA, Clock{6}, Length{9});
  EXPECT_TRUE(big.covers(small));
  EXPECT_FALSE(small.covers(big));
  small.add(ClientId{2}, Clock{0}, Length{1});
  EXPECT_FALSE(big.covers(small));
  EXPECT_TRUE(big.covers({}));
}

TEST(DeleteSet, RefusesRangesThatPassTheLastClock) {
  // One client, one range: clock 2^32-1, length 1 passes; length 2 does not.
  const auto last = DeleteSet::decode_v1(from_hex("0101010000").value_or(Bytes{}));
  EXPECT_TRUE(last.has_value());
  EXPECT_TRUE(last->empty());
  const auto over = DeleteSet::decode_v1(from_hex("010101ffffffff0f02").value_or(Bytes{}));
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(over.error().code, ErrorCode::ClockOverflow);
}

TEST(DeleteSet, IsWrittenWithTheHighestClientFirst) {
  DeleteSet set;
  set.add(ClientId{1}, Clock{3}, Length{1});
  set.add(ClientId{9}, Clock{0}, Length{2});
  EXPECT_EQ(to_hex(set.encode_v1()), "020901000201010301");
  Writer v2;
  set.encode_v2(v2);
  EXPECT_EQ(to_hex(v2.view()), "020901000101010300");
}

TEST(DeleteSet, FindsEachOfManyClients) {
  DeleteSet set;
  for (uint64_t i = 0; i < 200; ++i) set.add(ClientId{i * 7919 % 200}, Clock{static_cast<uint32_t>(i)}, Length{1});
  for (uint64_t i = 0; i < 200; ++i) {
    EXPECT_TRUE(set.contains({ClientId{i * 7919 % 200}, Clock{static_cast<uint32_t>(i)}}));
    EXPECT_FALSE(set.contains({ClientId{i * 7919 % 200}, Clock{static_cast<uint32_t>(i + 1)}}));
  }
  EXPECT_EQ(set.clients().size(), 200u);
  EXPECT_FALSE(set.contains({ClientId{200}, Clock{0}}));
  const auto decoded = DeleteSet::decode_v1(set.encode_v1());
  ASSERT_TRUE(decoded.has_value());
  EXPECT_TRUE(*decoded == set && decoded->covers(set) && set.covers(*decoded));
  DeleteSet more = *decoded;
  more.add(ClientId{500}, Clock{1}, Length{2});
  more.merge(set);
  EXPECT_EQ(more.clients().size(), 201u);
  EXPECT_TRUE(more.contains({ClientId{500}, Clock{2}}));
}

}  // namespace
}  // namespace diaryx::crdt
