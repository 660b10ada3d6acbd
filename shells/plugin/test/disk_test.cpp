#include "disk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fake_host.h"

namespace diaryx::plugin {
namespace {

using testing::ElementsAre;

Disk disk_at(std::string_view root) {
  fake_host() = {};
  Disk disk;
  disk.set_root(root);
  return disk;
}

TEST(Disk, NamesOneFileInOneWay) {
  const Disk native = disk_at("/home/u/ws/");
  for (const std::string path : {"/home/u/ws/notes/a.md", "notes/a.md", "./notes/a.md", "/notes/a.md", "notes\\a.md"}) {
    EXPECT_EQ(native.to_workspace(path), "notes/a.md") << path;
  }
  EXPECT_EQ(native.to_workspace("/home/u/ws2/a.md"), "home/u/ws2/a.md");
  EXPECT_EQ(native.to_host("notes/a.md"), "/home/u/ws/notes/a.md");
  const Disk web = disk_at(".");
  EXPECT_EQ(web.to_host("a.md"), "a.md");
  EXPECT_EQ(web.to_workspace("./a.md"), "a.md");
  EXPECT_EQ(disk_at("my ws").to_workspace("my ws/a.md"), "a.md");
  // Web hosts leave `./` out of some paths and not of others.
  for (const std::string root : {"./notes", "notes", ".\\notes/"}) {
    EXPECT_EQ(disk_at(root).to_workspace("notes/a.md"), "a.md") << root;
    EXPECT_EQ(disk_at(root).to_workspace("./notes/a.md"), "a.md") << root;
    EXPECT_EQ(disk_at(root).to_host("a.md"), "notes/a.md") << root;
  }
}

// A root that is spelled in another way than the paths below it would make strangers of all of them.
TEST(Disk, TakesRepeatedSlashesAndStepsToWhereOneIsForNothing) {
  for (const std::string root : {"/home/u/ws", "/home/u/ws/.", "/home//u/./ws/", "/home/u/ws/./"}) {
    EXPECT_EQ(disk_at(root).to_host("a.md"), "/home/u/ws/a.md") << root;
    for (const std::string path :
         {"/home/u/ws/notes/a.md", "/home/u//ws/./notes/a.md", "notes//a.md", "./notes/./a.md"})
      EXPECT_EQ(disk_at(root).to_workspace(path), "notes/a.md") << root << " " << path;
  }
  EXPECT_EQ(disk_at("\\\\machine\\ws").to_host("a.md"), "//machine/ws/a.md");
  EXPECT_EQ(disk_at("..").to_workspace("../notes/.hidden.md"), "notes/.hidden.md");
}

TEST(Disk, ListsFilesThatAreCarriedAndNoFolders) {
  const Disk disk = disk_at("W");
  fake_host().files = {{"W/a.md", {}},      {"W/a/b.md", {}}, {"W/.diaryx/x", {}},
                       {"W/.git/HEAD", {}}, {"W/.env", {}},   {"V/c.md", {}}};
  fake_host().folders = {"W/a", "W/.git", "W/.diaryx"};
  EXPECT_THAT(disk.list(), ElementsAre(".env", "a.md", "a/b.md"));
}

TEST(Disk, DropsAFolderEvenWhenAFileSortsBetweenItAndItsContent) {
  EXPECT_THAT(without_folders({"a/b", "a.md", "a", "a"}), ElementsAre("a.md", "a/b"));
}

TEST(Disk, TellsAMissingFileFromOneThatCannotBeRead) {
  const Disk disk = disk_at(".");
  fake_host().files["a"] = {1};
  fake_host().folders.insert("b");
  EXPECT_EQ(disk.look("a").state, Look::State::Read);
  EXPECT_EQ(disk.look("b").state, Look::State::Unreadable);
  EXPECT_EQ(disk.look("c").state, Look::State::Missing);
  EXPECT_EQ(disk.look("b").hash(), std::nullopt);
}

TEST(Disk, NoticesAWriteThatDidNotHappen) {
  const Disk disk = disk_at(".");
  EXPECT_TRUE(disk.write("a.md", as_bytes("x")).holds(as_bytes("x")));
  fake_host().stubborn = {"a.md", "b.md"};
  EXPECT_FALSE(disk.write("a.md", as_bytes("y")).holds(as_bytes("y")));
  EXPECT_FALSE(disk.write("b.md", as_bytes("y")).holds(as_bytes("y")));
  EXPECT_FALSE(disk.remove("a.md"));
}

}  // namespace
}  // namespace diaryx::plugin
