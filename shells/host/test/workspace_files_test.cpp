#include "../src/workspace_files.h"

#include <gtest/gtest.h>

#include "../src/plugin_storage.h"
#include "temp_folder.h"

namespace diaryx::host {
namespace {

class WorkspaceFilesTest : public testing::Test {
 protected:
  native::TempFolder folder_;
  WorkspaceFiles files_ = *WorkspaceFiles::open(folder_.path());
};

TEST_F(WorkspaceFilesTest, TakesEverySpellingOfAPath) {
  const std::string root = files_.location();
  for (const std::string& path : {std::string("notes/a.md"), std::string("./notes/a.md"), root + "/notes/a.md",
                                  root + "/notes//b/../a.md", std::string("notes/./a.md")}) {
    EXPECT_EQ(files_.inside(path).value_or("refused"), "notes/a.md") << path;
  }
  EXPECT_EQ(files_.inside(".").value_or("refused"), "");
  EXPECT_EQ(files_.inside(root).value_or("refused"), "");
}

TEST_F(WorkspaceFilesTest, LeavesNothingOutsideInReach) {
  EXPECT_FALSE(files_.inside("/etc/passwd"));
  EXPECT_FALSE(files_.inside(files_.location() + "-other/a.md"));
  EXPECT_FALSE(files_.inside(".diaryx/plugin-state/x.bin"));
  EXPECT_EQ(files_.inside("../../a.md").value_or("refused"), "a.md");  // the folder is the top of the world
}

TEST_F(WorkspaceFilesTest, WritesReadsListsAndRemoves) {
  ASSERT_TRUE(files_.write("notes/a.md", as_bytes(std::string_view("one"))));
  ASSERT_TRUE(files_.write("notes/a.md", as_bytes(std::string_view("two"))));
  ASSERT_TRUE(files_.write("b.md", {}));
  EXPECT_EQ(as_text(*files_.read("notes/a.md")), "two");
  EXPECT_TRUE(files_.is_file("b.md"));
  EXPECT_FALSE(files_.is_file("notes"));
  EXPECT_EQ(files_.list(""),
            (std::vector<std::string>{files_.location() + "/b.md", files_.location() + "/notes/a.md"}));
  ASSERT_TRUE(files_.remove("notes/a.md"));
  EXPECT_FALSE(files_.read("notes/a.md"));
  EXPECT_FALSE(files_.remove("notes/a.md"));
}

TEST_F(WorkspaceFilesTest, KeepsKeysOfThePluginApartAndOutOfSight) {
  const PluginStorage storage(files_);
  ASSERT_TRUE(storage.set("body:a/b.md", as_bytes(std::string_view("1"))));
  ASSERT_TRUE(storage.set("body:a_b.md", as_bytes(std::string_view("2"))));
  EXPECT_EQ(as_text(*storage.get("body:a/b.md")), "1");
  EXPECT_EQ(as_text(*storage.get("body:a_b.md")), "2");
  EXPECT_FALSE(storage.get("body:a"));
  EXPECT_TRUE(files_.list("").empty());
}

}  // namespace
}  // namespace diaryx::host
