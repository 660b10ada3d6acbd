// Attachments, as every Storage keeps them: uploads, and which blobs somebody refers to.
#include "storage_contract.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Kind = StorageError::Kind;

/// Of seven bytes, in parts of four.
Upload upload_of(const Session& session, const Sha256& hash) {
  return {.id = "up",
          .workspace = "w",
          .user_id = session.user_id,
          .attachment_path = "a.png",
          .hash = hash,
          .size_bytes = 7,
          .mime_type = "image/png",
          .part_size = 4,
          .total_parts = 2,
          .expires = TimestampMs{100}};
}

TEST_P(StorageContract, RemembersAnUploadAndItsBlob) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  workspace(ann, "w2", "more");
  Upload upload = upload_of(ann, sha256("x"));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.create_upload(upload, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.add_upload_part("up", 2, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.add_upload_part("up", 2, std::move(reply)); }));
  const auto found = wait<Upload>([&](auto reply) { storage->attachments.find_upload("w", "up", std::move(reply)); });
  ASSERT_TRUE(found);
  EXPECT_EQ(found->hash, upload.hash);
  EXPECT_THAT(found->parts, ElementsAre(2));
  EXPECT_EQ(
      wait<Upload>([&](auto reply) { storage->attachments.find_upload("w2", "up", std::move(reply)); }).error().kind,
      Kind::NotFound);

  const auto use_of = [&](const std::string& id) {
    return *wait<StorageUse>([&](auto reply) { storage->attachments.use(id, std::move(reply)); });
  };
  EXPECT_EQ(use_of(ann.user_id).unfinished_bytes, 3u);
  EXPECT_EQ(use_of(user("carl@x").user_id).unfinished_bytes, 0u);
  const auto blob_in = [&](const std::string& id) {
    return wait<Blob>([&](auto reply) { storage->attachments.find_blob(id, sha256("x"), std::move(reply)); });
  };
  EXPECT_EQ(blob_in("w").error().kind, Kind::NotFound);
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  EXPECT_EQ(blob_in("w")->mime_type, "image/png");
  EXPECT_EQ(blob_in("w2").error().kind, Kind::NotFound);
  upload.workspace = "w2";
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.adopt_blob(upload, TimestampMs{60}, std::move(reply)); }));
  EXPECT_TRUE(blob_in("w2"));
  EXPECT_EQ(use_of(ann.user_id).used_bytes, 7u);
  EXPECT_EQ(use_of(ann.user_id).blob_count, 1u);
  EXPECT_EQ(use_of(ann.user_id).unfinished_bytes, 0u);
  // Nobody adopts what another user uploaded.
  upload.user_id = user("ben@x").user_id;
  EXPECT_EQ(wait<void>([&](auto reply) { storage->attachments.adopt_blob(upload, TimestampMs{60}, std::move(reply)); })
                .error()
                .kind,
            Kind::NotFound);

  EXPECT_THAT(*wait<std::vector<Upload>>(
                  [&](auto reply) { storage->attachments.expire_uploads(TimestampMs{99}, std::move(reply)); }),
              IsEmpty());
  EXPECT_THAT(*wait<std::vector<Upload>>(
                  [&](auto reply) { storage->attachments.expire_uploads(TimestampMs{100}, std::move(reply)); }),
              SizeIs(1));
}

TEST_P(StorageContract, GoesOnWithAnUploadThatWasAnnouncedInTheSameWords) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  const Upload upload = upload_of(ann, sha256("x"));
  const auto resumed = [&](const Upload& announced, int64_t now = 99) {
    return wait<Upload>(
        [&](auto reply) { storage->attachments.resume_upload(announced, TimestampMs{now}, std::move(reply)); });
  };
  EXPECT_EQ(resumed(upload).error().kind, Kind::NotFound);
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.create_upload(upload, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.add_upload_part("up", 2, std::move(reply)); }));
  Upload asked = upload;
  asked.id.clear();
  const auto found = resumed(asked);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->id, "up");
  EXPECT_EQ(found->total_parts, 2u);
  EXPECT_EQ(found->expires, TimestampMs{100});
  EXPECT_THAT(found->parts, ElementsAre(2));
  EXPECT_FALSE(resumed(asked, 100)) << "it ended";
  std::vector<Upload> others(6, asked);
  others[0].workspace = "w2";
  others[1].user_id = user("ben@x").user_id;
  others[2].hash = sha256("y");
  others[3].part_size = 7;
  others[4].attachment_path = "b.png";
  others[5].mime_type = "image/gif";
  for (const Upload& other : others) EXPECT_FALSE(resumed(other));
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  EXPECT_FALSE(resumed(asked)) << "it is complete";
}

