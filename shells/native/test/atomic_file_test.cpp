#include "diaryx/native/atomic_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <utility>
#include <vector>

#include "diaryx/native/name_traits.h"
#include "temp_folder.h"

namespace diaryx::native {
namespace {

class AtomicFile : public testing::Test {
 protected:
  AtomicFile() : root_(std::move(*RootFolder::open(folder_.path()))) {}

  size_t staged_files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / kStagingFolder))
      count += entry.is_regular_file();
    return count;
  }

  TempFolder folder_;
  RootFolder root_;
};

TEST_F(AtomicFile, WritesANewFileAndItsFolders) {
  const auto verdict = write_file(root_, "a/b/new.md", as_bytes("text"), Expectation::absent());
  ASSERT_TRUE(verdict) << verdict.error().sentence;
  EXPECT_EQ(*verdict, Verdict::Done);
  EXPECT_EQ(folder_.read("a/b/new.md"), "text");
  EXPECT_EQ(staged_files(), 0u);
}

TEST_F(AtomicFile, DoesNotReplaceAFileThatAppeared) {
  folder_.write("new.md", "mine");
  EXPECT_EQ(*write_file(root_, "new.md", as_bytes("theirs"), Expectation::absent()), Verdict::DiskDiffers);
  EXPECT_EQ(folder_.read("new.md"), "mine");
  EXPECT_EQ(staged_files(), 0u);
}

TEST_F(AtomicFile, ReplacesExactlyWhatWasExpected) {
  folder_.write("a.md", "old");
  EXPECT_EQ(*write_file(root_, "a.md", as_bytes("new"), Expectation::content(sha256("old"))), Verdict::Done);
  EXPECT_EQ(folder_.read("a.md"), "new");
  EXPECT_EQ(staged_files(), 0u);
}

TEST_F(AtomicFile, LeavesAFileThatSomebodyChanged) {
  folder_.write("a.md", "edited meanwhile");
  EXPECT_EQ(*write_file(root_, "a.md", as_bytes("new"), Expectation::content(sha256("old"))), Verdict::DiskDiffers);
  EXPECT_EQ(folder_.read("a.md"), "edited meanwhile");
  EXPECT_EQ(staged_files(), 0u);
}

TEST_F(AtomicFile, DoesNotBringBackAFileThatSomebodyDeleted) {
  EXPECT_EQ(*write_file(root_, "a.md", as_bytes("new"), Expectation::content(sha256("old"))), Verdict::DiskDiffers);
  EXPECT_FALSE(folder_.has("a.md"));
}

TEST_F(AtomicFile, KeepsThePermissionsOfTheFileItReplaces) {
  folder_.write("private.md", "old");
  ASSERT_EQ(::chmod((folder_ / "private.md").c_str(), 0600), 0);
  EXPECT_EQ(*write_file(root_, "private.md", as_bytes("new"), Expectation::content(sha256("old"))), Verdict::Done);
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / "private.md").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST_F(AtomicFile, DoesNotWriteThroughALink) {
  const TempFolder outside;
  outside.write("target.md", "outside");
  std::filesystem::create_symlink(outside / "target.md", folder_ / "link.md");
  EXPECT_EQ(*write_file(root_, "link.md", as_bytes("new"), Expectation::content(sha256("outside"))),
            Verdict::DiskDiffers);
  EXPECT_EQ(*write_file(root_, "link.md", as_bytes("new"), Expectation::absent()), Verdict::DiskDiffers);
  EXPECT_EQ(outside.read("target.md"), "outside");
}

TEST_F(AtomicFile, ReportsAWayThatIsBlockedByAFile) {
  folder_.write("notes", "a file where a folder is wanted");
  const auto verdict = write_file(root_, "notes/a.md", as_bytes("x"), Expectation::absent());
  ASSERT_FALSE(verdict);
  EXPECT_NE(verdict.error().sentence.find("notes"), std::string::npos);
}

TEST_F(AtomicFile, StagesInPiecesAndTellsTheDigest) {
  auto staged = StagedFile::create(root_, "big.bin");
  ASSERT_TRUE(staged);
  for (int piece = 0; piece < 3; ++piece) ASSERT_TRUE(staged->append(as_bytes("0123456789")));
  EXPECT_EQ(staged->size_bytes(), 30u);
  EXPECT_EQ(*staged->finish(), sha256("012345678901234567890123456789"));
  EXPECT_FALSE(folder_.has("big.bin"));
  EXPECT_EQ(*staged->place(Expectation::absent()), Verdict::Done);
  EXPECT_EQ(folder_.read("big.bin").size(), 30u);
}

