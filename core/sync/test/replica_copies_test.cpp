// Shells that cannot rename: a move of ours is a copy, and the old name goes afterwards.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "talk.h"

namespace diaryx::sync {
namespace {

using Disk = std::map<std::string, std::string>;
using Extra = std::vector<std::pair<std::string, Json>>;

std::string entry(FileMetadata metadata, const Extra& extra) {
  for (const auto& [key, value] : extra) metadata.extra.push_back({key, value});
  return format_metadata(metadata);
}

struct Copies : testing::Test {
  Copies() {
    talk.set_entry("a.md", entry({.filename = "a.md"}, {{"_id", Json("1234")}}));
    talk.type("a.md", "one\ntwo\n");
    talk.connect();
    talk.answer_all();
    talk.copies = true;
  }
  /// In the list `a.md` is `b.md` now, and its old name belongs to nobody, or to a file of its own with this text.
  void rename(const std::string& used_anew = {}) {
    if (used_anew.empty()) {
      talk.set_entry("a.md",
                     entry({.filename = "a.md", .deleted = true}, {{"_id", Json("1234")}, {"_to", Json("b.md")}}));
    } else {
      talk.set_entry("a.md", entry({.filename = "a.md"}, {{"_id", Json("5678")}, {"_doc", Json("~5678")}}));
      talk.type("~5678", used_anew);
    }
    talk.set_entry("b.md", entry({.filename = "b.md"}, {{"_id", Json("1234")}}));
    talk.asked.clear();
    talk.answer("workspace:ws1");
    talk.answer_all();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
  }

  Talk talk;
};

TEST_F(Copies, AFileLeavesItsOldName) {
  rename();
  EXPECT_EQ(talk.disk, (Disk{{"b.md", "one\ntwo\n"}}));
}

TEST_F(Copies, AFileLeavesItsOldNameToAnother) {
  rename("three\n");
  EXPECT_EQ(talk.disk, (Disk{{"a.md", "three\n"}, {"b.md", "one\ntwo\n"}}));
}

TEST_F(Copies, WhatIsTypedUnderTheOldNameIsNothingNew) {
  talk.on_move = [&] { talk.disk["a.md"] = "one\nmine\ntwo\n"; };
  rename();
  EXPECT_THAT(talk.replica.text_files(), testing::ElementsAre("b.md"));
  EXPECT_EQ(talk.disk, (Disk{{"b.md", "one\nmine\ntwo\n"}}));
}

TEST_F(Copies, WhatIsDeletedUnderTheOldNameIsThereUnderTheNewOne) {
  talk.on_move = [&] { talk.disk.erase("a.md"); };
  rename();
  EXPECT_THAT(talk.replica.text_files(), testing::ElementsAre("b.md"));
  EXPECT_EQ(talk.disk, (Disk{{"b.md", "one\ntwo\n"}}));
}

}  // namespace
}  // namespace diaryx::sync
