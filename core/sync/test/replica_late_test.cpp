// Moves and removals of ours that are done and answered late: the watcher is faster, or the answer is that nobody knows.
#include <gtest/gtest.h>

#include "diaryx/sync/path.h"
#include "replica/workspace_doc.h"
#include "talk.h"

namespace diaryx::sync {
namespace {

using Disk = std::map<std::string, std::string>;

std::string entry_of(const std::string& path, bool deleted, const std::string& moved_to = {}) {
  FileMetadata metadata{.filename = path, .deleted = deleted};
  metadata.extra.push_back({"_id", Json("1234")});
  if (!moved_to.empty()) metadata.extra.push_back({"_to", Json(moved_to)});
  return format_metadata(metadata);
}

/// One note, on disk and in step; from now on the disk waits.
Talk talk_with_note(const DiskTraits& disk = {}) {
  Talk talk({.workspace_id = "ws1", .client = ClientId{7}, .disk = disk});
  talk.set_entry("a.md", entry_of("a.md", false));
  talk.type("a.md", "one\ntwo\n");
  talk.connect();
  talk.answer_all();
  EXPECT_EQ(talk.disk["a.md"], "one\ntwo\n");
  talk.hold_disk = true;
  return talk;
}

template <typename Asked>
Asked only_one(Talk& talk) {
  EXPECT_EQ(talk.held_actions.size(), 1u);
  return std::get<Asked>(std::exchange(talk.held_actions, {}).front());
}

/// Somebody deletes it elsewhere.
RemoveFile removal_of(Talk& talk) {
  talk.set_entry("a.md", entry_of("a.md", true));
  talk.answer("workspace:ws1");
  return only_one<RemoveFile>(talk);
}

/// And takes that back.
void bring_back(Talk& talk) {
  talk.set_entry("a.md", entry_of("a.md", false));
  talk.answer("workspace:ws1");
}

void expect_note(Talk& talk, const std::string& text) {
  talk.let_disk_go_on();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk, (Disk{{"a.md", text}}));
  EXPECT_EQ(talk.replica.file_text("a.md"), text);
  EXPECT_EQ(talk.replica.status().pending_writes, 0u);
}

TEST(LateAnswers, AMoveThatTheWatcherToldSaysNothingOfTheFileThatHasItsNameSince) {
  for (const bool is_refused : {false, true}) {
    Talk talk = talk_with_note();
    talk.set_entry("a.md", entry_of("a.md", true, "b.md"));
    talk.set_entry("b.md", entry_of("b.md", false));
    talk.asked.clear();
    talk.answer("workspace:ws1");
    talk.answer_all();
    const auto move = only_one<MoveFile>(talk);
    talk.disk.emplace("b.md", talk.disk.extract("a.md").mapped());
    talk.feed(FileMoved{"a.md", "b.md"});
    talk.feed(FilesSettled{});
    talk.user_writes("a.md", "another\n");
    if (is_refused) {
      talk.feed(FileRefused{"b.md", "", /*in_doubt=*/true, move.ticket});
    } else {
      talk.feed(FileMoved{"a.md", "b.md", move.ticket});
    }
    talk.feed(FilesSettled{});
    talk.let_disk_go_on();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.disk, (Disk{{"a.md", "another\n"}, {"b.md", "one\ntwo\n"}})) << is_refused;
    EXPECT_EQ(talk.replica.file_text("a.md"), "another\n") << is_refused;
    EXPECT_EQ(talk.replica.file_text("b.md"), "one\ntwo\n") << is_refused;
  }
}

// A native host ends the call, and nobody knows how far it came. The file is looked at, is there still, and goes at the next attempt.
TEST(LateAnswers, ARemovalThatNobodyKnowsToBeDoneIsTriedAgain) {
  Talk talk = talk_with_note();
  talk.set_entry("a.md", entry_of("a.md", true));
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
  const auto removal = only_one<RemoveFile>(talk);
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/true, removal.ticket});
  talk.let_disk_go_on();
  for (int i = 0; i < 20; ++i) talk.pass(1'000);
  EXPECT_EQ(talk.disk, Disk{});
  EXPECT_TRUE(talk.replica.settled());
}

/// Elsewhere, to b.md.
void rename_note(Talk& talk) {
  talk.set_entry("a.md", entry_of("a.md", true, "b.md"));
  talk.set_entry("b.md", entry_of("b.md", false));
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
}

