#include "diaryx/native/file_watcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

using Kind = DiskChange::Kind;

/// Real inotify, invented time: nothing in these tests waits.
class FileWatcherTest : public testing::Test {
 protected:
  FileWatcherTest() : root_(std::move(*RootFolder::open(folder_.path()))) {}

  void start() {
    auto watcher = FileWatcher::create(
        root_, [](std::string_view path) { return !path.starts_with(".diaryx") && !path.ends_with(".tmp"); });
    ASSERT_TRUE(watcher);
    watcher_ = std::make_unique<FileWatcher>(std::move(*watcher));
  }

  void take_in() { watcher_->read_events(TimestampMs{now_ms_}); }

  /// Everything that is quiet after `wait_ms` more.
  std::vector<DiskChange> after(int64_t wait_ms) {
    take_in();
    now_ms_ += wait_ms;
    auto changes = watcher_->take_quiet(TimestampMs{now_ms_});
    std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    return changes;
  }

  /// As `after`, long enough for everything; unpaired halves need two looks.
  std::vector<DiskChange> settled() {
    auto changes = after(1000);
    for (DiskChange& change : after(1000)) changes.push_back(std::move(change));
    return changes;
  }

  void exchange(const char* one, const char* other) {
    ASSERT_EQ(::renameat2(AT_FDCWD, (folder_ / one).c_str(), AT_FDCWD, (folder_ / other).c_str(), RENAME_EXCHANGE), 0);
  }

  TempFolder folder_;
  RootFolder root_;
  std::unique_ptr<FileWatcher> watcher_;
  int64_t now_ms_ = 1000;
};

DiskChange touched(std::string path) { return {Kind::Touched, std::move(path), {}}; }
DiskChange moved(std::string from, std::string to) { return {Kind::Moved, std::move(to), std::move(from)}; }

TEST_F(FileWatcherTest, TellsAFileThatWasWrittenAndClosed) {
  start();
  folder_.write("a.md", "text");
  EXPECT_TRUE(after(29).empty());
  EXPECT_EQ(after(1), (std::vector{touched("a.md")}));
  EXPECT_FALSE(watcher_->next_deadline());
}

TEST_F(FileWatcherTest, WaitsForAFileThatIsBeingWritten) {
  start();
  const int fd = ::open((folder_ / "a.md").c_str(), O_WRONLY | O_CREAT, 0600);
  for (int piece = 0; piece < 5; ++piece) {
    ASSERT_EQ(::write(fd, "x", 1), 1);
    EXPECT_TRUE(after(300).empty());
  }
  ::close(fd);
  EXPECT_EQ(after(30), (std::vector{touched("a.md")}));
}

TEST_F(FileWatcherTest, TellsAFileThatNeverRestsFromTimeToTime) {
  start();
  const int fd = ::open((folder_ / "log.md").c_str(), O_WRONLY | O_CREAT, 0600);
  std::vector<DiskChange> changes;
  for (int piece = 0; piece < 60 && changes.empty(); ++piece) {
    ASSERT_EQ(::write(fd, "x", 1), 1);
    changes = after(100);
  }
  EXPECT_EQ(changes, (std::vector{touched("log.md")}));
  EXPECT_LE(now_ms_, 1000 + 5100);
  ::close(fd);
}

TEST_F(FileWatcherTest, LeavesALargeFileAloneLonger) {
  start();
  folder_.write("film.mp4", "x");
  std::filesystem::resize_file(folder_ / "film.mp4", 50'000'000);
  EXPECT_TRUE(after(990).empty());
  EXPECT_EQ(after(10), (std::vector{touched("film.mp4")}));
}

TEST_F(FileWatcherTest, TellsARemoval) {
  folder_.write("a.md", "text");
  start();
  std::filesystem::remove(folder_ / "a.md");
  EXPECT_EQ(after(30), (std::vector{touched("a.md")}));
}

TEST_F(FileWatcherTest, TellsAFolderThatIsDeletedBitByBitAtOnce) {
  for (int file = 0; file < 20; ++file) folder_.write("notes/" + std::to_string(file) + ".md", "text");
  start();
  for (int file = 0; file < 20; ++file) {
    std::filesystem::remove(folder_ / ("notes/" + std::to_string(file) + ".md"));
    EXPECT_TRUE(after(20).empty());
  }
  std::filesystem::remove(folder_ / "notes");
  EXPECT_TRUE(after(20).empty());
  EXPECT_EQ(after(10).size(), 21u);
}

TEST_F(FileWatcherTest, TellsRemovalsThatDoNotEndFromTimeToTime) {
  for (int file = 0; file < 300; ++file) folder_.write(std::to_string(file) + ".md", "text");
  start();
  size_t told = 0;
  for (int file = 0; file < 300 && told == 0; ++file) {
    std::filesystem::remove(folder_ / (std::to_string(file) + ".md"));
    told = after(20).size();
  }
  EXPECT_GT(told, 200u);
  EXPECT_LE(now_ms_, 1000 + 5100);
}

