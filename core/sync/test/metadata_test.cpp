#include "diaryx/sync/metadata.h"

#include <gtest/gtest.h>

#include "diaryx/sync/frontmatter.h"

namespace diaryx::sync {
namespace {

// The value of E8 in docs/protocol.md.
constexpr std::string_view kExample =
    R"({"filename":"a.md","title":"A","part_of":null,"contents":null,"attachments":[],"deleted":false,)"
    R"("audience":null,"description":null,"extra":{},"modified_at":1700000000000})";

FileMetadata read(std::string_view json) {
  const auto metadata = parse_metadata(json);
  EXPECT_TRUE(metadata) << (metadata ? "" : describe(metadata.error()));
  return metadata ? metadata->value : FileMetadata{};
}

TEST(Metadata, E8IsWrittenToTheByte) {
  FileMetadata metadata;
  metadata.filename = "a.md";
  metadata.title = "A";
  metadata.modified_at = TimestampMs{1'700'000'000'000};
  EXPECT_EQ(format_metadata(metadata), kExample);
  EXPECT_EQ(kExample.size(), 169u);
}

TEST(Metadata, GoesBothWaysWithEveryMemberSet) {
  constexpr std::string_view kFull =
      R"({"filename":"a.md","title":"Ä \"q\"","part_of":"index.md","contents":["b.md","c/d.md"],"attachments":[)"
      R"({"path":"x/p.png","source":"local","hash":"ab","mime_type":"image/png","size":12,"uploaded_at":5,)"
      R"("deleted":false},{"path":"q.pdf","source":"pending","hash":"","mime_type":"","size":0,"uploaded_at":null,)"
      R"("deleted":true}],"deleted":true,"audience":[],"description":"d","extra":{"z":[1,2.5,"x"],"a":{"b":null}},)"
      R"("modified_at":-3})";
  const auto metadata = parse_metadata(kFull);
  ASSERT_TRUE(metadata);
  EXPECT_FALSE(metadata->repaired);
  EXPECT_EQ(format_metadata(metadata->value), kFull);
}

TEST(Metadata, AnEmptyListOfContentsIsNotTheSameAsNone) {
  EXPECT_TRUE(read(R"({"contents":[]})").contents.has_value());
  EXPECT_FALSE(read(R"({"contents":null})").contents.has_value());
}

TEST(Metadata, RepairsWhatOthersCannotRead) {
  const auto metadata = parse_metadata(
      R"({"filename":7,"title":12,"description":true,"part_of":["x"],"contents":["a.md",3,"b.md"],"audience":"me",)"
      R"("attachments":["p.png",4,{"path":"q.png"}],"deleted":"yes","extra":[],"modified_at":1.9,"created":1})");
  ASSERT_TRUE(metadata);
  EXPECT_TRUE(metadata->repaired);
  const FileMetadata& m = metadata->value;
  EXPECT_EQ(m.filename, "");
  EXPECT_EQ(m.title, "12");
  EXPECT_EQ(m.description, "true");
  EXPECT_EQ(m.part_of, std::nullopt);
  EXPECT_EQ(m.contents, (std::vector<std::string>{"a.md", "b.md"}));
  EXPECT_EQ(m.audience, (std::vector<std::string>{"me"}));
  ASSERT_EQ(m.attachments.size(), 2u);
  EXPECT_EQ(m.attachments[0], (BinaryRef{"p.png", "local", "", "", 0, std::nullopt, false}));
  EXPECT_EQ(m.attachments[1].path, "q.png");
  EXPECT_FALSE(m.deleted);
  EXPECT_EQ(m.modified_at.value(), 1);
}

TEST(Metadata, RefusesWhatIsNoObject) {
  EXPECT_EQ(parse_metadata("[]").error().code, ErrorCode::InvalidMetadata);
  EXPECT_EQ(parse_metadata("").error().code, ErrorCode::InvalidJson);
  EXPECT_EQ(parse_metadata(std::string(kMaxMetadataBytes + 1, ' ')).error().code, ErrorCode::TooLarge);
  std::string deep = R"({"extra":{"a":)" + std::string(70, '[') + std::string(70, ']') + "}}";
  EXPECT_EQ(parse_metadata(deep).error().code, ErrorCode::TooDeep);
}

TEST(Metadata, ContentEqualLooksAtEverythingButTheTime) {
  FileMetadata a = read(kExample), b = a;
  b.modified_at = TimestampMs{5};
  EXPECT_TRUE(content_equal(a, b));
  b.title = "B";
  EXPECT_FALSE(content_equal(a, b));
  a.extra = {{"x", 1}, {"y", 2}};
  b = a;
  b.extra = {{"y", 2}, {"x", 1}};
  EXPECT_TRUE(content_equal(a, b));
  b.extra = {{"y", 2}, {"x", 2}};
  EXPECT_FALSE(content_equal(a, b));
  b.extra = {{"y", 2}};
  EXPECT_FALSE(content_equal(a, b));
}

TEST(BinaryRef, GoesBothWays) {
  constexpr std::string_view kRef =
      R"({"path":"p.png","source":"local","hash":"00","mime_type":"image/png","size":9007199254740992,)"
      R"("uploaded_at":null,"deleted":false})";
  const auto ref = parse_binary_ref(kRef);
  ASSERT_TRUE(ref);
  EXPECT_FALSE(ref->repaired);
  EXPECT_EQ(format_binary_ref(ref->value), kRef);
  EXPECT_EQ(parse_binary_ref("{}").error().code, ErrorCode::InvalidMetadata);
  EXPECT_EQ(parse_binary_ref(R"({"path":"p","size":-1})")->value.size, 0u);
}

FileMetadata derive(std::string_view head, const char* path = "notes/day.md") {
  const auto front = Frontmatter::parse(head);
  EXPECT_TRUE(front) << (front ? "" : describe(front.error()));
  return derive_metadata(front.value_or(Frontmatter{}), WorkspacePath{path}, TimestampMs{99});
}

TEST(DerivedMetadata, FollowsTheRulesForFileEvents) {
  const FileMetadata m = derive(
      "---\n"
      "title: My day\n"
      "part_of: '[Index](/notes/index.md)'\n"
      "contents:\n"
      "  - '[A](a.md)'\n"
      "  - ../b.md\n"
      "  - 7\n"
      "attachments: [\"[p](</pics/a b.png>)\"]\n"
      "audience: family\n"
      "description: text\n"
      "updated: \"2023-11-14T22:13:20.000+00:00\"\n"
      "tags: [x, y]\n"
      "filename: other.md\n"
      "_private: 1\n"
      "---\n");
  EXPECT_EQ(m.filename, "day.md");
  EXPECT_EQ(m.title, "My day");
  EXPECT_EQ(m.part_of, "notes/index.md");
  EXPECT_EQ(m.contents, (std::vector<std::string>{"notes/a.md", "b.md"}));
  ASSERT_EQ(m.attachments.size(), 1u);
  EXPECT_EQ(m.attachments[0], (BinaryRef{"pics/a b.png", "local", "", "", 0, std::nullopt, false}));
  EXPECT_EQ(m.audience, (std::vector<std::string>{"family"}));
  EXPECT_EQ(m.modified_at.value(), 1'700'000'000'000);
  EXPECT_EQ(Json(m.extra).dump(), R"({"tags":["x","y"],"filename":"other.md"})");
}

TEST(DerivedMetadata, TakesOnlyTextsForTitles) {
  EXPECT_EQ(derive("---\ntitle: 2024\ndescription: true\n---\n").title, std::nullopt);
  EXPECT_EQ(derive("---\ntitle: '2024'\n---\n").title, "2024");
}

TEST(DerivedMetadata, OfAFileWithoutFrontmatterIsBare) {
  const FileMetadata m = derive("");
  EXPECT_EQ(m.filename, "day.md");
  EXPECT_EQ(m.modified_at.value(), 99);
  EXPECT_FALSE(m.contents);
}

TEST(DerivedMetadata, ReadsTimesInEveryForm) {
  EXPECT_EQ(derive("---\nupdated: 1234\n---\n").modified_at.value(), 1234);
  EXPECT_EQ(derive("---\nupdated: 1234.9\n---\n").modified_at.value(), 1234);
  EXPECT_EQ(derive("---\nupdated: '1234'\n---\n").modified_at.value(), 1234);
  EXPECT_EQ(derive("---\nupdated: -5\n---\n").modified_at.value(), -5);
  EXPECT_EQ(derive("---\nupdated: yesterday\n---\n").modified_at.value(), 99);
  EXPECT_EQ(derive("---\nupdated: [1]\n---\n").modified_at.value(), 99);
}

}  // namespace
}  // namespace diaryx::sync