MoveFile move_of(Talk& talk) {
  rename_note(talk);
  return only_one<MoveFile>(talk);
}

/// Done on the disk, and neither told nor answered.
void rename_on_disk(Talk& talk, const std::string& from, const std::string& to) {
  talk.disk.emplace(to, talk.disk.extract(from).mapped());
}

void answer(Talk& talk, const MoveFile& move, bool is_in_doubt) {
  if (is_in_doubt) return talk.feed(FileRefused{move.to, "", /*in_doubt=*/true, move.ticket});
  talk.feed(FileMoved{move.from, move.to, move.ticket});
}

void expect_one_file(Talk& talk, const std::string& path, const std::string& text) {
  talk.let_disk_go_on();
  for (int i = 0; i < 20; ++i) {
    talk.pass(250);
    talk.answer_all();
  }
  EXPECT_EQ(talk.disk, (Disk{{path, text}}));
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{path});
  EXPECT_EQ(talk.replica.file_text(path), text);
  EXPECT_EQ(talk.replica.status().pending_writes, 0u);
}

TEST(LateAnswers, AFileThatIsRenamedWhereOurMovePutItIsNoNewOne) {
  for (const bool is_in_doubt : {false, true}) {
    SCOPED_TRACE(is_in_doubt);
    Talk talk = talk_with_note();
    const MoveFile move = move_of(talk);
    rename_on_disk(talk, "a.md", "b.md");
    rename_on_disk(talk, "b.md", "c.md");
    talk.feed(FileMoved{"b.md", "c.md"});
    talk.feed(FileGone{"b.md"});
    talk.user_writes("c.md", "one\ntwo\nthree\n");
    answer(talk, move, is_in_doubt);
    expect_one_file(talk, "c.md", "one\ntwo\nthree\n");
  }
}

TEST(LateAnswers, AFileThatIsEditedWhereOurMovePutItIsNoOther) {
  for (const bool is_in_doubt : {false, true}) {
    SCOPED_TRACE(is_in_doubt);
    for (const bool is_answered_first : {false, true}) {
      SCOPED_TRACE(is_answered_first);
      Talk talk = talk_with_note();
      const MoveFile move = move_of(talk);
      rename_on_disk(talk, "a.md", "b.md");
      talk.hold_reads = true;
      if (is_answered_first) answer(talk, move, is_in_doubt);
      talk.user_writes("b.md", "one\n");
      if (!is_answered_first) answer(talk, move, is_in_doubt);
      talk.answer_reads();
      expect_one_file(talk, "b.md", "one\n");
    }
  }
}

TEST(LateAnswers, AFileThatIsRenamedInCaseAloneBeforeOurMoveComesToItIsNoNewOne) {
  Talk talk = talk_with_note({.case_insensitive = true});
  const MoveFile move = move_of(talk);
  rename_on_disk(talk, "a.md", "A.md");
  talk.feed(FileMoved{"a.md", "A.md"});
  talk.feed(FileGone{"a.md"});
  talk.feed(TextFileSeen{"A.md", "one\ntwo\n"});
  talk.feed(FilesSettled{});
  rename_on_disk(talk, "A.md", "b.md");  // which is a.md as well
  answer(talk, move, /*is_in_doubt=*/false);
  talk.feed(FileGone{"A.md"});
  talk.feed(TextFileSeen{"b.md", "one\ntwo\n"});
  talk.feed(FilesSettled{});
  expect_one_file(talk, "b.md", "one\ntwo\n");
  EXPECT_EQ(said_id(talk.replica.metadata("b.md")), "1234");
}

TEST(LateAnswers, AFileThatIsPutBackBehindOurMoveIsWhereItWasPut) {
  for (const bool is_in_doubt : {false, true}) {
    SCOPED_TRACE(is_in_doubt);
    Talk talk = talk_with_note();
    const MoveFile move = move_of(talk);
    talk.user_writes("a.md", "one\ntwo\n");  // all that a watcher says of a file that went and came back
    answer(talk, move, is_in_doubt);
    expect_one_file(talk, is_in_doubt ? "b.md" : "a.md", "one\ntwo\n");  // if nobody knows that it was moved, it is now
  }
}

