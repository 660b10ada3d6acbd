// How access is given and ends, as every Storage keeps it: signing in, shares, what expires.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, RedeemsALinkOnce) {
  user("ann@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  const auto first = redeem({.link_hash = sha256("link")}, "t1", 6000);
  ASSERT_TRUE(first && first->session);
  EXPECT_EQ(first->session->email, "ann@x");
  EXPECT_TRUE(find_session("t1", 6000));
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t2", 6000).error().kind, Kind::NotFound);
  // The code went with it.
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t3", 6000).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, RedeemsACodeForItsAddressUntilItEnds) {
  user("ann@x");
  user("ben@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  EXPECT_EQ(redeem({.email = "ben@x", .code = "123456"}, "t1", 6000).error().kind, Kind::NotFound);
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t1", 5000 + 900'000).error().kind, Kind::NotFound);
  EXPECT_TRUE(redeem({.email = "ann@x", .code = "123456"}, "t1", 6000)->session);
}

TEST_P(StorageContract, TakesFiveCodesAndNoMore) {
  user("ann@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "123456", 5000));
  for (uint32_t i = 0; i < kMaxCodeAttempts; ++i)
    EXPECT_EQ(redeem({.email = "ann@x", .code = "000000"}, "t", 6000).error().kind, Kind::NotFound);
  EXPECT_EQ(redeem({.email = "ann@x", .code = "123456"}, "t", 6000).error().kind, Kind::NotFound);
  // Nobody guesses a link: it stays good.
  EXPECT_TRUE(redeem({.link_hash = sha256("link")}, "t", 6000)->session);
}

TEST_P(StorageContract, LimitsHowOftenAnAddressIsAsked) {
  user("ann@x");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask_sign_in("ann@x", "link" + std::to_string(i), "1", 5000 + i));
  EXPECT_EQ(ask_sign_in("ann@x", "more", "1", 5010).error().kind, Kind::TooMany);
  EXPECT_TRUE(ask_sign_in("ann@x", "later", "1", 5000 + 3'700'000));
}

TEST_P(StorageContract, MakesAnAccountOnlyWhenAllowed) {
  EXPECT_EQ(ask_sign_in("new@x", "link", "1", 5000).error().kind, Kind::NotFound);
  ASSERT_TRUE(ask_sign_in("new@x", "link", "1", 5000, true));
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t", 6000)->session->email, "new@x");
}

TEST_P(StorageContract, AsksWhichDeviceMakesRoom) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "1", 1200));
  const auto full = redeem({.link_hash = sha256("link")}, "t", 1400, 1);
  ASSERT_TRUE(full);
  EXPECT_FALSE(full->session);
  ASSERT_THAT(full->devices, SizeIs(1));
  EXPECT_EQ(full->devices[0].id, ann.device_id);
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t", 1400, 1, ben.device_id).error().kind, Kind::Conflict);
  EXPECT_TRUE(redeem({.link_hash = sha256("link")}, "t", 1400, 1, ann.device_id)->session);
  EXPECT_EQ(find_session("ann@x", 1500).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, CountsAndListsOnlyDevicesThatCanStillSignIn) {
  const Session ann = user("ann@x");  // until 2000
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "1", 1200));
  EXPECT_THAT(redeem({.link_hash = sha256("link")}, "t", 1999, 1)->devices, SizeIs(1));
  const auto phone = redeem({.link_hash = sha256("link")}, "t", 2000, 1);
  ASSERT_TRUE(phone);
  ASSERT_TRUE(phone->session);
  const auto devices = [&](int64_t time) {
    return *wait<std::vector<Device>>(
        [&](auto reply) { storage->accounts.list_devices(ann.user_id, TimestampMs{time}, std::move(reply)); });
  };
  EXPECT_THAT(devices(1999), SizeIs(2));
  ASSERT_THAT(devices(2000), SizeIs(1)) << "one that ended is not listed";
  EXPECT_EQ(devices(2000)[0].id, phone->session->device_id);
  // One that ended after it was chosen makes no room, and goes all the same once there is some.
  ASSERT_TRUE(ask_sign_in("ann@x", "link2", "1", 2100));
  const auto full = redeem({.link_hash = sha256("link2")}, "t2", 2100, 1, ann.device_id);
  ASSERT_TRUE(full);
  ASSERT_THAT(full->devices, SizeIs(1));
  EXPECT_EQ(full->devices[0].id, phone->session->device_id);
  EXPECT_THAT(devices(1999), SizeIs(2));
  EXPECT_TRUE(redeem({.link_hash = sha256("link2")}, "t2", 2100, 2, ann.device_id)->session);
  EXPECT_THAT(devices(1999), SizeIs(2));
}

TEST_P(StorageContract, SharesAWorkspaceOfItsOwner) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w", "notes");
  const auto share = [&](const Session& who) {
    return wait<void>([&](auto reply) {
      storage->access.create_share({sha256("CODE"), "w", who.user_id, true}, TimestampMs{1}, std::move(reply));
    });
  };
  const auto find = [&] {
    return wait<Share>([&](auto reply) { storage->access.find_share(sha256("CODE"), std::move(reply)); });
  };
  const auto change = [&](const Session& who, bool read_only) {
    return wait<Share>(
        [&](auto reply) { storage->access.change_share(who.user_id, sha256("CODE"), read_only, std::move(reply)); });
  };
  EXPECT_EQ(share(ben).error().kind, Kind::NotFound);
  ASSERT_TRUE(share(ann));
  EXPECT_TRUE(find()->read_only);
  EXPECT_EQ(find()->owner_id, ann.user_id);
  EXPECT_EQ(change(ben, false).error().kind, Kind::NotFound);
  const uint64_t before = epoch();
  EXPECT_FALSE(change(ann, false)->read_only);
  EXPECT_GT(epoch(), before);
  open();
  EXPECT_FALSE(find()->read_only);
  const auto check = [&] {
    return *wait<std::vector<AccessState>>([&](auto reply) {
      storage->access.check({{AccessKey::Kind::Share, sha256("CODE")},
                             {AccessKey::Kind::Token, sha256("ann@x")},
                             {AccessKey::Kind::Token, sha256("nobody")}},
                            TimestampMs{1500}, std::move(reply));
    });
  };
  EXPECT_TRUE(check()[0].valid);
  EXPECT_TRUE(check()[1].valid);
  EXPECT_FALSE(check()[2].valid);
  const auto remove = [&](const Session& who) {
    return wait<Share>(
        [&](auto reply) { storage->access.remove_share(who.user_id, sha256("CODE"), std::move(reply)); });
  };
  EXPECT_EQ(remove(ben).error().kind, Kind::NotFound);
  EXPECT_EQ(remove(ann)->workspace, "w");
  EXPECT_EQ(find().error().kind, Kind::NotFound);
  EXPECT_FALSE(check()[0].valid);
}

TEST_P(StorageContract, EndsAShareWithItsWorkspace) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  wait<void>([&](auto reply) {
    storage->access.create_share({sha256("CODE"), "w", ann.user_id, false}, TimestampMs{1}, std::move(reply));
  });
  const uint64_t before = epoch();
  wait<void>([&](auto reply) { storage->workspaces.remove(ann.user_id, "w", std::move(reply)); });
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(wait<Share>([&](auto reply) { storage->access.find_share(sha256("CODE"), std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, ForgetsWhatExpired) {
  user("ann@x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->access.expire(TimestampMs{2000}, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_THAT(*wait<std::vector<TokenEntry>>([&](auto reply) { storage->accounts.list_tokens("", std::move(reply)); }),
              IsEmpty());
}

}  // namespace
}  // namespace diaryx::server
