// Users, devices and tokens, as every Storage keeps them.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

TEST_P(StorageContract, FindsATokenByItsHashUntilItExpires) {
  const Session made = user("a@b");
  const auto find = [&](std::string_view token, int64_t now) {
    return wait<Session>(
        [&](auto reply) { storage->accounts.find_session(sha256(token), TimestampMs{now}, std::move(reply)); });
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
  const auto second = wait<Session>([&](auto reply) { storage->accounts.create_token(again, std::move(reply)); });
  ASSERT_TRUE(second);
  EXPECT_EQ(second->user_id, first.user_id);
  const auto devices = wait<std::vector<Device>>(
      [&](auto reply) { storage->accounts.list_devices(first.user_id, TimestampMs{1500}, std::move(reply)); });
  ASSERT_THAT(*devices, SizeIs(2));
  EXPECT_EQ((*devices)[0].name, "phone");
  // The same token twice is refused, and nothing of the second attempt stays.
  const auto twice = wait<Session>([&](auto reply) { storage->accounts.create_token(again, std::move(reply)); });
  EXPECT_EQ(twice.error().kind, Kind::Conflict);
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) {
    storage->accounts.list_devices(first.user_id, TimestampMs{1500}, std::move(reply));
  }),
              SizeIs(2));
}

TEST_P(StorageContract, MakesTheFirstUserTheOwner) {
  const auto make = [&](const std::string& email, int64_t now) {
    return wait<User>([&](auto reply) { storage->accounts.create_user(email, TimestampMs{now}, std::move(reply)); });
  };
  const auto ann = make("ann@x", 1);
  ASSERT_TRUE(ann);
  EXPECT_TRUE(ann->owner);
  EXPECT_FALSE(make("ben@x", 2)->owner);
  EXPECT_EQ(make("ann@x", 3).error().kind, Kind::Conflict);
  EXPECT_EQ(wait<User>([&](auto reply) { storage->accounts.find_user("ben@x", std::move(reply)); })->created,
            TimestampMs{2});
  EXPECT_EQ(wait<User>([&](auto reply) { storage->accounts.find_user("eve@x", std::move(reply)); }).error().kind,
            Kind::NotFound);
  const auto users = wait<std::vector<User>>([&](auto reply) { storage->accounts.list_users(std::move(reply)); });
  ASSERT_THAT(*users, SizeIs(2));
  EXPECT_EQ((*users)[0].id, ann->id);
  // A token for a known address belongs to its user; ownership is told with the session.
  EXPECT_EQ(user("ann@x").user_id, ann->id);
  EXPECT_TRUE(wait<Session>([&](auto reply) {
                storage->accounts.find_session(sha256("ann@x"), TimestampMs{1000}, std::move(reply));
              })->owner);
}

TEST_P(StorageContract, RemovesAUserWithEverything) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "workspace:w", "x");
  const uint64_t before = epoch();
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->accounts.remove_user(ann.user_id, std::move(reply)); }));
  EXPECT_GT(epoch(), before);
  EXPECT_EQ(find_session("ann@x", 1000).error().kind, Kind::NotFound);
  EXPECT_THAT(load("workspace:w")->updates, IsEmpty());
  EXPECT_EQ(wait<void>([&](auto reply) { storage->accounts.remove_user(ann.user_id, std::move(reply)); }).error().kind,
            Kind::NotFound);
}

TEST_P(StorageContract, HandsTheServerToAnotherOwner) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  ASSERT_TRUE(ann.owner);
  const auto hand_to = [&](const std::string& id) {
    return wait<void>([&](auto reply) { storage->accounts.set_owner(id, std::move(reply)); });
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
        [&](auto reply) { storage->accounts.rename_device(who.user_id, ann.device_id, "desk", std::move(reply)); });
  };
  const auto remove = [&](const Session& who) {
    return wait<void>(
        [&](auto reply) { storage->accounts.remove_device(who.user_id, ann.device_id, std::move(reply)); });
  };
  EXPECT_EQ(rename(ben).error().kind, Kind::NotFound);
  EXPECT_EQ(remove(ben).error().kind, Kind::NotFound);
  ASSERT_TRUE(rename(ann));
  EXPECT_EQ((*wait<std::vector<Device>>([&](auto reply) {
              storage->accounts.list_devices(ann.user_id, TimestampMs{1500}, std::move(reply));
            }))[0]
                .name,
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
  const auto all =
      wait<std::vector<TokenEntry>>([&](auto reply) { storage->accounts.list_tokens("", std::move(reply)); });
  EXPECT_THAT(*all, SizeIs(2));
  const auto mine =
      wait<std::vector<TokenEntry>>([&](auto reply) { storage->accounts.list_tokens(ann.user_id, std::move(reply)); });
  ASSERT_THAT(*mine, SizeIs(1));
  EXPECT_EQ((*mine)[0].hash, sha256("ann@x"));
  EXPECT_EQ((*mine)[0].device_name, "laptop");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->accounts.remove_token(sha256("ann@x"), std::move(reply)); }));
  EXPECT_THAT(*wait<std::vector<Device>>([&](auto reply) {
    storage->accounts.list_devices(ann.user_id, TimestampMs{1500}, std::move(reply));
  }),
              IsEmpty());
  EXPECT_EQ(
      wait<void>([&](auto reply) { storage->accounts.remove_token(sha256("ann@x"), std::move(reply)); }).error().kind,
      Kind::NotFound);
}

}  // namespace
}  // namespace diaryx::server
