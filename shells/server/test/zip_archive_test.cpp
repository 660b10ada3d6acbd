#include "zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "temporary_folder.h"

namespace diaryx::server {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr ZipLimits kLimits{1 << 20, 100};

struct ZipArchive : testing::Test {
  std::filesystem::path written(const std::vector<ZipEntry>& entries) {
    const auto target = folder.path / "a.zip";
    const auto done = write_zip(target, entries);
    EXPECT_TRUE(done) << (done ? "" : done.error().sentence);
    return target;
  }
  TemporaryFolder folder;
};

TEST_F(ZipArchive, GivesBackTextsAndBlobs) {
  std::ofstream(folder.path / "blob", std::ios::binary) << std::string("\0\1\2", 3);
  const auto files = read_zip(
      written({{"notes/ä.md", "Grüße\n", {}}, {"a.png", "", folder.path / "blob"}, {"empty.txt", "", {}}}), kLimits);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ((*files)[0].path, "a.png");
  EXPECT_THAT((*files)[0].bytes, ElementsAre(0, 1, 2));
  EXPECT_THAT((*files)[1].bytes, IsEmpty());
  EXPECT_EQ((*files)[2].path, "notes/ä.md");
  EXPECT_EQ(as_text((*files)[2].bytes), "Grüße\n");
}

struct PathCase {
  const char* name;
  const char* path;
};
struct ZipBadPath : ZipArchive, testing::WithParamInterface<PathCase> {};

TEST_P(ZipBadPath, RefusesTheWholeArchive) {
  const auto files = read_zip(written({{"good.md", "x", {}}, {GetParam().path, "x", {}}}), kLimits);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ZipRefusal::Kind::BadPath);
}

INSTANTIATE_TEST_SUITE_P(Paths, ZipBadPath,
                         testing::Values(PathCase{"up", "../x.md"}, PathCase{"up_inside", "a/../../x.md"},
                                         PathCase{"absolute", "/etc/passwd"}, PathCase{"drive", "C:/x.md"},
                                         PathCase{"backslash", "..\\x.md"}, PathCase{"device", "a/aux.md"}),
                         [](const auto& info) { return info.param.name; });

TEST_F(ZipArchive, SkipsWhatSyncDoesNotCarry) {
  const auto files =
      read_zip(written({{".git/config", "x", {}}, {"__MACOSX/a.md", "x", {}}, {"a.md", "x", {}}}), kLimits);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].path, "a.md");
}

TEST_F(ZipArchive, StopsABombAtTheBound) {
  const auto bomb = read_zip(written({{"a.md", std::string(3 << 20, 'a'), {}}}), kLimits);
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().kind, ZipRefusal::Kind::TooLarge);
  EXPECT_EQ(read_zip(folder.path / "a.zip", {8 << 20, 0}).error().kind, ZipRefusal::Kind::TooLarge);
  EXPECT_TRUE(read_zip(folder.path / "a.zip", {8 << 20, 1}));
}

TEST_F(ZipArchive, RefusesWhatIsNoArchive) {
  for (const std::string& content :
       {std::string(), std::string("hello"), std::string("PK\3\4garbage that goes on for a while")}) {
    std::ofstream(folder.path / "b.zip", std::ios::binary | std::ios::trunc) << content;
    const auto files = read_zip(folder.path / "b.zip", kLimits);
    ASSERT_FALSE(files) << content;
    EXPECT_EQ(files.error().kind, ZipRefusal::Kind::NotAZip);
  }
}

TEST_F(ZipArchive, RefusesADamagedEntry) {
  const auto path = written({{"a.md", std::string(1000, 'a') + std::string(1000, 'b'), {}}});
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(40);
  file << "XXXX";
  file.close();
  const auto files = read_zip(path, kLimits);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ZipRefusal::Kind::NotAZip);
}

}  // namespace
}  // namespace diaryx::server