TEST_F(FileWatcherTest, PairsTheTwoHalvesOfARename) {
  folder_.write("a.md", "text");
  folder_.write("sub/x.md", "x");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "sub/b.md");
  EXPECT_EQ(after(30), (std::vector{moved("a.md", "sub/b.md")}));
  EXPECT_TRUE(settled().empty());
}

TEST_F(FileWatcherTest, TellsTwoRenamesAsOne) {
  folder_.write("a.md", "text");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "b.md");
  std::filesystem::rename(folder_ / "b.md", folder_ / "c.md");
  EXPECT_EQ(settled(), (std::vector{touched("b.md"), moved("a.md", "c.md")}));
}

TEST_F(FileWatcherTest, TellsThatAFileIsGoneWhichARenameWentOver) {
  for (const char* name : {"a.md", "x/a.md", "y/a.md"}) folder_.write(name, "a");
  folder_.write("b.md", "b");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "b.md");
  std::filesystem::rename(folder_ / "b.md", folder_ / "c.md");
  exchange("x", "y");
  std::filesystem::rename(folder_ / "x", folder_ / "z");
  const auto changes = settled();
  for (const DiskChange& change : {touched("b.md"), {Kind::FolderGone, "x", {}}})
    EXPECT_NE(std::find(changes.begin(), changes.end(), change), changes.end()) << change.path;
}

TEST_F(FileWatcherTest, TellsASwapAsAWhole) {
  folder_.write("a.md", "a");
  folder_.write("b.md", "b");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "c.md");
  EXPECT_TRUE(after(20).empty());
  std::filesystem::rename(folder_ / "b.md", folder_ / "a.md");
  EXPECT_TRUE(after(20).empty());
  std::filesystem::rename(folder_ / "c.md", folder_ / "b.md");
  EXPECT_EQ(settled(), (std::vector{touched("a.md"), touched("b.md"), touched("c.md")}));
}

TEST_F(FileWatcherTest, TellsBothFilesOfAnExchange) {
  folder_.write("a.md", "a");
  folder_.write("b.md", "b");
  start();
  exchange("a.md", "b.md");
  EXPECT_EQ(settled(), (std::vector{touched("a.md"), touched("b.md")}));
}

TEST_F(FileWatcherTest, LooksAtBothFoldersOfAnExchangeAndGoesOnWatchingThem) {
  folder_.write("a/in/a.md", "a");
  folder_.write("b/in/b.md", "b");
  start();
  exchange("a", "b");
  const auto changes = settled();
  for (const char* path : {"a/in/b.md", "b/in/a.md"})
    EXPECT_NE(std::find(changes.begin(), changes.end(), touched(path)), changes.end()) << path;
  for (const char* gone : {"a", "b"})
    EXPECT_NE(std::find(changes.begin(), changes.end(), DiskChange{Kind::FolderGone, gone, {}}), changes.end()) << gone;
  folder_.write("a/in/b.md", "changed");
  folder_.write("b/in/a.md", "changed");
  EXPECT_EQ(settled(), (std::vector{touched("a/in/b.md"), touched("b/in/a.md")}));
}

TEST_F(FileWatcherTest, TellsRenamesOfAFileAndOfItsFolderAsAWhole) {
  folder_.write("old/a.md", "a");
  folder_.write("old/b.md", "b");
  start();
  std::filesystem::rename(folder_ / "old/a.md", folder_ / "old/c.md");
  EXPECT_TRUE(after(20).empty());
  std::filesystem::rename(folder_ / "old", folder_ / "new");
  EXPECT_TRUE(after(20).empty());
  std::filesystem::rename(folder_ / "new/b.md", folder_ / "b.md");
  EXPECT_EQ(settled(),
            (std::vector<DiskChange>{
                moved("new/b.md", "b.md"), {Kind::FolderMoved, "new", "old"}, moved("old/a.md", "new/c.md")}));
}

TEST_F(FileWatcherTest, TellsNoRemovalOfAFileThatWasWrittenBeforeItsRenameIntoANewFolder) {
  folder_.write("a.md", "a");
  start();
  folder_.write("a.md", "aa");
  EXPECT_TRUE(after(20).empty());
  std::filesystem::create_directory(folder_ / "new");
  std::filesystem::rename(folder_ / "a.md", folder_ / "new/a.md");
  EXPECT_TRUE(after(29).empty());
  EXPECT_EQ(after(1), (std::vector{touched("a.md"), touched("new/a.md")}));
}

