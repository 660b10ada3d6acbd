#include "diaryx/native/random.h"

#include <gtest/gtest.h>

#include <set>

namespace diaryx::native {
namespace {

TEST(Random, MakesUuidsOfVersionFourThatDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string uuid = uuid_v4();
    EXPECT_TRUE(is_uuid(uuid)) << uuid;
    EXPECT_EQ(uuid[14], '4');
    seen.insert(uuid);
  }
  EXPECT_EQ(seen.size(), 100u);
}

TEST(Random, KnowsWhatIsNoUuid) {
  EXPECT_TRUE(is_uuid("0f8fad5b-d9cb-469f-a165-70867728950e"));
  EXPECT_FALSE(is_uuid(""));
  EXPECT_FALSE(is_uuid("../../../../../../../../../etc/passwd"));
  EXPECT_FALSE(is_uuid("0f8fad5b-d9cb-469f-a165-70867728950"));
  EXPECT_FALSE(is_uuid("0f8fad5b-d9cb-469f-a165-70867728950e0"));
  EXPECT_FALSE(is_uuid("0f8fad5b_d9cb-469f-a165-70867728950e"));
  EXPECT_FALSE(is_uuid("0F8FAD5B-D9CB-469F-A165-70867728950E"));
}

TEST(Random, MakesTokensFitForUrls) {
  const std::string token = random_token();
  EXPECT_EQ(token.size(), 43u);
  EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
            std::string::npos);
  EXPECT_NE(token, random_token());
}

TEST(Random, TokensDoNotLookLikeOptions) {
  for (int i = 0; i < 1000; ++i) ASSERT_NE(random_token().front(), '-');
}

}  // namespace
}  // namespace diaryx::native
