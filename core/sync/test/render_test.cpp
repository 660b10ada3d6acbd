#include "diaryx/sync/render.h"

#include <gtest/gtest.h>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {
namespace {

FileMetadata sample() {
  FileMetadata m;
  m.filename = "day.md";
  m.title = "My: day";
  m.part_of = "notes/index.md";
  m.contents = {"notes/a b.md"};
  m.audience = {"family"};
  m.description = "two\nlines";
  m.attachments = {{"pics/p.png", "local", "", "", 0, std::nullopt, false},
                   {"gone.png", "local", "", "", 0, std::nullopt, true}};
  m.extra = *Json::parse(R"({"tags":["x"],"updated":"old","_to":"x.md","deleted":true,"mood":"good"})")->as_object();
  m.modified_at = TimestampMs{1'700'000'000'000};
  return m;
}

TEST(Render, WritesKeysInTheOrderOfOldPeers) {
  EXPECT_EQ(render_head(sample()),
            "---\n"
            "title: \"My: day\"\n"
            "part_of: \"[Index](/notes/index.md)\"\n"
            "contents:\n"
            "  - \"[A B](</notes/a b.md>)\"\n"
            "audience:\n"
            "  - family\n"
            "description: \"two\\nlines\"\n"
            "attachments:\n"
            "  - \"[p.png](/pics/p.png)\"\n"
            "updated: \"2023-11-14T22:13:20.000+00:00\"\n"
            "tags:\n"
            "  - x\n"
            "mood: good\n"
            "---\n");
}

TEST(Render, T15ThereIsOneUpdatedWhateverExtraHolds) {
  const auto front = Frontmatter::parse(render_head(sample()));
  ASSERT_TRUE(front);
  EXPECT_FALSE(front->has_repeated_key());
}

TEST(Render, T16RoundTripsAddNoBlankLine) {
  const FileMetadata m = sample();
  std::string body = "\ntext\n";
  for (int i = 0; i < 3; ++i) body = split_frontmatter(render_file(m, body)).body;
  EXPECT_EQ(body, "\ntext\n");
}

TEST(Render, IsReadBackAsTheSameMetadata) {
  FileMetadata m = sample();
  m.attachments.pop_back();
  m.extra = *Json::parse(R"({"tags":["x"],"mood":"good"})")->as_object();
  const std::string file = render_file(m, "text");
  const auto front = Frontmatter::parse(split_frontmatter(file).head);
  ASSERT_TRUE(front);
  EXPECT_EQ(derive_metadata(*front, WorkspacePath{"notes/day.md"}, TimestampMs{0}), m) << file;
}

TEST(Render, AnIndexWithoutChildrenStaysAnIndex) {
  FileMetadata m;
  m.contents.emplace();
  EXPECT_NE(render_head(m).find("contents: []\n"), std::string::npos);
}

const std::string kHead =
    "---\n"
    "# my note\n"
    "tags: [a,  b]   # flow\n"
    "title: 'Old'\n"
    "contents:\n"
    "- \"[Custom title](a.md)\"\n"
    "- '/notes/b.md'\n"
    "updated: 5\n"
    "zeta: 1\n"
    "---\n";

FileMetadata derived(const std::string& head) {
  return derive_metadata(*Frontmatter::parse(head), WorkspacePath{"notes/day.md"}, TimestampMs{0});
}

TEST(MergeIntoHead, T17T18TouchesOnlyWhatAnOldPeerChanged) {
  const FileMetadata before = derived(kHead);
  FileMetadata after = before;
  after.title = "New";
  after.contents = {"notes/b.md", "notes/a.md", "notes/c.md"};
  after.modified_at = TimestampMs{7};
  const auto head = merge_into_head(kHead, "notes/day.md", before, after);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head,
            "---\n"
            "# my note\n"
            "tags: [a,  b]   # flow\n"
            "title: 'New'\n"
            "contents:\n"
            "- '/notes/b.md'\n"
            "- \"[Custom title](a.md)\"\n"
            "- \"[C](/notes/c.md)\"\n"
            "updated: 7\n"
            "zeta: 1\n"
            "---\n");
}

TEST(MergeIntoHead, ChangesNothingForEqualMetadata) {
  const FileMetadata m = derived(kHead);
  EXPECT_EQ(*merge_into_head(kHead, "notes/day.md", m, m), kHead);
  EXPECT_EQ(*merge_into_head("", "a.md", m, m), "");
}

TEST(MergeIntoHead, AddsAndRemovesKeys) {
  const FileMetadata before = derived(kHead);
  FileMetadata after = before;
  after.title.reset();
  after.contents.reset();
  after.part_of = "index.md";
  after.extra = *Json::parse(R"({"tags":["a","b"],"mood":"good","_h":"x"})")->as_object();
  const auto head = merge_into_head(kHead, "notes/day.md", before, after);
  ASSERT_TRUE(head);
  EXPECT_EQ(*head,
            "---\n# my note\ntags: [a,  b]   # flow\nupdated: 5\npart_of: \"[Index](/index.md)\"\nmood: good\n---\n");
}

TEST(MergeIntoHead, MakesABlockForAFileThatHasNone) {
  FileMetadata after;
  after.title = "T";
  after.modified_at = TimestampMs{9};
  EXPECT_EQ(*merge_into_head("", "a.md", FileMetadata{}, after), "---\ntitle: T\n---\n");
}

TEST(MergeIntoHead, LeavesABlockAloneThatItCannotRead) {
  FileMetadata after;
  after.title = "T";
  EXPECT_EQ(merge_into_head("---\na: &x 1\n---\n", "a.md", FileMetadata{}, after).error().code,
            ErrorCode::InvalidFrontmatter);
}

}  // namespace
}  // namespace diaryx::sync
