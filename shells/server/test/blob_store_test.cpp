#include "blob_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "temporary_folder.h"

namespace diaryx::server {
namespace {

struct BlobStoreTest : testing::Test {
  void keep(uint32_t part, std::string_view content) {
    const auto received = store->temporary();
    std::ofstream(received, std::ios::binary) << content;
    ASSERT_TRUE(store->keep_part(upload.id, part, received));
  }
  TemporaryFolder folder;
  native::Outcome<BlobStore> store = BlobStore::open(folder.path);
  Upload upload{.id = "upload",
                .workspace = "w",
                .user_id = "user",
                .attachment_path = "a",
                .hash = sha256("abcdefg"),
                .size_bytes = 7,
                .mime_type = "x/y",
                .part_size = 3,
                .total_parts = 3,
                .expires = {}};
};

TEST_F(BlobStoreTest, KnowsTheSizeOfEachPart) {
  EXPECT_EQ(part_size_of(upload, 1), 3u);
  EXPECT_EQ(part_size_of(upload, 3), 1u);
}

TEST_F(BlobStoreTest, JoinsPartsWhateverTheirOrder) {
  keep(3, "g");
  keep(1, "abc");
  keep(2, "def");
  const auto assembled = store->assemble(upload);
  ASSERT_TRUE(assembled);
  EXPECT_TRUE(assembled->stored);
  EXPECT_TRUE(store->has("user", upload.hash, 7));
  EXPECT_FALSE(store->has("user", upload.hash, 8));
  EXPECT_FALSE(store->has("other", upload.hash, 7));
}

TEST_F(BlobStoreTest, NamesPartsThatAreMissingOrOfTheWrongSize) {
  keep(1, "ab");
  keep(3, "g");
  const auto assembled = store->assemble(upload);
  ASSERT_TRUE(assembled);
  EXPECT_FALSE(assembled->stored);
  EXPECT_THAT(assembled->missing, testing::ElementsAre(1, 2));
}

TEST_F(BlobStoreTest, NeverPlacesBytesThatHaveAnotherHash) {
  keep(1, "abc");
  keep(2, "dxf");
  keep(3, "g");
  const auto assembled = store->assemble(upload);
  ASSERT_TRUE(assembled);
  EXPECT_TRUE(assembled->wrong_hash);
  EXPECT_FALSE(store->has("user", upload.hash, 7));
}

TEST_F(BlobStoreTest, ForgetsWhatACrashLeftHalfReceived) {
  const auto left = store->temporary();
  std::ofstream(left) << "half";
  store = BlobStore::open(folder.path);
  EXPECT_FALSE(std::filesystem::exists(left));
}

}  // namespace
}  // namespace diaryx::server
