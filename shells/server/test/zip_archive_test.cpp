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
  static std::string slurp_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
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

TEST_F(ZipArchive, CarriesWhatIsSaidOfAnEntry) {
  const auto files =
      read_zip(written({{"a.md", "x", {}}, {.path = "b.txt", .text = "y", .comment = "Grüße"}}), kLimits);
  ASSERT_TRUE(files);
  EXPECT_EQ((*files)[0].comment, "");
  EXPECT_EQ((*files)[1].comment, "Grüße");
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
                                         PathCase{"backslash", "..\\x.md"}, PathCase{"device", "a/aux.md"},
                                         PathCase{"up_from_here", "./../x.md"}, PathCase{"up_later", "a/.//../x.md"},
                                         PathCase{"absolute_twice", "//x.md"}, PathCase{"absolute_here", "/./x.md"},
                                         PathCase{"twice", "./good.md"}),
                         [](const auto& info) { return info.param.name; });

TEST_F(ZipArchive, ReadsNamesAsOtherToolsWriteThem) {
  const auto files = read_zip(
      written({{"./a.md", "x", {}}, {"b//c.md", "x", {}}, {"./d/./e.md", "x", {}}, {"./.git/config", "x", {}}}),
      kLimits);
  ASSERT_TRUE(files) << files.error().sentence;
  std::vector<std::string> paths;
  for (const UnpackedFile& file : *files) paths.push_back(file.path);
  EXPECT_THAT(paths, ElementsAre("a.md", "b/c.md", "d/e.md"));
}

TEST_F(ZipArchive, RefusesAPathThatStandsThereTwice) {
  auto archive = slurp_of(written({{"a.md", "one", {}}, {"b.md", "two", {}}}));
  for (size_t at = archive.find("b.md"); at != std::string::npos; at = archive.find("b.md")) archive[at] = 'a';
  std::ofstream(folder.path / "twice.zip", std::ios::binary) << archive;
  const auto files = read_zip(folder.path / "twice.zip", kLimits);
  ASSERT_FALSE(files);
  EXPECT_NE(files.error().sentence, "");
}

TEST_F(ZipArchive, SkipsWhatSyncDoesNotCarry) {
  const auto files =
      read_zip(written({{".git/config", "x", {}}, {"__MACOSX/a.md", "x", {}}, {"a.md", "x", {}}}), kLimits);
  ASSERT_TRUE(files);
  ASSERT_EQ(files->size(), 1u);
  EXPECT_EQ((*files)[0].path, "a.md");
}

TEST_F(ZipArchive, TakesNoLinkForAText) {
  auto archive = slurp_of(written({{"a.md", "x", {}}, {"link.md", "../a.md", {}}}));
  const size_t entry = archive.rfind("link.md") - 46;  // in the directory
  archive.replace(entry + 40, 2, std::string("\xff\xa1", 2));  // a link with mode 0777
  std::ofstream(folder.path / "link.zip", std::ios::binary) << archive;
  const auto files = read_zip(folder.path / "link.zip", kLimits);
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

TEST_F(ZipArchive, IsNotOpenedToCountItsEntries) {
  auto archive = slurp_of(written({{"a.md", "x", {}}}));
  const auto number = [](uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
    return text;
  };
  const size_t end = archive.rfind("PK\5\6");
  const std::string large_end =
      "PK\6\6" + number(44, 8) + std::string(12, '\0') + number(101, 8) + number(101, 8) + number(47, 8) + number(0, 8);
  archive.insert(end, large_end + "PK\6\7" + number(0, 4) + number(end, 8) + number(1, 4));
  std::ofstream(folder.path / "many.zip", std::ios::binary) << archive;
  const auto files = read_zip(folder.path / "many.zip", kLimits);
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().kind, ZipRefusal::Kind::TooLarge) << files.error().sentence;
}

TEST_F(ZipArchive, AddsUpTheNamedSizesBeforeAnythingIsUnpacked) {
  const auto archive =
      written({{"a.bin", std::string(600 << 10, 'a'), {}}, {"b.bin", std::string(600 << 10, 'b'), {}}});
  int files = 0;
  const ZipSpool spool{.new_file = [&] { return folder.path / std::to_string(files++); },
                       .takes = [](const std::string&, uint64_t) { return true; }};
  const auto bomb = read_zip(archive, kLimits, spool);
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().kind, ZipRefusal::Kind::TooLarge);
  EXPECT_EQ(files, 0);
}

TEST_F(ZipArchive, KeepsInMemoryOnlyWhatTheSpoolDoesNotTake) {
  const std::string picture(500 << 10, 'p');
  const auto archive = written({{"a.png", picture, {}}, {"b.md", "text", {}}});
  const ZipSpool spool{
      .new_file = [&] { return folder.path / "spooled"; },
      .takes = [](const std::string& path, uint64_t size) { return path == "a.png" && size == 500 << 10; }};
  {
    const auto files = read_zip(archive, {1 << 20, 2, 4}, spool);
    ASSERT_TRUE(files);
    ASSERT_EQ(files->size(), 2u);
    EXPECT_EQ((*files)[0].size_bytes, picture.size());
    EXPECT_EQ((*files)[0].hash, sha256(picture));
    EXPECT_THAT((*files)[0].bytes, IsEmpty());
    EXPECT_EQ(std::filesystem::file_size((*files)[0].file->path()), picture.size());
    EXPECT_EQ(as_text((*files)[1].bytes), "text");
    EXPECT_EQ((*files)[1].file, nullptr);
  }
  EXPECT_FALSE(std::filesystem::exists(folder.path / "spooled"));
  const auto too_much = read_zip(archive, {1 << 20, 2, 3}, spool);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().kind, ZipRefusal::Kind::TooLarge);
}

TEST_F(ZipArchive, StopsAnEntryThatIsLargerThanItSays) {
  for (const bool to_file : {false, true}) {
    auto archive = slurp_of(written({{"a.bin", std::string(3 << 20, 'a'), {}}}));
    const std::string said("\0\0\x30\0", 4);  // 3 MiB, in the directory and before the entry
    for (size_t at = archive.find(said); at != std::string::npos; at = archive.find(said))
      archive.replace(at, 4, "\1\0\0\0", 4);
    std::ofstream(folder.path / "liar.zip", std::ios::binary | std::ios::trunc) << archive;
    const ZipSpool spool{.new_file = [&] { return folder.path / "spooled"; },
                         .takes = [to_file](const std::string&, uint64_t) { return to_file; }};
    const auto files = read_zip(folder.path / "liar.zip", kLimits, spool);
    ASSERT_FALSE(files);
    EXPECT_FALSE(std::filesystem::exists(folder.path / "spooled"));
    std::filesystem::remove(folder.path / "a.zip");
  }
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