TEST(LateAnswers, AMoveThatIsRefusedForWhatIsAtItsEndIsNotTriedAgainAtOnce) {
  Talk talk = talk_with_note();
  const MoveFile move = move_of(talk);
  talk.user_writes("b.md", "another\n");
  talk.feed(FileRefused{"b.md", "", /*in_doubt=*/false, move.ticket});
  talk.feed(TextFileSeen{"a.md", "one\ntwo\n", move.ticket});
  talk.feed(FilesSettled{});
  for (const Action& action : talk.held_actions) {
    const auto* const again = std::get_if<MoveFile>(&action);
    EXPECT_TRUE(again == nullptr || again->from != "a.md");
  }
}

TEST(LateAnswers, AMoveOfOursDoesNotMakeForgottenWhatTheWatcherIsToTellOfItsEnd) {
  Talk talk = talk_with_note();
  talk.hold_disk = false;
  talk.disk["b.md"] = "another\n";
  talk.list("b.md", "third\n");
  talk.answer("workspace:ws1");
  talk.answer_all();  // the write is refused for what is there
  rename_note(talk);
  for (int i = 0; i < 20; ++i) {
    talk.pass(1'000);
    talk.answer_all();
  }
  const std::string copy = conflict_copy(WorkspacePath("b.md"), sha256("another\n")).str();
  EXPECT_EQ(talk.disk["b.md"], "one\ntwo\nthird\n");
  EXPECT_EQ(talk.disk[copy], "another\n");
}

TEST(LateAnswers, AMoveThatTakesLongIsNoDeletion) {
  for (const bool is_in_doubt : {false, true}) {
    SCOPED_TRACE(is_in_doubt);
    Talk talk = talk_with_note();
    const MoveFile move = move_of(talk);
    rename_on_disk(talk, "a.md", "b.md");
    talk.feed(FileGone{"a.md"});
    talk.feed(FilesSettled{});
    talk.pass(3'000);
    talk.user_writes("b.md", "one\ntwo\nthree\n");
    talk.pass(3'000);
    answer(talk, move, is_in_doubt);
    expect_one_file(talk, "b.md", "one\ntwo\nthree\n");
  }
}

TEST(LateAnswers, ARemovalThatTheWatcherTellsIsNoDeletionOfAFileThatWasBroughtBack) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  bring_back(talk);
  talk.disk.erase("a.md");
  talk.feed(FileGone{"a.md"});
  talk.feed(FilesSettled{});
  talk.feed(FileRemoved{"a.md", removal.ticket});
  expect_note(talk, "one\ntwo\n");
}

TEST(LateAnswers, ARemovalThatNobodyKnowsToBeDoneIsLookedAtAndIsNoDeletion) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  bring_back(talk);
  talk.disk.erase("a.md");
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/true, removal.ticket});
  expect_note(talk, "one\ntwo\n");
}

TEST(LateAnswers, AFileThatIsSeenBeforeItsRemovalIsNotThereForThat) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  bring_back(talk);
  talk.user_writes("a.md", "one\ntwo\n");  // saved unchanged
  talk.disk.erase("a.md");
  talk.feed(FileRemoved{"a.md", removal.ticket});
  expect_note(talk, "one\ntwo\n");
}

TEST(LateAnswers, AFileThatIsRenamedBeforeOurRemovalComesToItIsNoNewOne) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  bring_back(talk);
  talk.disk.emplace("x.md", talk.disk.extract("a.md").mapped());
  talk.feed(FileGone{"a.md"});
  talk.user_writes("x.md", "one\ntwo\n");
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/false, removal.ticket});
  talk.feed(FileGone{"a.md", removal.ticket});
  talk.feed(FilesSettled{});
  talk.let_disk_go_on();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk, (Disk{{"x.md", "one\ntwo\n"}}));
  EXPECT_EQ(talk.replica.file_text("x.md"), "one\ntwo\n");
}

/// Away and back, which the watcher tells, before our removal came to it.
void move_there_and_back(Talk& talk) {
  const std::string text = talk.disk["a.md"];
  rename_on_disk(talk, "a.md", "x.md");
  talk.feed(FileMoved{"a.md", "x.md"});
  talk.feed(FilesSettled{});
  rename_on_disk(talk, "x.md", "a.md");
  talk.feed(FileMoved{"x.md", "a.md"});
  talk.feed(TextFileSeen{"a.md", text});
  talk.feed(FilesSettled{});
}

