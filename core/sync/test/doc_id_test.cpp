#include "diaryx/sync/doc_id.h"

#include <gtest/gtest.h>

#include "diaryx/sync/path.h"

namespace diaryx::sync {
namespace {

TEST(DocId, ReadsBothForms) {
  EXPECT_EQ(*parse_doc_id("workspace:ws1"), (ParsedDocId{DocKind::Workspace, "ws1", ""}));
  EXPECT_EQ(*parse_doc_id("body:ws1/notes/a.md"), (ParsedDocId{DocKind::Body, "ws1", "notes/a.md"}));
  EXPECT_EQ(*parse_doc_id("body:ws1//a.md"), (ParsedDocId{DocKind::Body, "ws1", "/a.md"}));
}

TEST(DocId, RefusesOtherForms) {
  for (const char* id : {"", "ws1", "workspace:", "body:", "body:ws1", "body:ws1/", "body:/a.md", "Workspace:x",
                         "workspace:a/b", "workspace:a\nb"})
    EXPECT_EQ(parse_doc_id(id).error().code, ErrorCode::InvalidDocId) << id;
}

TEST(DocId, FormatsWhatItReads) {
  EXPECT_EQ(workspace_doc_id("ws1")->str(), "workspace:ws1");
  EXPECT_EQ(body_doc_id("ws1", "notes/a.md")->str(), "body:ws1/notes/a.md");
  EXPECT_EQ(workspace_doc_id("").error().code, ErrorCode::InvalidDocId);
  EXPECT_EQ(workspace_doc_id("a/b").error().code, ErrorCode::InvalidDocId);
  EXPECT_EQ(body_doc_id("ws1", "").error().code, ErrorCode::InvalidDocId);
}

TEST(DocId, T26IsNeverCut) {
  const std::string uuid = "123e4567-e89b-42d3-a456-426614174000";
  EXPECT_EQ(body_doc_id(uuid, std::string(kMaxKeyBytes, 'k'))->str().size(), kMaxDocIdBytes);
  EXPECT_EQ(body_doc_id(uuid, std::string(kMaxKeyBytes + 1, 'k')).error().code, ErrorCode::DocIdTooLong);
  EXPECT_TRUE(workspace_doc_id(std::string(245, 'w')));
  EXPECT_EQ(workspace_doc_id(std::string(246, 'w')).error().code, ErrorCode::DocIdTooLong);
  EXPECT_EQ(parse_doc_id("workspace:" + std::string(246, 'w')).error().code, ErrorCode::DocIdTooLong);
}

}  // namespace
}  // namespace diaryx::sync
