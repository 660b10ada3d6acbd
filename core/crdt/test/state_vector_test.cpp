#include "diaryx/crdt/state_vector.h"

#include <gtest/gtest.h>

#include "diaryx/base/base64.h"

namespace diaryx::crdt {
namespace {

TEST(StateVector, IsWrittenWithTheHighestClientFirst) {
  StateVector vector;
  vector.set(ClientId{3}, Clock{5});
  vector.set(ClientId{10}, Clock{1});
  vector.set(ClientId{4}, Clock{0});
  EXPECT_EQ(to_hex(vector.encode()), "020a010305");
  EXPECT_TRUE(*StateVector::decode(vector.encode()) == vector);
  EXPECT_EQ(to_hex(StateVector{}.encode()), "00");
}

TEST(StateVector, TakesTheLastOfDuplicatesAndForgetsZeros) {
  const auto vector = StateVector::decode(from_hex("03010501070200").value_or(Bytes{}));
  ASSERT_TRUE(vector.has_value());
  EXPECT_EQ(vector->get(ClientId{1}), Clock{7});
  EXPECT_EQ(vector->size(), 1u);
}

TEST(StateVector, CoversWhatItKnows) {
  StateVector big;
  big.set(ClientId{1}, Clock{5});
  big.set(ClientId{2}, Clock{5});
  StateVector small;
  small.set(ClientId{2}, Clock{5});
  EXPECT_TRUE(big.covers(small));
  EXPECT_FALSE(small.covers(big));
  small.raise(ClientId{2}, Clock{4});
  EXPECT_EQ(small.get(ClientId{2}), Clock{5});
  small.raise(ClientId{2}, Clock{6});
  EXPECT_FALSE(big.covers(small));
}

TEST(StateVector, RefusesWhatFollowsIt) {
  const auto result = StateVector::decode(from_hex("0000").value_or(Bytes{}));
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, ErrorCode::TrailingBytes);
}

}  // namespace
}  // namespace diaryx::crdt
