#include "watch_table.h"

#include <gtest/gtest.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

TEST(WatchTable, KnowsWhatIsBeneathAFolder) {
  EXPECT_EQ(beneath("a/b", "a"), "b");
  EXPECT_EQ(beneath("a", "a"), "");
  EXPECT_EQ(beneath("a/b", ""), "a/b");
  EXPECT_FALSE(beneath("ab/c", "a"));
  EXPECT_FALSE(beneath("b", "a"));
}

TEST(WatchTable, RebasesPathsBeneathAFolderOnly) {
  EXPECT_EQ(rebased("a/b/c", "a", "x/y"), "x/y/b/c");
  EXPECT_EQ(rebased("a", "a", "x"), "x");
  EXPECT_EQ(rebased("ab", "a", "x"), "ab");
}

TEST(WatchTable, KeepsTheWatchOfARenamedFolder) {
  const TempFolder folder;
  folder.write("old/in/a.md", "a");
  folder.write("old-b/b.md", "b");
  const int fd = ::inotify_init1(IN_CLOEXEC);
  WatchTable table(fd, folder.path());
  for (const char* name : {"", "old", "old-b", "old/in"}) ASSERT_TRUE(table.add(name)) << name;
  table.rename("old", "new");
  std::filesystem::rename(folder / "old", folder / "new");
  ASSERT_TRUE(table.add("new/in"));  // the same folder has the same watch
  EXPECT_EQ(table.size(), 4u);
  table.remove("new");
  EXPECT_EQ(table.size(), 2u);
  ::close(fd);
}

TEST(WatchTable, SaysWhichFolderCannotBeWatched) {
  const TempFolder folder;
  const int fd = ::inotify_init1(IN_CLOEXEC);
  WatchTable table(fd, folder.path());
  const auto added = table.add("missing");
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().sentence, "cannot watch the folder missing: No such file or directory");
  ::close(fd);
}

}  // namespace
}  // namespace diaryx::native