TEST_F(FileWatcherTest, TellsNothingBeforeItHasReadWhatHappenedSince) {
  folder_.write("a.md", "a");
  start();
  folder_.write("a.md", "aa");
  take_in();
  std::filesystem::rename(folder_ / "a.md", folder_ / "b.md");
  now_ms_ += 30;
  EXPECT_TRUE(watcher_->take_quiet(TimestampMs{now_ms_}).empty());
  EXPECT_EQ(settled(), (std::vector{moved("a.md", "b.md"), touched("b.md")}));
}

TEST_F(FileWatcherTest, TellsNothingMovedWhenARenameWasTakenBack) {
  folder_.write("a.md", "text");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "b.md");
  std::filesystem::rename(folder_ / "b.md", folder_ / "a.md");
  EXPECT_EQ(settled(), (std::vector{touched("a.md"), touched("b.md")}));
}

TEST_F(FileWatcherTest, TakesAnEditorsBackupForATouch) {
  folder_.write("a.md", "old");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "a.md~");  // as Vim saves
  folder_.write("a.md", "new");
  std::filesystem::remove(folder_ / "a.md~");
  EXPECT_EQ(settled(), (std::vector{touched("a.md"), touched("a.md~")}));
}

TEST_F(FileWatcherTest, TellsARenameOfAFileThatWasSavedOverABackupSince) {
  folder_.write("a.md", "old");
  folder_.write("sub/x.md", "old");
  start();
  std::filesystem::rename(folder_ / "a.md", folder_ / "b.md");
  std::filesystem::rename(folder_ / "sub", folder_ / "Sub");
  for (const std::string path : {"b.md", "Sub/x.md"}) {
    std::filesystem::rename(folder_ / path, folder_ / (path + ".tmp"));  // which takes no part
    folder_.write(path, "new");
    std::filesystem::remove(folder_ / (path + ".tmp"));
  }
  EXPECT_EQ(settled(), (std::vector{DiskChange{Kind::FolderMoved, "Sub", "sub"}, touched("Sub/x.md"),
                                    moved("a.md", "b.md"), touched("b.md")}));
}

TEST_F(FileWatcherTest, TakesASaveByRenamingForATouch) {
  folder_.write("a.md", "old");
  start();
  folder_.write("sedAbC", "new");  // as sed -i saves
  std::filesystem::rename(folder_ / "sedAbC", folder_ / "a.md");
  EXPECT_EQ(settled(), (std::vector{touched("a.md")}));
}

TEST_F(FileWatcherTest, TakesARenameFromAnUnwatchedNameForATouch) {
  start();
  folder_.write("a.md.tmp", "text");
  std::filesystem::rename(folder_ / "a.md.tmp", folder_ / "a.md");
  EXPECT_EQ(settled(), (std::vector{touched("a.md")}));
}

TEST_F(FileWatcherTest, TakesARenameOutOfTheRootForARemoval) {
  const TempFolder outside;
  folder_.write("a.md", "text");
  start();
  std::filesystem::rename(folder_ / "a.md", outside / "a.md");
  EXPECT_TRUE(after(29).empty());
  EXPECT_EQ(after(1), (std::vector{touched("a.md")}));
}

TEST_F(FileWatcherTest, SeesFilesOfAFolderThatJustAppeared) {
  start();
  folder_.write("new/deep/er/a.md", "made before anybody could watch");
  take_in();
  folder_.write("new/deep/er/b.md", "made after");
  EXPECT_EQ(settled(), (std::vector{touched("new/deep/er/a.md"), touched("new/deep/er/b.md")}));
}

TEST_F(FileWatcherTest, TellsWhatANewFolderHoldsTogetherWithWhereItCameFrom) {
  folder_.write("a.md", "a");
  folder_.write("b.md", "b");
  folder_.write("old/c.md", "c");
  start();
  std::filesystem::create_directory(folder_ / "new");
  std::filesystem::rename(folder_ / "a.md", folder_ / "new/a.md");
  std::filesystem::rename(folder_ / "b.md", folder_ / "new/b.md");
  std::filesystem::rename(folder_ / "old", folder_ / "new/old");
  take_in();
  folder_.write("new/b.md", "edited at once");
  EXPECT_TRUE(after(29).empty());
  folder_.write("new/a.md", "edited a little later");
  EXPECT_EQ(after(1), (std::vector<DiskChange>{touched("a.md"),
                                               touched("b.md"),
                                               touched("new/a.md"),
                                               touched("new/b.md"),
                                               touched("new/old/c.md"),
                                               {Kind::FolderGone, "old", {}}}));
}

TEST_F(FileWatcherTest, FollowsAFolderThatWasRenamed) {
  folder_.write("old/in/a.md", "a");
  folder_.write("old-other/b.md", "b");
  start();
  std::filesystem::rename(folder_ / "old", folder_ / "new");
  EXPECT_EQ(settled(), (std::vector<DiskChange>{{Kind::FolderMoved, "new", "old"}}));
  folder_.write("new/in/a.md", "changed");
  folder_.write("old-other/b.md", "changed");
  EXPECT_EQ(settled(), (std::vector{touched("new/in/a.md"), touched("old-other/b.md")}));
}

