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

}  // namespace
}  // namespace diaryx::crdt