TEST_F(AtomicFile, FinishesManyFilesTogetherAndEachForItself) {
  std::vector<StagedFile> staged;
  std::vector<StagedFile*> files;
  constexpr size_t kMany = 100;  // more than wait at one time
  for (size_t i = 0; i < kMany; ++i) {
    staged.push_back(std::move(*StagedFile::create(root_, std::to_string(i) + ".md")));
    ASSERT_TRUE(staged.back().append(as_bytes("text " + std::to_string(i))));
  }
  for (StagedFile& file : staged) files.push_back(&file);
  const auto digests = finish_together(files);
  ASSERT_EQ(digests.size(), kMany);
  for (size_t i = 0; i < kMany; ++i) EXPECT_EQ(*digests[i], sha256(as_bytes("text " + std::to_string(i)))) << i;
  EXPECT_TRUE(finish_together({}).empty());
}

TEST_F(AtomicFile, ForgetsAStagedFileThatWasNotPlaced) {
  {
    auto staged = StagedFile::create(root_, "big.bin");
    ASSERT_TRUE(staged->append(as_bytes("half")));
    EXPECT_EQ(staged_files(), 1u);
  }
  EXPECT_EQ(staged_files(), 0u);
}

TEST_F(AtomicFile, RemovesOnlyTheExpectedContent) {
  folder_.write("notes/a.md", "text");
  EXPECT_EQ(*remove_file(root_, "notes/a.md", sha256("other")), Verdict::DiskDiffers);
  EXPECT_EQ(folder_.read("notes/a.md"), "text");
  EXPECT_EQ(*remove_file(root_, "notes/a.md", sha256("text")), Verdict::Done);
  EXPECT_FALSE(folder_.has("notes"));
  EXPECT_EQ(*remove_file(root_, "notes/a.md", sha256("text")), Verdict::Done);
}

TEST_F(AtomicFile, MakesManyFilesDurableTogether) {
  folder_.write("x/old.md", "old");
  FolderSyncs syncs;
  std::vector<StagedFile> staged;
  for (const char* path : {"x/a.md", "x/b.md", "y/c.md"}) {
    staged.push_back(std::move(*StagedFile::create(root_, path)));
    ASSERT_TRUE(staged.back().append(as_bytes(path)));
    staged.back().start_writing();
  }
  for (StagedFile& file : staged) {
    ASSERT_TRUE(file.finish());
    EXPECT_EQ(*file.place(Expectation::absent(), syncs), Verdict::Done);
  }
  EXPECT_EQ(*remove_file(root_, "x/old.md", sha256("old"), syncs), Verdict::Done);
  EXPECT_EQ(syncs.size(), 2u);
  EXPECT_TRUE(syncs.sync());
  EXPECT_EQ(syncs.size(), 0u);
  EXPECT_EQ(folder_.read("y/c.md"), "y/c.md");
  EXPECT_FALSE(folder_.has("x/old.md"));
}

TEST_F(AtomicFile, TakesTwoLinksToOneFileForTwoFiles) {
  folder_.write("a.md", "text");
  std::filesystem::create_hard_link(folder_ / "a.md", folder_ / "b.md");
  EXPECT_EQ(*move_file(root_, "a.md", "b.md", sha256("text")), Verdict::DiskDiffers);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "a.md"));
}

TEST_F(AtomicFile, MovesToAnotherCaseWhateverTheDiskThinksOfIt) {
  folder_.write("Notes/a.md", "text");
  EXPECT_EQ(*move_file(root_, "Notes/a.md", "notes/A.md", sha256("text")), Verdict::Done);
  EXPECT_EQ(*listed_path(root_, "notes/A.md"), "notes/A.md");
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path()))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 1u);
}

TEST_F(AtomicFile, MovesAndNeverReplaces) {
  folder_.write("a.md", "a");
  folder_.write("taken.md", "b");
  EXPECT_EQ(*move_file(root_, "a.md", "taken.md", sha256("a")), Verdict::DiskDiffers);
  EXPECT_EQ(*move_file(root_, "a.md", "x/b.md", sha256("another")), Verdict::DiskDiffers);
  EXPECT_EQ(*move_file(root_, "missing.md", "x/b.md", sha256("a")), Verdict::DiskDiffers);
  EXPECT_EQ(*move_file(root_, "a.md", "x/b.md", sha256("a")), Verdict::Done);
  EXPECT_EQ(folder_.read("x/b.md"), "a");
  EXPECT_FALSE(folder_.has("a.md"));
  EXPECT_EQ(folder_.read("taken.md"), "b");
}

TEST_F(AtomicFile, ClearsWhatACrashedRunLeftButNotWhatIsKept) {
  folder_.write(".diaryx/tmp/1-2.tmp", "half");
  folder_.write(".diaryx/tmp/1-3.tmp.kept", "somebody's text");
  clear_staging(root_);
  EXPECT_FALSE(folder_.has(".diaryx/tmp/1-2.tmp"));
  EXPECT_TRUE(folder_.has(".diaryx/tmp/1-3.tmp.kept"));
}

}  // namespace
}  // namespace diaryx::native