TEST(LateAnswers, AFileThatIsMovedThereAndBackBeforeOurRemovalComesToItIsWrittenAgain) {
  for (const bool is_in_doubt : {false, true}) {
    for (const bool is_told : {false, true}) {
      Talk talk = talk_with_note();
      const RemoveFile removal = removal_of(talk);
      move_there_and_back(talk);
      talk.disk.erase("a.md");
      if (is_told) {
        talk.feed(FileGone{"a.md"});
        talk.feed(FilesSettled{});
      }
      if (is_in_doubt) {
        talk.feed(FileRefused{"a.md", "", /*in_doubt=*/true, removal.ticket});
      } else {
        talk.feed(FileRemoved{"a.md", removal.ticket});
      }
      expect_note(talk, "one\ntwo\n");
    }
  }
}

TEST(LateAnswers, AFileThatIsMovedThereAndBackMayBeDeletedOnceOurRemovalIsAnswered) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  move_there_and_back(talk);
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/true, removal.ticket});
  talk.disk.erase("a.md");
  talk.feed(FileGone{"a.md"});
  talk.feed(FilesSettled{});
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk, Disk{});
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{});
}

TEST(LateAnswers, AFileThatIsMovedBehindARemovalOfOursThatWasRefusedWasNotTakenByThat) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  talk.user_writes("a.md", "one\ntwo\nthree\n");
  const MoveFile move = move_of(talk);
  talk.type("b.md", "four\n");  // which is not on this disk yet
  talk.answer_body("b.md");
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/false, removal.ticket});
  rename_on_disk(talk, "a.md", "b.md");
  talk.feed(FileGone{"a.md", removal.ticket});
  talk.feed(FilesSettled{});
  answer(talk, move, /*is_in_doubt=*/false);
  expect_one_file(talk, "b.md", *talk.replica.file_text("b.md"));
  EXPECT_EQ(talk.problems, std::vector<std::string>{});
}

TEST(LateAnswers, ANewFileWhereARemovedOneIsToComeBackIsNoEditOfIt) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  talk.set_entry("a.md", entry_of("a.md", true, "b.md"));
  talk.set_entry("b.md", entry_of("b.md", false));
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
  talk.disk.erase("a.md");
  talk.feed(FileGone{"a.md"});
  talk.user_writes("b.md", "another\n");
  talk.feed(FileRemoved{"a.md", removal.ticket});
  talk.let_disk_go_on();
  for (int i = 0; i < 3; ++i) {
    talk.pass(3'000);
    talk.answer_all();
  }
  EXPECT_EQ(talk.replica.file_text("b.md"), "one\ntwo\n");
  const std::string copy = conflict_copy(WorkspacePath("b.md"), sha256("another\n")).str();
  EXPECT_EQ(talk.disk, (Disk{{"b.md", "one\ntwo\n"}, {copy, "another\n"}}));
}

TEST(LateAnswers, AFileThatIsMadeWhereTheWatcherMissedOneThatWeRemovedIsAnother) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  talk.disk.erase("a.md");
  talk.feed(FileRefused{"a.md", "", /*in_doubt=*/true, removal.ticket});
  talk.feed(FileGone{"a.md", removal.ticket});
  talk.feed(FilesSettled{});
  talk.feed(FileGone{"a.md"});
  talk.feed(FilesSettled{});
  talk.user_writes("a.md", "another\n");
  talk.answer_all();
  expect_note(talk, "another\n");
  EXPECT_NE(extra_text(*talk.replica.metadata("a.md"), "_id"), "1234");
}

TEST(LateAnswers, WhatIsPutInThePlaceOfARemovedFileIsStillThereWhenTheAnswerComes) {
  Talk talk = talk_with_note();
  const RemoveFile removal = removal_of(talk);
  talk.disk.erase("a.md");
  talk.user_writes("a.md", "one\ntwo\nmine\n");
  talk.feed(FileRemoved{"a.md", removal.ticket});
  EXPECT_EQ(talk.replica.known_hash("a.md"), sha256("one\ntwo\nmine\n"));
  EXPECT_TRUE(talk.held_actions.empty());  // nothing is to be written over it
  expect_note(talk, "one\ntwo\nmine\n");
}

}  // namespace
}  // namespace diaryx::sync
