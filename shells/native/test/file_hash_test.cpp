#include "diaryx/native/file_hash.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

TEST(FileHash, IsThatOfTheWholeFile) {
  const TempFolder folder;
  const std::string long_text(700'000, 'x');  // more than two pieces
  folder.write("a.bin", long_text);
  folder.write("empty.bin", "");
  const auto root = RootFolder::open(folder.path());
  EXPECT_EQ(hash_file_at_rest(*root, "a.bin")->digest, sha256(long_text));
  EXPECT_EQ(hash_file_at_rest(*root, "empty.bin")->digest, sha256(""));
}

TEST(FileHasher, AgreesWithTheCore) {
  FileHasher empty;
  EXPECT_EQ(empty.finish(), sha256(""));
  FileHasher pieces;
  for (const char* piece : {"a", "", "bcdef", "g"}) pieces.update(as_bytes(piece));
  EXPECT_EQ(pieces.finish(), sha256("abcdefg"));
}

TEST(FileHash, SaysThatThereIsNoFile) {
  const TempFolder folder;
  folder.write("sub/a.bin", "abc");
  const auto root = RootFolder::open(folder.path());
  EXPECT_FALSE(hash_file_at_rest(*root, "sub"));
  EXPECT_FALSE(hash_file_at_rest(*root, "../a.bin"));
  EXPECT_EQ(hash_file_at_rest(*root, "missing.bin").error().os_error, ENOENT);
}

TEST(FileHash, ComesWithTheStampOfTheFile) {
  const TempFolder folder;
  folder.write("a.bin", "abc");
  const auto root = RootFolder::open(folder.path());
  const auto hashed = hash_file_at_rest(*root, "a.bin");
  ASSERT_TRUE(hashed);
  EXPECT_EQ(hashed->digest, sha256("abc"));
  EXPECT_EQ(hashed->stamp, root->look("a.bin")->stamp);
}

}  // namespace
}  // namespace diaryx::native
