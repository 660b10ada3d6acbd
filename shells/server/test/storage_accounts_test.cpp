// Who may do what, as every Storage keeps it: tokens, users, devices, sign-in, shares.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, FindsATokenByItsHashUntilItExpires) {
  const Session made = user("a@b");
  const auto find = [&](std::string_view token, int64_t now) {
    return wait<Session>([&](auto reply) { storage->find_session(sha256(token), TimestampMs{now}, std::move(reply)); });
  };
  const auto found = find("a@b", 1999);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user_id, made.user_id);
  EXPECT_EQ(found->email, "a@b");
  EXPECT_EQ(found->device_id, made.device_id);
  EXPECT_EQ(find("a@b", 2000).error().kind, Kind::NotFound);
  EXPECT_EQ(find("other", 1999).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, GivesOneUserManyDevices) {
  const Session first = user("a@b");
  const NewToken again{.email = "a@b",
                       .token_hash = sha256("t2"),
                       .device_name = "phone",
                       .now = TimestampMs{1500},
                       .expires = TimestampMs{9000}};
  const auto second = wait<Session>([&](auto reply) { storage->create_token(again, std::move(reply)); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->user_id, first.user_id);
  const auto devices =
      wait<std::vector<Device>>([&](auto reply) { storage->list_devices(first.user_id, std::move(reply)); });
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].name, "phone");
  // The same token twice is refused, and nothing of the second attempt stays.
  const auto twice = wait<Session>([&](auto reply) { storage->create_token(again, std::move(reply)); });
  EXPECT_EQ(twice.error().kind, Kind::Conflict);
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(first.user_id, std::move(reply)); }),
              SizeIs(2));
}

TEST_P(StorageContract, KeepsWorkspacesOfUsersApart) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w1", "notes");
  workspace(ben, "w2", "notes");  // the same name is fine for another user
  const auto find = [&](const Session& who, const std::string& id) {
    return wait<Workspace>([&](auto reply) { storage->find_workspace(who.user_id, id, std::move(reply)); });
  };
  EXPECT_EQ(find(ann, "w1")->name, "notes");
  EXPECT_EQ(find(ann, "w2").error().kind, Kind::NotFound);
  const auto taken = wait<Workspace>(
      [&](auto reply) { storage->create_workspace(ann.user_id, {"w3", "notes"}, TimestampMs{1}, std::move(reply)); });
  EXPECT_EQ(taken.error().kind, Kind::Conflict);
  const auto stolen =
      wait<Workspace>([&](auto reply) { storage->rename_workspace(ann.user_id, {"w2", "mine"}, std::move(reply)); });
  EXPECT_EQ(stolen.error().kind, Kind::NotFound);
  EXPECT_EQ(
      wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w2", std::move(reply)); }).error().kind,
      Kind::NotFound);
}

TEST_P(StorageContract, MakesTheFirstUserTheOwner) {
  const auto make = [&](const std::string& email, int64_t now) {
    return wait<User>([&](auto reply) { storage->create_user(email, TimestampMs{now}, std::move(reply)); });
  };
  const auto ann = make("ann@x", 1);
  ASSERT_TRUE(ann);
  EXPECT_TRUE(ann->owner);
  EXPECT_FALSE(make("ben@x", 2)->owner);
  EXPECT_EQ(make("ann@x", 3).error().kind, Kind::Conflict);
  EXPECT_EQ(wait<User>([&](auto reply) { storage->find_user("ben@x", std::move(reply)); })->created, TimestampMs{2});
  EXPECT_EQ(wait<User>([&](auto reply) { storage->find_user("eve@x", std::move(reply)); }).error().kind,
            Kind::NotFound);
  const auto users = wait<std::vector<User>>([&](auto reply) { storage->list_users(std::move(reply)); });
  ASSERT_THAT(*users, SizeIs(2));
  EXPECT_EQ((*users)[0].id, ann->id);
  // A token for a known address belongs to its user; ownership is told with the session.
  EXPECT_EQ(user("ann@x").user_id, ann->id);
  EXPECT_TRUE(wait<Session>([&](auto reply) {
                storage->find_session(sha256("ann@x"), TimestampMs{1000}, std::move(reply));
              })->owner);
}

