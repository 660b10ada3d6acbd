// Workspaces, as every Storage keeps them.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::IsEmpty;
using Kind = StorageError::Kind;

TEST_P(StorageContract, KeepsWorkspacesOfUsersApart) {
  const Session ann = user("ann@x");
  const Session ben = user("ben@x");
  workspace(ann, "w1", "notes");
  workspace(ben, "w2", "notes");  // the same name is fine for another user
  const auto find = [&](const Session& who, const std::string& id) {
    return wait<Workspace>([&](auto reply) { storage->workspaces.find(who.user_id, id, std::move(reply)); });
  };
  EXPECT_EQ(find(ann, "w1")->name, "notes");
  EXPECT_EQ(find(ann, "w2").error().kind, Kind::NotFound);
  const auto taken = wait<Workspace>(
      [&](auto reply) { storage->workspaces.create(ann.user_id, {"w3", "notes"}, TimestampMs{1}, std::move(reply)); });
  EXPECT_EQ(taken.error().kind, Kind::Conflict);
  const auto stolen =
      wait<Workspace>([&](auto reply) { storage->workspaces.rename(ann.user_id, {"w2", "mine"}, std::move(reply)); });
  EXPECT_EQ(stolen.error().kind, Kind::NotFound);
  EXPECT_EQ(
      wait<void>([&](auto reply) { storage->workspaces.remove(ann.user_id, "w2", std::move(reply)); }).error().kind,
      Kind::NotFound);
}

TEST_P(StorageContract, RemovesAWorkspaceWithItsDocuments) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  append("w", "body:w/a.md", "x");
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->workspaces.remove(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(load("body:w/a.md")->updates, IsEmpty());
  EXPECT_EQ(append("w", "body:w/a.md", "y").error().kind, Kind::NotFound);
}

}  // namespace
}  // namespace diaryx::server
