#include "diaryx/native/name_traits.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "temp_folder.h"

namespace diaryx::native {
namespace {

struct NameTraitsTest : testing::Test {
  TempFolder folder;
  RootFolder root = std::move(*RootFolder::open(folder.path()));
};

TEST_F(NameTraitsTest, AgreeWithWhatTheDiskDoes) {
  const auto traits = probe_names(root, {});
  ASSERT_TRUE(traits) << traits.error().sentence;
  folder.write("some-name.md", "x");
  EXPECT_EQ(std::filesystem::exists(folder / "SOME-NAME.MD"), traits->case_insensitive);
  folder.write("\xc3\xa4.md", "x");
  EXPECT_EQ(std::filesystem::exists(folder / "a\xcc\x88.md"), traits->normalising);
  folder.write("what?.md", "x");
  if (!std::filesystem::exists(folder / "what?.md")) EXPECT_TRUE(traits->windows_names);
}

TEST_F(NameTraitsTest, LeaveNothingBehind) {
  folder.write(".diaryx/config.json", "{}");
  ASSERT_TRUE(probe_names(root, ".diaryx"));
  ASSERT_TRUE(probe_names(root, ".diaryx"));
  size_t files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path()))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 1u);
}

TEST_F(NameTraitsTest, CannotBeFoundOutWhereNothingCanBeWritten) { EXPECT_FALSE(probe_names(root, "missing")); }

TEST_F(NameTraitsTest, APathIsListedAsItsFoldersSpellIt) {
  folder.write("Notes/a.md", "x");
  EXPECT_EQ(*listed_path(root, "Notes/a.md"), "Notes/a.md");
  const bool insensitive = probe_names(root, {})->case_insensitive;
  EXPECT_EQ(listed_path(root, "notes/A.md").value_or("nothing"), insensitive ? "Notes/a.md" : "nothing");
  EXPECT_FALSE(listed_path(root, "missing/a.md"));
}

}  // namespace
}  // namespace diaryx::native
