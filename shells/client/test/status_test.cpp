#include "status.h"

#include <gtest/gtest.h>

#include "diaryx/sync/path.h"

namespace diaryx::client {
namespace {

TEST(ConflictCopy, IsRecognisedByTheNameThatTheCoreGivesIt) {
  EXPECT_TRUE(is_conflict_copy(sync::conflict_copy(WorkspacePath("notes/a.md"), sha256("x")).view()));
  EXPECT_TRUE(is_conflict_copy(sync::conflict_copy(WorkspacePath("photo.png"), sha256("y")).view()));
  for (const char* name :
       {"a.md", "a (conflict).md", "a (conflict 1a2b3c4).md", "a (conflict 1a2b3c4g).md", "(conflict 1a2b3c4d.md"}) {
    EXPECT_FALSE(is_conflict_copy(name)) << name;
  }
}

TEST(DescribeState, AddsUpWhatIsOnDisk) {
  const sync::Replica replica({.workspace_id = "ws", .client = ClientId{1}});
  native::DigestCache digests;
  digests.remember("a.md", {.device = 1, .inode = 1, .size_bytes = 10, .modified_ns = 0}, sha256("a"), TimestampMs{0});
  digests.remember("a (conflict 1a2b3c4d).md", {.device = 1, .inode = 2, .size_bytes = 5, .modified_ns = 0},
                   sha256("b"), TimestampMs{0});
  const Json json = describe_state("synced", replica, digests, 0, "", 2);
  EXPECT_EQ(json.integer_member("bytes"), 15);
  EXPECT_EQ(json.integer_member("conflicts"), 1);
  EXPECT_TRUE(json.find("last_synced_ms")->is_null());
  EXPECT_EQ(json.find("pending")->integer_member("unreadable_files"), 2);
  EXPECT_EQ(json.find("last_problem"), nullptr);
}

}  // namespace
}  // namespace diaryx::client
