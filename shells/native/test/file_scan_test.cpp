#include "diaryx/native/file_scan.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

bool everything(std::string_view) { return true; }

std::vector<std::string> paths(const Scan& scan) {
  std::vector<std::string> all;
  for (const ScannedFile& file : scan.files) all.push_back(file.path);
  return all;
}

TEST(FileScan, FindsRegularFilesInPathOrder) {
  const TempFolder folder;
  folder.write("b.md", "b");
  folder.write("a/z.md", "z");
  folder.write("a-b.md", "-");
  std::filesystem::create_symlink("/etc/passwd", folder / "link");
  const auto root = RootFolder::open(folder.path());
  const Scan scan = scan_folder(*root, {}, everything);
  EXPECT_EQ(paths(scan), (std::vector<std::string>{"a-b.md", "a/z.md", "b.md"}));
  EXPECT_EQ(scan.others, (std::vector<std::string>{"link"}));
  EXPECT_TRUE(scan.problems.empty());
}

TEST(FileScan, DoesNotEnterWhatTakesNoPart) {
  const TempFolder folder;
  folder.write(".git/config", "x");
  folder.write("a.md", "a");
  const auto root = RootFolder::open(folder.path());
  const Scan scan = scan_folder(*root, {}, [](std::string_view path) { return path != ".git"; });
  EXPECT_EQ(paths(scan), (std::vector<std::string>{"a.md"}));
}

TEST(FileScan, WalksOneFolderWithPathsFromTheRoot) {
  const TempFolder folder;
  folder.write("x/y/a.md", "a");
  folder.write("b.md", "b");
  const auto root = RootFolder::open(folder.path());
  std::vector<std::string> entered;
  const Scan scan = scan_folder(*root, "x", everything, [&](const std::string& path) { entered.push_back(path); });
  EXPECT_EQ(paths(scan), (std::vector<std::string>{"x/y/a.md"}));
  EXPECT_EQ(entered, (std::vector<std::string>{"x/y"}));
}

TEST(FileScan, GoesOnBesideAFolderThatCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const TempFolder folder;
  folder.write("closed/a.md", "a");
  folder.write("open/b.md", "b");
  ASSERT_EQ(::chmod((folder / "closed").c_str(), 0), 0);
  const auto root = RootFolder::open(folder.path());
  const Scan scan = scan_folder(*root, {}, everything);
  ::chmod((folder / "closed").c_str(), 0700);
  EXPECT_EQ(paths(scan), (std::vector<std::string>{"open/b.md"}));
  EXPECT_EQ(scan.unread, (std::vector<std::string>{"closed"}));
}

TEST(FileScan, SaysNothingOfAFolderThatIsGone) {
  const TempFolder folder;
  const auto root = RootFolder::open(folder.path());
  const Scan scan = scan_folder(*root, "gone", everything);
  EXPECT_TRUE(scan.files.empty());
  EXPECT_TRUE(scan.problems.empty());
}

TEST(DigestCache, TrustsAStampOnlyWhenItWasOldAtHashing) {
  constexpr int64_t kModifiedMs = 1'000'000;
  const FileStamp stamp{.device = 1, .inode = 2, .size_bytes = 3, .modified_ns = kModifiedMs * 1'000'000};
  DigestCache cache;
  cache.remember("fresh.md", stamp, sha256("x"), TimestampMs{kModifiedMs + 1999});
  cache.remember("old.md", stamp, sha256("x"), TimestampMs{kModifiedMs + 2000});
  cache.remember("from_tomorrow.md", stamp, sha256("x"), TimestampMs{kModifiedMs - 86'400'000});
  EXPECT_FALSE(cache.find("fresh.md", stamp));
  EXPECT_EQ(cache.find("old.md", stamp), sha256("x"));
  EXPECT_EQ(cache.find("from_tomorrow.md", stamp), sha256("x"));
}

TEST(DigestCache, ForgetsWhenAnythingOfTheStampDiffers) {
  const FileStamp stamp{.device = 1, .inode = 2, .size_bytes = 3, .modified_ns = 0};
  DigestCache cache;
  cache.remember("a.md", stamp, sha256("x"), TimestampMs{10'000});
  for (FileStamp other : {FileStamp{2, 2, 3, 0, 0}, FileStamp{1, 3, 3, 0, 0}, FileStamp{1, 2, 4, 0, 0},
                          FileStamp{1, 2, 3, 1, 0}, FileStamp{1, 2, 3, 0, 1}}) {
    EXPECT_FALSE(cache.find("a.md", other));
  }
  cache.forget("a.md");
  EXPECT_FALSE(cache.find("a.md", stamp));
}

TEST(DigestCache, FindsAFileByContentAndFollowsItsRename) {
  const FileStamp stamp{.device = 1, .inode = 2, .size_bytes = 3, .modified_ns = 0};
  DigestCache cache;
  cache.remember("a.png", stamp, sha256("x"), TimestampMs{10'000});
  cache.remember("b.png", stamp, sha256("y"), TimestampMs{10'000});
  EXPECT_EQ(cache.path_of(sha256("x")), "a.png");
  cache.rename("a.png", "b.png");
  EXPECT_EQ(cache.path_of(sha256("x")), "b.png");
  EXPECT_EQ(cache.find("b.png", stamp), sha256("x"));
  EXPECT_FALSE(cache.path_of(sha256("y")));
  EXPECT_FALSE(cache.find("a.png", stamp));
}

}  // namespace
}  // namespace diaryx::native