TEST_F(FileWatcherTest, AdoptsAFolderMovedInAndLosesOneMovedOut) {
  const TempFolder outside;
  outside.write("in/a.md", "a");
  folder_.write("out/b.md", "b");
  start();
  std::filesystem::rename(outside / "in", folder_ / "in");
  std::filesystem::rename(folder_ / "out", outside / "out");
  EXPECT_EQ(settled(), (std::vector<DiskChange>{touched("in/a.md"), {Kind::FolderGone, "out", {}}}));
  outside.write("out/b.md", "no longer ours");
  EXPECT_TRUE(settled().empty());
}

TEST_F(FileWatcherTest, GoesOnWatchingAFolderThatLeftAndCameBack) {
  const TempFolder outside;
  folder_.write("x/in/a.md", "a");
  start();
  std::filesystem::rename(folder_ / "x", outside / "x");
  std::filesystem::rename(outside / "x", folder_ / "x");
  EXPECT_EQ(settled(), (std::vector<DiskChange>{{Kind::FolderGone, "x", {}}, touched("x/in/a.md")}));
  folder_.write("x/in/a.md", "changed");
  EXPECT_EQ(settled(), (std::vector{touched("x/in/a.md")}));
}

TEST_F(FileWatcherTest, WatchesTheFolderThatTookThePlaceOfOneThatLeft) {
  const TempFolder outside;
  outside.write("from_outside/c.md", "c");
  folder_.write("x/a.md", "a");
  folder_.write("y/a.md", "a");
  folder_.write("z/b.md", "b");
  start();
  std::filesystem::rename(folder_ / "x", outside / "x");
  std::filesystem::rename(outside / "from_outside", folder_ / "x");
  std::filesystem::rename(folder_ / "y", outside / "y");
  std::filesystem::rename(folder_ / "z", folder_ / "y");
  settled();
  outside.write("x/a.md", "no longer ours");
  outside.write("y/a.md", "no longer ours");
  EXPECT_TRUE(settled().empty());
  folder_.write("x/c.md", "changed");
  folder_.write("y/b.md", "changed");
  EXPECT_EQ(settled(), (std::vector{touched("x/c.md"), touched("y/b.md")}));
}

TEST_F(FileWatcherTest, WatchesAFolderThatWasMadeUnderAnotherName) {
  start();
  folder_.write("new folder/in/a.md", "a");
  std::filesystem::rename(folder_ / "new folder", folder_ / "notes");  // before anybody could look
  settled();
  folder_.write("notes/in/a.md", "changed");
  EXPECT_EQ(settled(), (std::vector{touched("notes/in/a.md")}));
}

TEST_F(FileWatcherTest, TellsEveryFileOfATreeThatWasRemoved) {
  folder_.write("x/a.md", "a");
  folder_.write("x/y/b.md", "b");
  start();
  std::filesystem::remove_all(folder_ / "x");
  const auto changes = settled();
  EXPECT_NE(std::find(changes.begin(), changes.end(), touched("x/a.md")), changes.end());
  EXPECT_NE(std::find(changes.begin(), changes.end(), touched("x/y/b.md")), changes.end());
}

TEST_F(FileWatcherTest, SaysThatTheRootIsGone) {
  start();
  std::filesystem::rename(folder_.path(), folder_.path() + "-moved");
  EXPECT_EQ(settled().front().kind, Kind::RootGone);
  std::filesystem::rename(folder_.path() + "-moved", folder_.path());
}

TEST_F(FileWatcherTest, AsksForARescanWhenEventsWereLost) {
  start();
  int limit = 16384;
  if (FILE* file = std::fopen("/proc/sys/fs/inotify/max_queued_events", "r")) {
    ASSERT_EQ(std::fscanf(file, "%d", &limit), 1);
    std::fclose(file);
  }
  if (limit > 100'000) GTEST_SKIP() << "the queue of this machine is too long to be filled";
  folder_.write("a.md", "1");
  folder_.write("b.md", "1");
  for (int change = 0; change <= limit; ++change) {  // two names in turn, or the kernel merges equal neighbours
    ASSERT_EQ(::truncate((folder_ / (change % 2 == 0 ? "a.md" : "b.md")).c_str(), 1 + change % 7), 0);
  }
  EXPECT_EQ(settled(), (std::vector<DiskChange>{{Kind::Rescan, {}, {}}}));
  folder_.write("c.md", "still watched");
  EXPECT_EQ(settled(), (std::vector{touched("c.md")}));
}

}  // namespace
}  // namespace diaryx::native
