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
  const Json json = describe_state(Output(OutputStyle::Quiet), replica, digests, 0, 2);
  EXPECT_EQ(json.integer_member("bytes"), 15);
  EXPECT_EQ(json.integer_member("conflicts"), 1);
  EXPECT_EQ(json.find("conflict_copies")->dump(), R"(["a (conflict 1a2b3c4d).md"])");
  EXPECT_TRUE(json.find("last_synced_ms")->is_null());
  EXPECT_EQ(json.find("pending")->integer_member("unreadable_files"), 2);
  EXPECT_EQ(json.find("last_problem"), nullptr);
}

TEST(DescribeState, SaysWhyItIsSo) {
  const sync::Replica replica({.workspace_id = "ws", .client = ClientId{1}});
  Output said(OutputStyle::Quiet);
  said.state("reconnecting", "the server is stopping");
  said.state("reconnecting", "cannot reach it");  // said once, known twice
  Json json = describe_state(said, replica, {}, 0, 0);
  EXPECT_EQ(json.string_member("state"), "reconnecting");
  EXPECT_EQ(json.string_member("message"), "cannot reach it");
  said.state("synced");
  EXPECT_EQ(describe_state(said, replica, {}, 0, 0).find("message"), nullptr);
}

TEST(DescribePending, NamesWhatWaits) {
  const auto described = [](const char* json) { return describe_pending(*Json::parse(json)); };
  EXPECT_EQ(described("{}"), "nothing");
  EXPECT_EQ(described(R"({"uploads":1,"downloads":0,"unanswered_documents":2})"),
            "1 upload, 2 notes to compare with the server");
}

}  // namespace
}  // namespace diaryx::client
