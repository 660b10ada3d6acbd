#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/update.h"

namespace diaryx::crdt {
namespace {

using Clocks = UpdateMeta::ClientClocks;

TEST(UpdateMeta, NamesFirstAndLastClockPerClient) {
  // One character of client 7 at clock 3, and five collected units of client 3.
  const auto meta =
      parse_update_meta_v1(*from_hex("02"
                                     "010703"
                                     "04010174"
                                     "0161"
                                     "010300"
                                     "0005"
                                     "00"));
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->clients, (std::vector<Clocks>{{ClientId{7}, Clock{3}, Clock{4}}, {ClientId{3}, Clock{0}, Clock{5}}}));
}

TEST(UpdateMeta, CountsHoles) {
  // Client 5: two collected units from clock 3 on, a hole of four, one more unit.
  const auto meta = parse_update_meta_v1(*from_hex("0103050300020a04000100"));
  ASSERT_TRUE(meta.has_value());
  EXPECT_EQ(meta->clients, (std::vector<Clocks>{{ClientId{5}, Clock{3}, Clock{10}}}));
}

TEST(UpdateMeta, OfDeletionsIsEmpty) {
  EXPECT_TRUE(parse_update_meta_v1(*from_hex("00010101000100"))->clients.empty());
  EXPECT_FALSE(parse_update_meta_v1(Bytes{}).has_value());
  EXPECT_FALSE(parse_update_meta_v2(Bytes{0}).has_value());
}

TEST(MergeUpdates, TakesTheItemBeforeTheCollectedRangeThatYjsTakesBeforeIt) {
  // Client 1 pushed "x" into an array of client 2 and deleted the array: its step, and its whole document, where "x" is collected.
  const Bytes whole = {2, 1, 2, 0, 33, 1, 1, 109, 1, 107, 1, 1, 1, 0, 0, 1, 2, 2, 1, 0, 1, 1, 1, 0, 1};
  const Bytes step = {1, 1, 1, 0, 8, 0, 2, 0, 1, 119, 1, 120, 0};
  const Bytes yjs = {2, 1, 2, 0,   33, 1,   1, 109, 1, 107, 1, 1, 1, 0, 8, 0,
                     2, 0, 1, 119, 1,  120, 2, 2,   1, 0,   1, 1, 1, 0, 1};  // mergeUpdates of 13.6.33
  EXPECT_EQ(merge_updates_v1(std::vector<ByteView>{whole, step}), yjs);
  EXPECT_EQ(merge_updates_v1(std::vector<ByteView>{step, whole}), yjs);
}

}  // namespace
}  // namespace diaryx::crdt
