// For which restore a batch works: the one that was asked for, or the one whose work the disk shows later.
#include "replica/restores.h"

#include <gtest/gtest.h>

namespace diaryx::sync {
namespace {

TEST(Restores, WorkForOneUntilTheBatchEnds) {
  Restores restores;
  EXPECT_FALSE(restores.is_under_way());
  restores.begin("first");
  EXPECT_TRUE(restores.is_under_way());
  EXPECT_EQ(restores.id(), "first");
  restores.end_batch();
  EXPECT_FALSE(restores.is_under_way());
  EXPECT_EQ(restores.id(), "");
}

TEST(Restores, GoOnWhenTheDiskHasGivenTheOldName) {
  Restores restores;
  restores.begin("first");
  restores.await_rename("new.md", "old.md");
  restores.end_batch();

  restores.on_renamed("other.md", "old.md");
  EXPECT_FALSE(restores.is_under_way()) << "somebody's rename";
  restores.on_renamed("new.md", "old.md");
  EXPECT_EQ(restores.id(), "first");
  restores.end_batch();
  restores.on_renamed("new.md", "old.md");
  EXPECT_FALSE(restores.is_under_way()) << "it was awaited once";
}

TEST(Restores, EndWhenTheFileGetsAnotherNameOrNone) {
  Restores restores;
  restores.begin("first");
  restores.await_rename("a.md", "old a.md");
  restores.await_rename("b.md", "old b.md");
  restores.end_batch();

  restores.on_renamed("a.md", "elsewhere.md");
  restores.on_renamed("a.md", "old a.md");
  EXPECT_FALSE(restores.is_under_way()) << "a user was faster";
  restores.on_name_refused("old b.md");
  restores.on_renamed("b.md", "old b.md");
  EXPECT_FALSE(restores.is_under_way()) << "a user did what the disk had refused us";
}

TEST(Restores, GoOnWhenAFileIsReadBack) {
  Restores restores;
  restores.await_file("back.md", "of an earlier run");
  EXPECT_FALSE(restores.is_under_way());
  EXPECT_FALSE(restores.on_file_read("another.md"));
  EXPECT_FALSE(restores.is_under_way());
  EXPECT_TRUE(restores.on_file_read("back.md"));
  EXPECT_EQ(restores.id(), "of an earlier run");
  EXPECT_FALSE(restores.on_file_read("back.md"));

  restores.await_file("back.md", "first");
  restores.await_file("back.md", "second");
  EXPECT_TRUE(restores.on_file_read("back.md"));
  EXPECT_EQ(restores.id(), "second");
}

TEST(Restores, NameTheirWritersOnce) {
  Restores restores;
  restores.add_writer(7);
  restores.add_writer(7);
  restores.add_writer(3);
  EXPECT_EQ(restores.take_writers(), (std::set<uint64_t>{3, 7}));
  EXPECT_TRUE(restores.take_writers().empty());
}

}  // namespace
}  // namespace diaryx::sync
