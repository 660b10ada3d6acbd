#include "replica/file_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "replica/workspace_doc.h"

namespace diaryx::sync {
namespace {

using Paths = std::set<std::string>;

enum class State : uint8_t { Live, Deleted };

std::optional<FileMetadata> entry(const std::string& id, State state = State::Live, const std::string& document = {}) {
  FileMetadata metadata;
  metadata.deleted = state == State::Deleted;
  if (!id.empty()) set_extra_text(metadata, kFileId, id);
  if (!document.empty()) set_extra_text(metadata, kDocument, document);
  return metadata;
}

TEST(FileIndex, KnowsNothingOfAPathThatWasNeverListed) {
  const FileIndex index;
  EXPECT_EQ(index.id_at("a.md"), "");
  EXPECT_EQ(index.live_path(""), std::nullopt);
  EXPECT_EQ(index.document_of("a.md"), "a.md");
  EXPECT_EQ(index.paths_with("a.md"), Paths{});
}

TEST(FileIndex, SaysWhetherAnotherFileOrDocumentIsThere) {
  FileIndex index;
  EXPECT_TRUE(index.note("a.md", entry("one")));
  EXPECT_FALSE(index.note("a.md", entry("one")));
  EXPECT_TRUE(index.note("a.md", entry("one", State::Live, "~one")));
  EXPECT_TRUE(index.note("a.md", entry("two", State::Live, "~one")));
  EXPECT_FALSE(index.note("a.md", entry("two", State::Deleted)));
  EXPECT_FALSE(index.note("a.md", std::nullopt));
  EXPECT_TRUE(index.note("a.md", entry("two")));
}

TEST(FileIndex, FindsAFileThatTwoDevicesRenamedAtOnceUnderBothNames) {
  FileIndex index;
  index.note("c.md", entry("one"));
  index.note("b.md", entry("one"));
  EXPECT_EQ(index.paths_of("one"), (Paths{"b.md", "c.md"}));
  EXPECT_EQ(index.live_path("one"), "b.md");
  index.note("b.md", entry("one", State::Deleted));
  EXPECT_EQ(index.live_path("one"), "c.md");
}

TEST(FileIndex, RemembersTheDocumentsThatAFileLeft) {
  FileIndex index;
  index.note("a.md", entry("one"));
  EXPECT_EQ(index.old_documents_of("one"), Paths{});
  index.note("a.md", entry("one", State::Live, "~one"));
  EXPECT_EQ(index.old_documents_of("one"), Paths{"a.md"});
  index.note("a.md", entry("two"));
  EXPECT_EQ(index.old_documents_of("one"), (Paths{"a.md", "~one"}));
  index.note("b.md", entry("one", State::Deleted));  // never seen alive
  EXPECT_EQ(index.old_documents_of("one"), (Paths{"a.md", "b.md", "~one"}));
  index.forget_old_document("one", "a.md");
  EXPECT_EQ(index.old_documents_of("one"), (Paths{"b.md", "~one"}));
}

TEST(FileIndex, TrustsNoIdAndNoDocumentThatCannotBeOne) {
  FileIndex index;
  EXPECT_FALSE(index.note("a.md", entry("no id/")));
  EXPECT_EQ(index.live_path("no id/"), std::nullopt);
  index.note("a.md", entry("one", State::Live, "b.md"));
  EXPECT_EQ(index.document_of("a.md"), "a.md");
  const std::string id_key = "01234567-89ab-cdef-0123-456789abcdef";
  EXPECT_FALSE(index.note(id_key, entry("two")));
  EXPECT_EQ(index.id_at(id_key), "");
}

TEST(FileIndex, AnswersAsIfItLookedAtEveryEntry) {
  std::mt19937_64 random(1);
  const std::vector<std::string> paths{"a.md", "b.md", "c.md"};
  const std::vector<std::string> ids{"", "one", "two", "three"};
  const std::vector<std::string> documents{"", "~one", "~two"};
  const auto pick = [&](const std::vector<std::string>& from) { return from[random() % from.size()]; };
  FileIndex index;
  std::map<std::string, std::optional<FileMetadata>> list;
  for (int step = 0; step < 2'000; ++step) {
    const std::string at = pick(paths);
    const State state = random() % 3 == 0 ? State::Deleted : State::Live;
    list[at] = random() % 8 == 0 ? std::nullopt : entry(pick(ids), state, pick(documents));
    const std::string before = index.document_of(at);
    const std::string left = index.id_at(at);
    index.note(at, list[at]);
    std::map<std::string, Paths> live;
    std::map<std::string, Paths> with;
    for (const auto& [path, said] : list) {
      const std::string id = said && !said->deleted ? extra_text(*said, kFileId).value_or("") : "";
      ASSERT_EQ(index.id_at(path), id);
      ASSERT_EQ(index.document_of(path), document_key(said, path));
      if (!id.empty()) live[id].insert(path);
      if (document_key(said, path) != path) with[document_key(said, path)].insert(path);
    }
    for (const std::string& id : ids) ASSERT_EQ(index.paths_of(id), live[id]);
    for (const std::string& document : documents) ASSERT_EQ(index.paths_with(document), with[document]);
    const bool has_left = index.id_at(at) != left || index.document_of(at) != before;
    if (!left.empty() && has_left) ASSERT_TRUE(index.old_documents_of(left).contains(before));
  }
}

}  // namespace
}  // namespace diaryx::sync