TEST_P(StorageContract, RemovesAUserWithEverything) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "workspace:w", "x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_user(ann.user_id, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(find_session("ann@x", 1000).error().kind, Kind::NotFound);
  EXPECT_THAT(load("workspace:w")->updates, IsEmpty());
  EXPECT_EQ(wait<void>([&](auto reply) { storage->remove_user(ann.user_id, std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, HandsTheServerToAnotherOwner) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  ASSERT_TRUE(ann.owner);
  const auto hand_to = [&](const std::string& id) {
    return wait<void>([&](auto reply) { storage->set_owner(id, std::move(reply)); });
  };
  ASSERT_TRUE(hand_to(ben.user_id));
  EXPECT_FALSE(find_session("ann@x", 1000)->owner);
  EXPECT_TRUE(find_session("ben@x", 1000)->owner);
  EXPECT_EQ(hand_to("nobody").error().kind, Kind::NotFound);
  EXPECT_TRUE(find_session("ben@x", 1000)->owner);
}

TEST_P(StorageContract, RenamesAndRemovesDevicesOfTheirUserOnly) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  const auto rename = [&](const Session& who) {
    return wait<void>(
        [&](auto reply) { storage->rename_device(who.user_id, ann.device_id, "desk", std::move(reply)); });
  };
  const auto remove = [&](const Session& who) {
    return wait<void>([&](auto reply) { storage->remove_device(who.user_id, ann.device_id, std::move(reply)); });
  };
  EXPECT_EQ(rename(ben).error().kind, Kind::NotFound);
  EXPECT_EQ(remove(ben).error().kind, Kind::NotFound);
  ASSERT_TRUE(rename(ann));
  EXPECT_EQ(
      (*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(ann.user_id, std::move(reply)); }))[0].name,
      "desk");
  const uint64_t before = epoch();
  ASSERT_TRUE(remove(ann));
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(find_session("ann@x", 1000).error().kind, Kind::NotFound);
  EXPECT_TRUE(find_session("ben@x", 1000));
}

TEST_P(StorageContract, EndsATokenAndTheDeviceThatHadNoOther) {
  const Session ann = user("ann@x");
  user("ben@x");
  const auto all = wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens("", std::move(reply)); });
  EXPECT_THAT(*all, SizeIs(2));
  const auto mine =
      wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens(ann.user_id, std::move(reply)); });
  ASSERT_THAT(*mine, SizeIs(1));
  EXPECT_EQ((*mine)[0].hash, sha256("ann@x"));
  EXPECT_EQ((*mine)[0].device_name, "laptop");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->remove_token(sha256("ann@x"), std::move(reply)); }));
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) { storage->list_devices(ann.user_id, std::move(reply)); }),
              IsEmpty());
  EXPECT_EQ(wait<void>([&](auto reply) { storage->remove_token(sha256("ann@x"), std::move(reply)); }).error().kind,
            Kind::NotFound);
}

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
  ASSERT_TRUE(ask_sign_in("ann@x", "link", "1", 5000));
  const auto full = redeem({.link_hash = sha256("link")}, "t", 6000, 1);
  ASSERT_TRUE(full);
  EXPECT_FALSE(full->session);
  ASSERT_THAT(full->devices, SizeIs(1));
  EXPECT_EQ(full->devices[0].id, ann.device_id);
  EXPECT_EQ(redeem({.link_hash = sha256("link")}, "t", 6000, 1, ben.device_id).error().kind, Kind::Conflict);
  EXPECT_TRUE(redeem({.link_hash = sha256("link")}, "t", 6000, 1, ann.device_id)->session);
  EXPECT_EQ(find_session("ann@x", 1500).error().kind, Kind::NotFound);
}

TEST_P(StorageContract, SharesAWorkspaceOfItsOwner) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w", "notes");
  const auto share = [&](const Session& who) {
    return wait<void>([&](auto reply) {
      storage->create_share({sha256("CODE"), "w", who.user_id, true}, TimestampMs{1}, std::move(reply));
    });
  };
  const auto find = [&] {
    return wait<Share>([&](auto reply) { storage->find_share(sha256("CODE"), std::move(reply)); });
  };
  const auto change = [&](const Session& who, bool read_only) {
    return wait<Share>(
        [&](auto reply) { storage->change_share(who.user_id, sha256("CODE"), read_only, std::move(reply)); });
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
      storage->check_access({{AccessKey::Kind::Share, sha256("CODE")},
                             {AccessKey::Kind::Token, sha256("ann@x")},
                             {AccessKey::Kind::Token, sha256("nobody")}},
                            TimestampMs{1500}, std::move(reply));
    });
  };
  EXPECT_TRUE(check()[0].valid);
  EXPECT_TRUE(check()[1].valid);
  EXPECT_FALSE(check()[2].valid);
  const auto remove = [&](const Session& who) {
    return wait<Share>([&](auto reply) { storage->remove_share(who.user_id, sha256("CODE"), std::move(reply)); });
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
    storage->create_share({sha256("CODE"), "w", ann.user_id, false}, TimestampMs{1}, std::move(reply));
  });
  const uint64_t before = epoch();
  wait<void>([&](auto reply) { storage->remove_workspace(ann.user_id, "w", std::move(reply)); });
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(wait<Share>([&](auto reply) { storage->find_share(sha256("CODE"), std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, ForgetsWhatExpired) {
  user("ann@x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->expire_access(TimestampMs{2000}, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_THAT(*wait<std::vector<TokenEntry>>([&](auto reply) { storage->list_tokens("", std::move(reply)); }),
              IsEmpty());
}

}  // namespace
}  // namespace diaryx::server
