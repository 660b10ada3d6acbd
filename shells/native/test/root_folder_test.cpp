#include "diaryx/native/root_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

struct PathCase {
  const char* name;
  std::string path;
  bool safe;
};

class SafePath : public testing::TestWithParam<PathCase> {};

TEST_P(SafePath, IsToldFromAHostileOne) { EXPECT_EQ(is_safe_path(GetParam().path), GetParam().safe); }

INSTANTIATE_TEST_SUITE_P(
    Paths, SafePath,
    testing::Values(PathCase{"name", "a.md", true}, PathCase{"nested", "a/b/c.md", true},
                    PathCase{"hidden", ".obsidian/app.json", true}, PathCase{"three_dots", "...", true},
                    PathCase{"longest_name", std::string(255, 'n'), true},
                    PathCase{"name_too_long", std::string(256, 'n'), false}, PathCase{"empty", "", false},
                    PathCase{"absolute", "/etc/passwd", false}, PathCase{"parent", "..", false},
                    PathCase{"through_parent", "a/../../b", false}, PathCase{"dot", "./a", false},
                    PathCase{"double_slash", "a//b", false}, PathCase{"trailing_slash", "a/", false},
                    PathCase{"nul", std::string("a\0b", 3), false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(RootFolder, ReadsAFileWithItsStamp) {
  const TempFolder folder;
  folder.write("notes/a.md", "hello");
  const auto root = RootFolder::open(folder.path());
  ASSERT_TRUE(root);
  const auto content = root->read("notes/a.md", 100);
  ASSERT_TRUE(content) << content.error().sentence;
  EXPECT_EQ(as_text(content->bytes), "hello");
  EXPECT_EQ(content->stamp, root->look("notes/a.md")->stamp);
}

TEST(RootFolder, ReadsAnEmptyFile) {
  const TempFolder folder;
  folder.write("empty.md", "");
  const auto root = RootFolder::open(folder.path());
  ASSERT_TRUE(root->read("empty.md", 100));
  EXPECT_TRUE(root->read("empty.md", 100)->bytes.empty());
}

TEST(RootFolder, RefusesAFileLargerThanAllowed) {
  const TempFolder folder;
  folder.write("a.bin", "123456");
  const auto root = RootFolder::open(folder.path());
  EXPECT_TRUE(root->read("a.bin", 6));
  const auto refused = root->read("a.bin", 5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().os_error, EFBIG);
}

TEST(RootFolder, DoesNotFollowALinkThatLeavesIt) {
  const TempFolder outside;
  outside.write("secret.md", "secret");
  const TempFolder folder;
  std::filesystem::create_directory_symlink(outside.path(), folder / "out");
  std::filesystem::create_symlink(outside / "secret.md", folder / "link.md");
  const auto root = RootFolder::open(folder.path());
  EXPECT_FALSE(root->read("out/secret.md", 100));
  EXPECT_FALSE(root->read("link.md", 100));
  EXPECT_EQ(root->look("link.md")->kind, EntryKind::Other);
  EXPECT_EQ(root->look("out/secret.md")->kind, EntryKind::Other);
  EXPECT_EQ(root->look("out/deeper/secret.md")->kind, EntryKind::Other);
  EXPECT_FALSE(root->open_parent("out/new/a.md", MissingFolders::Create));
  EXPECT_FALSE(outside.has("new"));
}

TEST(RootFolder, DoesNotWaitForAPipe) {
  const TempFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  const auto root = RootFolder::open(folder.path());
  EXPECT_FALSE(root->read("pipe", 100));
  EXPECT_EQ(root->look("pipe")->kind, EntryKind::Other);
}

TEST(RootFolder, TellsWhatIsThere) {
  const TempFolder folder;
  folder.write("notes/a.md", "a");
  const auto root = RootFolder::open(folder.path());
  EXPECT_EQ(root->look("notes")->kind, EntryKind::Folder);
  EXPECT_EQ(root->look("notes/a.md")->kind, EntryKind::File);
  EXPECT_EQ(root->look("missing/b.md")->kind, EntryKind::Absent);
  EXPECT_EQ(root->look("notes/a.md/under_a_file")->kind, EntryKind::Absent);
  EXPECT_FALSE(root->look("../a"));
}

TEST(RootFolder, RemovesOnlyFoldersThatAreEmpty) {
  const TempFolder folder;
  folder.write("a/keep.md", "k");
  std::filesystem::create_directories(folder / "a/b/c");
  const auto root = RootFolder::open(folder.path());
  root->remove_empty_parents("a/b/c/gone.md");
  EXPECT_FALSE(folder.has("a/b"));
  EXPECT_TRUE(folder.has("a/keep.md"));
}

TEST(RootFolder, SaysWhichFolderIsMissing) {
  const auto root = RootFolder::open("/nonexistent/folder");
  ASSERT_FALSE(root);
  EXPECT_EQ(root.error().sentence, "cannot open the folder /nonexistent/folder: No such file or directory");
}

}  // namespace
}  // namespace diaryx::native
