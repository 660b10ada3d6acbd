// Writes that a crash cut short, prevented, or kept the answer of.
#include <gtest/gtest.h>

#include "diaryx/sync/head_text.h"
#include "note_talk.h"

namespace diaryx::sync {
namespace {

TEST(Writes, AWriteThatACrashCutOffIsNoDeletionOfTheRest) {
  for (const std::string half : {"", "one\nt", "one\ntwo\nthe\xc3"}) {
    Talk talk = talk_with_note("one\ntwo\n");
    arrives(talk, "the\xc3\xa9rs\nand more\n");
    talk.held_writes.clear();
    talk.restart();
    talk.hold_writes = false;
    talk.user_writes("a.md", half);
    talk.connect();
    talk.answer_all();
    expect_everywhere(talk, "one\ntwo\nthe\xc3\xa9rs\nand more\n");
    EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  }
}

/// A device of ours gives the note this block, and types a line.
void block_arrives(Talk& talk, const std::string& block, const std::string& typed = {}) {
  FileMetadata metadata{.filename = "a.md"};
  metadata.extra.push_back({"_h", Json("of this block")});
  const Bytes listed = talk.set_entry("a.md", format_metadata(metadata));
  talk.frame("workspace:ws1", {Update{listed}});
  crdt::Doc& doc = talk.doc("body:ws1/a.md");
  HeadText head(doc);
  crdt::Text body = doc.text("body");
  crdt::Transaction txn = doc.transact();
  head.set(txn, block);
  EXPECT_TRUE(body.insert(txn, Utf16Offset{body.length().value()}, typed));
  const Bytes update = std::move(txn).commit().update_v1();
  talk.frame("body:ws1/a.md", {Update{update}});
}

/// We die while `talk` writes, and the user makes `edited` of what is there before we run again. What becomes of the note.
std::string after_a_crash_and(Talk talk, const std::string& edited) {
  talk.held_writes.clear();
  talk.disk["a.md"] = edited;
  talk.restart();
  talk.hold_writes = false;
  talk.connect();
  talk.answer_all();
  talk.user_writes("a.md", edited);
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk["a.md"], talk.replica.file_text("a.md"));
  return talk.disk["a.md"];
}

TEST(Writes, APartOfABlockThatACrashKeptFromTheDiskIsNotTakenOutByOneLikeIt) {
  const std::string body = "one\ntwo\n";
  const auto items = [](const std::string& lines) { return "---\ncontents:\n" + lines + "---\n"; };
  const auto after = [&](const std::string& edited) {
    Talk talk = talk_with_note(body);
    block_arrives(talk, items("  - a.md\n"));
    return after_a_crash_and(std::move(talk), edited + body);
  };
  // Written or not? What looks as if it had been replaced was perhaps never seen, and stays.
  EXPECT_EQ(after(items("  - b.md\n")), items("  - b.md\n  - a.md\n") + body);
  EXPECT_EQ(after(items("  - a.md\n  - b.md\n")), items("  - a.md\n  - b.md\n") + body);
  EXPECT_EQ(after("---\ntitle: mine\n---\n"), "---\ntitle: mine\ncontents:\n  - a.md\n---\n" + body);
}

TEST(Writes, WhatABlockHadBeforeAWriteThatACrashCutShortIsNoEdit) {
  const std::string body = "one\ntwo\n";
  const auto block = [](const std::string& lines) { return "---\n" + lines + "---\n"; };
  const auto after = [&](const std::string& edited) {
    Talk talk = talk_with_note(body);
    talk.hold_writes = false;
    block_arrives(talk, block("title: old\nmood: x\nplace: y\n"));
    talk.hold_writes = true;
    block_arrives(talk, block("mood: x\nplace: y\ntitle: new\n"));
    return after_a_crash_and(std::move(talk), edited + body);
  };
  const std::string merged = block("mood: mine\nplace: y\ntitle: new\n") + body;
  EXPECT_EQ(after(block("title: old\nmood: mine\nplace: y\n")), merged) << "an edit of what was there before it";
  EXPECT_EQ(after(block("mood: mine\nplace: y\ntitle: new\n")), merged) << "an edit of what was written";
  EXPECT_EQ(after(block("mood: mine\nplace: y\n")), merged) << "which title was taken out?";
  EXPECT_EQ(after(block("mood: x\ntitle: new\n")), block("mood: x\ntitle: new\n") + body) << "the place is gone";
}

TEST(Writes, ALineThatACrashKeptFromTheDiskIsNotReplacedBecauseTheBlocksAreAlike) {
  const std::string body = "one\ntwo\n";
  const std::string block = "---\nauthor: somebody with a long name\nlicence: as all of it\n---\n";
  Talk talk = talk_with_note(body);
  block_arrives(talk, block, "a swallow came\n");
  EXPECT_EQ(after_a_crash_and(std::move(talk), block + body + "mine is this\n"),
            block + body + "a swallow came\nmine is this\n");
}

TEST(Writes, ANewFileThatWasWrittenBeforeACrashAndEditedIsNoOtherFile) {
  Talk talk;
  talk.hold_writes = true;
  talk.list("a.md", "one\ntwo\n");
  talk.connect();
  talk.answer_body("a.md");
  ASSERT_EQ(talk.disk["a.md"], "one\ntwo\n");
  talk.held_writes.clear();
  talk.restart();  // before it was answered
  talk.user_writes("a.md", "one\nmine\ntwo\n");
  talk.connect();
  talk.answer_all();
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"a.md"});
  expect_everywhere(talk, "one\nmine\ntwo\n");
}

TEST(Writes, AFileThatWasWrittenBeforeACrashAndRenamedIsNoOtherFile) {
  Talk talk;
  talk.hold_writes = true;
  talk.set_entry("a.md", entry_of("a.md", "1", ""));
  talk.type("a.md", "one\ntwo\n");
  talk.connect();
  talk.answer_body("a.md");
  talk.held_writes.clear();
  talk.restart();  // before it was answered
  talk.disk.erase("a.md");
  talk.user_writes("b.md", "one\ntwo\n");
  talk.connect();
  talk.hold_writes = false;
  talk.answer_all();
  talk.pass(3'000);
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"b.md"});
  EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"b.md", "one\ntwo\n"}}));
}

TEST(Writes, AWriteThatACrashPreventedIsForgottenWhenTheFileIsNotThere) {
  Talk talk;
  talk.hold_writes = true;
  talk.list("a.md", "one\ntwo\n");
  talk.connect();
  talk.answer_body("a.md");
  EXPECT_TRUE(talk.stored_records.contains("writing:a.md"));
  talk.disk.clear();
  talk.restart();
  talk.feed(FilesSettled{});
  EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
}

}  // namespace
}  // namespace diaryx::sync
