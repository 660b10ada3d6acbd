#include "diaryx/sync/path.h"

#include <gtest/gtest.h>

#include "diaryx/base/utf.h"

namespace diaryx::sync {
namespace {

TEST(Path, NormalisesAsPeersDo) {
  EXPECT_EQ(normalize_key("notes\\day.md"), "notes/day.md");
  EXPECT_EQ(normalize_key("././a.md"), "a.md");
  EXPECT_EQ(normalize_key("//a.md"), "a.md");
  EXPECT_EQ(normalize_key(".//a.md"), "a.md");
  EXPECT_EQ(normalize_key("/./x"), "./x");  // `./` goes before `/`, once
  EXPECT_EQ(normalize_key("a/../b"), "a/../b");
  EXPECT_EQ(normalize_key(""), "");
}

struct RefusedCase {
  const char* name;
  std::string path;
  PathProblem problem;
};

class RefusedPath : public testing::TestWithParam<RefusedCase> {};

TEST_P(RefusedPath, T30IsRefusedBeforeItReachesADisk) {
  EXPECT_EQ(check_path(GetParam().path), GetParam().problem) << describe(check_path(GetParam().path));
  const auto parsed = parse_disk_path(GetParam().path);
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::InvalidPath);
}

INSTANTIATE_TEST_SUITE_P(Path, RefusedPath,
                         testing::Values(RefusedCase{"empty", "", PathProblem::Empty},
                                         RefusedCase{"up", "../x", PathProblem::ParentStep},
                                         RefusedCase{"up_inside", "a/../../x", PathProblem::ParentStep},
                                         RefusedCase{"up_at_the_end", "a/..", PathProblem::ParentStep},
                                         RefusedCase{"up_in_windows_clothes", "a/.. /x", PathProblem::ParentStep},
                                         RefusedCase{"three_dots", ".../x", PathProblem::ParentStep},
                                         RefusedCase{"only_spaces", "a/  ", PathProblem::ParentStep},
                                         RefusedCase{"here", "a/./b", PathProblem::DotComponent},
                                         RefusedCase{"absolute", "/etc/passwd", PathProblem::Absolute},
                                         RefusedCase{"drive", "C:/x.md", PathProblem::DriveLetter},
                                         RefusedCase{"drive_relative", "c:x.md", PathProblem::DriveLetter},
                                         RefusedCase{"backslash", "a\\b.md", PathProblem::Backslash},
                                         RefusedCase{"doubled_slash", "a//b.md", PathProblem::EmptyComponent},
                                         RefusedCase{"trailing_slash", "a/", PathProblem::EmptyComponent},
                                         RefusedCase{"nul", std::string("a\0b", 3), PathProblem::ControlCharacter},
                                         RefusedCase{"newline", "a\nb.md", PathProblem::ControlCharacter},
                                         RefusedCase{"delete", "a\x7f", PathProblem::ControlCharacter},
                                         RefusedCase{"c1", "a\u0085.md", PathProblem::ControlCharacter},
                                         RefusedCase{"device", "aux.md", PathProblem::DeviceName},
                                         RefusedCase{"device_folder", "notes/CON/x.md", PathProblem::DeviceName},
                                         RefusedCase{"device_number", "Com1", PathProblem::DeviceName},
                                         RefusedCase{"device_superscript", "lpt\u00b2.txt", PathProblem::DeviceName},
                                         RefusedCase{"device_with_space", "nul .txt", PathProblem::DeviceName},
                                         RefusedCase{"not_utf8", "a\xff.md", PathProblem::NotUtf8},
                                         RefusedCase{"too_long", std::string(214, 'a'), PathProblem::TooLong}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Path, AcceptsNamesThatOnlySomeDisksRefuse) {
  for (const char* path :
       {"a.md", "notes/2024/Tag 1.md", "é/😀.md", "what?.md", "ab:c.md", "trailing .", "a /b", ".env", "..a", "a..",
        "com", "com0", "com10.md", "console.md", "auxiliary.md", "nul_.md", "~/x"})
    EXPECT_EQ(check_path(path), PathProblem::Fine) << path << ": " << describe(check_path(path));
}

TEST(Path, T26AcceptsKeysUpToTheWidthOfAFrame) {
  EXPECT_TRUE(parse_path(std::string(213, 'a')));
  EXPECT_FALSE(parse_path(std::string(214, 'a')));
  EXPECT_TRUE(parse_path("./" + std::string(213, 'a')));
  EXPECT_FALSE(parse_path(std::string(1u << 20, '/')));
}

TEST(Path, ParsesWhatAPeerSendsAndNotWhatADiskSays) {
  EXPECT_EQ(parse_path("\\notes\\day.md")->str(), "notes/day.md");
  EXPECT_FALSE(parse_disk_path("notes\\day.md"));
}

TEST(Path, CarriesNotesAndPicturesAndDotFiles) {
  for (const char* path : {"a.md", "img/a.png", ".gitignore", ".config/x", "notes/.env", "bak", "a.tmp.md", "gitx/a",
                           ".github/workflows/x.yml", "thumbs.db.md"})
    EXPECT_TRUE(is_carried(path)) << path;
}

TEST(Path, LeavesPrivateFoldersAndJunkAlone) {
  for (const char* path : {".git/config", "sub/.git/hooks/post-commit", ".GIT/config", ".git./config",
                           ".g\u200cit/config", "GIT~1/config", ".diaryx/state.db", ".git", "a/.DS_Store", "Thumbs.db",
                           "x/desktop.ini", "__MACOSX/a.md", "a.tmp", "b.md.bak", "c.swap", "x/D.TMP", ""})
    EXPECT_FALSE(is_carried(path)) << path;
}

TEST(Path, KnowsMarkdownByItsEnding) {
  EXPECT_TRUE(is_markdown("a.md"));
  EXPECT_TRUE(is_markdown("notes/README.MD"));
  EXPECT_FALSE(is_markdown("notes/.md"));
  EXPECT_FALSE(is_markdown("a.mdx"));
  EXPECT_FALSE(is_markdown("a.md/b"));
}

TEST(Path, TakesPathsApart) {
  EXPECT_EQ(file_name("a/b.c.md"), "b.c.md");
  EXPECT_EQ(stem("a/b.c.md"), "b.c");
  EXPECT_EQ(extension("a/b.c.md"), ".md");
  EXPECT_EQ(stem("a/.env"), ".env");
  EXPECT_EQ(extension("a/.env"), "");
  EXPECT_EQ(parent("a/b/c.md"), "a/b");
  EXPECT_EQ(parent("c.md"), "");
  EXPECT_EQ(join("", "c.md"), "c.md");
  EXPECT_EQ(join("a/b", "c.md"), "a/b/c.md");
}

TEST(Path, ResolvesWithoutLeavingTheRoot) {
  EXPECT_EQ(resolve("a/b", "../c.md"), "a/c.md");
  EXPECT_EQ(resolve("a", "./c.md"), "a/c.md");
  EXPECT_EQ(resolve("a", "/c.md"), "c.md");
  EXPECT_EQ(resolve("", "c//d.md"), "c/d.md");
  EXPECT_EQ(resolve("a", "../../c.md"), std::nullopt);
  EXPECT_EQ(resolve("", ".."), std::nullopt);
}

TEST(Path, NamesConflictCopiesByTheirContent) {
  const Sha256 hash = sha256("theirs");
  const std::string mark = " (conflict " + hash.hex().substr(0, 8) + ")";
  EXPECT_EQ(conflict_copy(WorkspacePath{"a/note.md"}, hash).str(), "a/note" + mark + ".md");
  EXPECT_EQ(conflict_copy(WorkspacePath{"Makefile"}, hash).str(), "Makefile" + mark);
  const WorkspacePath once = conflict_copy(WorkspacePath{"note.md"}, sha256("ours"));
  EXPECT_EQ(conflict_copy(once, hash).str(), "note" + mark + ".md");
}

TEST(Path, ConflictCopiesOfLongNamesStayWithinTheLimit) {
  std::string name;
  while (name.size() < 205) name += "😀";
  const WorkspacePath copy = conflict_copy(WorkspacePath{name + ".md"}, sha256("x"));
  EXPECT_EQ(check_path(copy.view()), PathProblem::Fine);
  EXPECT_TRUE(is_valid_utf8(copy.view()));
  EXPECT_LE(copy.str().size(), kMaxKeyBytes);
}

}  // namespace
}  // namespace diaryx::sync