TEST_P(StorageContract, TellsWhatNoRecordNames) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  const Upload upload = upload_of(ann, sha256("x"));
  const BlobKey known{ann.user_id, sha256("x")};
  const BlobKey others{user("ben@x").user_id, sha256("x")};
  const BlobKey unknown{ann.user_id, sha256("y")};
  const auto unnamed = [&] {
    return *wait<std::vector<BlobKey>>(
        [&](auto reply) { storage->attachments.unnamed_blobs({unknown, known, others}, std::move(reply)); });
  };
  const auto unnamed_uploads = [&] {
    return *wait<std::vector<std::string>>(
        [&](auto reply) { storage->attachments.unnamed_uploads({"down", "up"}, std::move(reply)); });
  };
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->attachments.create_upload(upload, std::move(reply)); }));
  EXPECT_THAT(unnamed(), ElementsAre(unknown, known, others));
  EXPECT_THAT(unnamed_uploads(), ElementsAre("down"));
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  EXPECT_THAT(unnamed(), ElementsAre(unknown, others));
  EXPECT_THAT(unnamed_uploads(), ElementsAre("down")) << "complete, and its record is still there";
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->workspaces.remove(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(unnamed(), ElementsAre(unknown, others)) << "nothing refers to it, and it is not forgotten yet";
  EXPECT_THAT(unnamed_uploads(), ElementsAre("down", "up"));
}

TEST_P(StorageContract, ForgetsBlobsThatNoWorkspaceRefersTo) {
  const Session ann = user("ann@x");
  workspace(ann, "w", "notes");
  workspace(ann, "w2", "more");
  Upload upload = upload_of(ann, {});
  for (const char* text : {"a", "b", "c"}) {
    upload.hash = sha256(text);
    ASSERT_TRUE(
        wait<void>([&](auto reply) { storage->attachments.finish_upload(upload, TimestampMs{50}, std::move(reply)); }));
  }
  const auto review = [&](std::optional<BlobKey> after, uint32_t limit, int64_t before) {
    return *wait<BlobReview>(
        [&](auto reply) { storage->attachments.review_blobs(after, limit, TimestampMs{before}, std::move(reply)); });
  };
  const auto forget = [&](const char* text) {
    return *wait<bool>(
        [&](auto reply) { storage->attachments.forget_blob({ann.user_id, sha256(text)}, std::move(reply)); });
  };
  EXPECT_THAT(review({}, 10, 100).unused, IsEmpty());
  EXPECT_FALSE(forget("a"));
  // One of them is in another workspace too; then the first goes.
  upload.workspace = "w2";
  upload.hash = sha256("b");
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.adopt_blob(upload, TimestampMs{60}, std::move(reply)); }));
  ASSERT_TRUE(wait<void>([&](auto reply) { storage->workspaces.remove(ann.user_id, "w", std::move(reply)); }));
  EXPECT_THAT(review({}, 10, 50).unused, IsEmpty());  // not old
  EXPECT_THAT(review({}, 10, 51).unused,
              testing::UnorderedElementsAre(BlobKey{ann.user_id, sha256("a")}, BlobKey{ann.user_id, sha256("c")}));
  // The walk sees each blob once, whatever its steps are.
  std::vector<BlobKey> unused;
  size_t steps = 0;
  for (std::optional<BlobKey> at;; ++steps) {
    const BlobReview step = review(at, 1, 51);
    unused.insert(unused.end(), step.unused.begin(), step.unused.end());
    if (!(at = step.last)) break;
  }
  EXPECT_EQ(steps, 3u);
  EXPECT_THAT(unused, SizeIs(2));
  // In between somebody came to need one of them again.
  upload.hash = sha256("c");
  ASSERT_TRUE(
      wait<void>([&](auto reply) { storage->attachments.adopt_blob(upload, TimestampMs{70}, std::move(reply)); }));
  EXPECT_TRUE(forget("a"));
  EXPECT_FALSE(forget("a"));
  EXPECT_FALSE(forget("b"));
  EXPECT_FALSE(forget("c"));
  EXPECT_EQ(wait<StorageUse>([&](auto reply) { storage->attachments.use(ann.user_id, std::move(reply)); })->blob_count,
            2u);
}

}  // namespace
}  // namespace diaryx::server
