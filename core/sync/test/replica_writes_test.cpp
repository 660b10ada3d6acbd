// Writes to disk that somebody else's edit meets half-way: done and not yet answered, or said to have failed and yet done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "note_talk.h"

namespace diaryx::sync {
namespace {

TEST(Writes, AWriteThatFailedOnlySeeminglyDoublesNothing) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  ASSERT_EQ(talk.disk["a.md"], "one\ntwo\ntheirs\n");
  talk.disk["a.md"] = "one\nmine\ntwo\ntheirs\n";  // typed before the shell looked whether its write was done
  talk.refuse_writes(/*in_doubt=*/true);
  talk.user_writes("a.md", "one\nmine\ntwo\ntheirs\n");
  expect_everywhere(talk, "one\nmine\ntwo\ntheirs\n");
}

TEST(Writes, AWordThatIsBeingTypedElsewhereIsNotDoubledInTheMiddle) {
  Talk talk = talk_with_note("one\ntwo ");
  arrives(talk, "hel");
  talk.disk["a.md"] = "one, mine\ntwo hel";
  arrives(talk, "lo");
  talk.refuse_writes(/*in_doubt=*/true);
  talk.user_writes("a.md", "one, mine\ntwo hel");
  expect_everywhere(talk, "one, mine\ntwo hello");
}

TEST(Writes, AnEditThatIsSeenBeforeTheAnswerIsTakenOnce) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  talk.user_writes("a.md", "one\nmine\ntwo\ntheirs\n");
  arrives(talk, "more\n");
  talk.answer_writes();
  talk.answer_writes();
  expect_everywhere(talk, "one\nmine\ntwo\ntheirs\nmore\n");
}

TEST(Writes, ALineTypedBesideOneThatIsOnItsWayDoesNotReplaceIt) {
  // Two lines so alike that the user's text is nearer to what we were writing than to what was there.
  const std::string ours = "one\ntwo\ntablet at the same end 6\n";
  const std::string typed = "one\ntwo\ndesktop at the same end 5\n";
  for (const bool was_first : {true, false}) {
    Talk talk = talk_with_note("one\ntwo\n");
    arrives(talk, "tablet at the same end 6\n");
    talk.disk["a.md"] = was_first ? typed : ours + "desktop at the same end 5\n";
    talk.feed(TextFileSeen{"a.md", talk.disk["a.md"]});  // before the answer comes
    talk.feed(FilesSettled{});
    const std::string seen = talk.disk["a.md"];
    if (was_first) {
      talk.refuse_writes(/*in_doubt=*/false);
      talk.user_writes("a.md", seen);  // as the shell says then
    }
    talk.hold_writes = false;
    talk.answer_writes();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    const std::string text = *talk.replica.file_text("a.md");
    EXPECT_TRUE(text == ours + "desktop at the same end 5\n" || text == typed + "tablet at the same end 6\n") << text;
    EXPECT_EQ(talk.disk["a.md"], text);
  }
}

TEST(Writes, WhatIsStillTheOldTextBeforeTheAnswerIsNoEdit) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  talk.feed(TextFileSeen{"a.md", "one\ntwo\n"});  // read before the write was done
  talk.feed(FilesSettled{});
  expect_everywhere(talk, "one\ntwo\ntheirs\n");
}

TEST(Writes, AWriteThatSurelyFailedIsNoReasonToGuess) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  talk.disk["a.md"] = "one\ntwo\ntheirs\n";  // the user wrote the same line, in a race that ours lost
  talk.refuse_writes(/*in_doubt=*/false);
  talk.disk["a.md"] = "one\ntwo\nmine\n";
  talk.user_writes("a.md", "one\ntwo\nmine\n");
  talk.hold_writes = false;
  talk.pass(3'000);
  const std::string text = *talk.replica.file_text("a.md");
  EXPECT_TRUE(text == "one\ntwo\ntheirs\nmine\n" || text == "one\ntwo\nmine\ntheirs\n") << text;
  EXPECT_EQ(talk.disk["a.md"], text);
}

TEST(Writes, AWriteInDoubtIsLookedAtAndSettles) {
  for (const bool was_done : {false, true}) {
    Talk talk = talk_with_note("one\ntwo\n");
    arrives(talk, "theirs\n");
    if (!was_done) talk.disk["a.md"] = "one\ntwo\n";
    talk.refuse_writes(/*in_doubt=*/true);
    EXPECT_FALSE(talk.replica.settled());
    expect_everywhere(talk, "one\ntwo\ntheirs\n");
    EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  }
}

TEST(Writes, ADeletionThatWaitsDoesNotTakeAnEditThatComesMeanwhile) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "two\n");
  const WriteText write = talk.held_writes.at(0);
  talk.disk.erase("a.md");
  talk.refuse_writes(/*in_doubt=*/false);
  talk.feed(FileGone{"a.md", write.ticket});  // perhaps one half of a rename
  talk.feed(FilesSettled{});
  arrives(talk, "theirs\n");
  expect_everywhere(talk, "one\ntwo\ntheirs\n");
}

TEST(Writes, ADeletionThatIsSeenBeforeTheAnswerIsOfWhatWasWritten) {
  for (const bool is_new : {false, true}) {
    for (const bool is_online : {true, false}) {
      Talk talk;
      if (!is_new) talk = talk_with_note("one\n");
      talk.hold_writes = true;
      if (is_new) {
        talk.list("a.md", "one\n");
        talk.connect();
        talk.answer_body("a.md");
      } else {
        arrives(talk, "theirs\n");
      }
      ASSERT_EQ(talk.held_writes.size(), 1u);
      if (!is_online) talk.feed(Disconnected{});
      talk.disk.erase("a.md");  // the user saw what we wrote, and deleted it
      talk.feed(FileGone{"a.md"});
      talk.feed(FilesSettled{});
      talk.pass(0);
      talk.hold_writes = false;
      talk.answer_writes();
      for (int i = 0; i < 3; ++i) talk.pass(3'000);
      EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{}) << is_new << is_online;
      EXPECT_TRUE(talk.disk.empty()) << is_new << is_online;
      EXPECT_FALSE(talk.stored_records.contains("file:a.md"));
    }
  }
}

TEST(Writes, AFileThatWasMissingWhenItsWriteCameComesBackWithWhatWasToBeWritten) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "theirs\n");
  talk.disk.erase("a.md");  // before the write came to it
  talk.feed(FileGone{"a.md"});
  talk.feed(FilesSettled{});
  talk.refuse_writes(/*in_doubt=*/false);
  expect_everywhere(talk, "one\ntheirs\n");
}

TEST(Writes, AnAnswerToAWriteThatWasSeenBeforeSaysNothingNew) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "two\n");
  talk.user_writes("a.md", talk.disk["a.md"]);  // seen before the answer
  arrives(talk, "three\n");
  const WriteText second = talk.held_writes.back();
  talk.held_writes.pop_back();
  talk.user_writes("a.md", talk.disk["a.md"]);
  talk.refuse_writes(/*in_doubt=*/true);
  talk.answer(second);
  talk.user_writes("a.md", "one\ntwo\nmine\nthree\n");
  expect_everywhere(talk, "one\ntwo\nmine\nthree\n");
}

TEST(Writes, AWriteInDoubtGoesAlongWithARename) {
  for (const bool is_seen_as_one : {true, false}) {
    Talk talk = talk_with_note("one\ntwo\n");
    arrives(talk, "theirs\n");
    talk.refuse_writes(/*in_doubt=*/true);
    talk.disk["b.md"] = is_seen_as_one ? "one\nmine\ntwo\ntheirs\n" : talk.disk["a.md"];
    talk.disk.erase("a.md");
    if (is_seen_as_one) {
      talk.feed(FileMoved{"a.md", "b.md"});
    } else {
      talk.feed(FileGone{"a.md"});
    }
    talk.user_writes("b.md", talk.disk["b.md"]);
    talk.answer_all();
    talk.hold_writes = false;
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"b.md"});
    EXPECT_EQ(talk.replica.file_text("b.md"), talk.disk["b.md"]);
    EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{
                             {"b.md", is_seen_as_one ? "one\nmine\ntwo\ntheirs\n" : "one\ntwo\ntheirs\n"}}));
    EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  }
}

TEST(Writes, AFileThatIsRenamedAndBackUnderAWriteOfOursHasWhatWasWritten) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  // Renamed before the write came to it, and that is told and seen; but it is back by now, and the write came to it then.
  ASSERT_EQ(talk.disk, (std::map<std::string, std::string>{{"a.md", "one\ntwo\ntheirs\n"}}));
  talk.feed(FileMoved{"a.md", "b.md"});
  talk.feed(TextFileSeen{"b.md", "one\ntwo\n"});
  talk.feed(FilesSettled{});
  talk.answer_writes();
  talk.feed(FileMoved{"b.md", "a.md"});
  talk.user_writes("a.md", "one\ntheirs\n");
  talk.answer_all();
  talk.hold_writes = false;
  talk.answer_writes();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.replica.file_text("a.md"), "one\ntheirs\n");
  EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"a.md", "one\ntheirs\n"}}));
  EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  EXPECT_FALSE(talk.stored_records.contains("writing:b.md"));
}

TEST(Writes, AnEditOfAFileThatIsRenamedUnderAWriteOfOursIsTakenWhenThatCameTooLate) {
  for (const bool is_renamed_first : {true, false}) {
    Talk talk = talk_with_note("one\ntwo\n");
    arrives(talk, "theirs\n");
    crdt::Doc& server = talk.doc("body:ws1/a.md");
    crdt::Transaction txn = server.transact();
    ASSERT_TRUE(server.text("body").erase(txn, Utf16Offset{8}, Length{7}));
    const Bytes taken_back = std::move(txn).commit().update_v1();
    talk.frame("body:ws1/a.md", {Update{taken_back}});
    talk.disk = {{"b.md", "one\nmine\ntwo\n"}};  // before the write came to it
    if (is_renamed_first) talk.feed(FileMoved{"a.md", "b.md"});
    talk.feed(TextFileSeen{is_renamed_first ? "b.md" : "a.md", talk.disk["b.md"]});
    talk.feed(FilesSettled{});
    if (!is_renamed_first) talk.feed(FileMoved{"a.md", "b.md"});
    talk.feed(FilesSettled{});
    talk.refuse_writes(/*in_doubt=*/false);
    talk.look_at("a.md");  // as the shell does then
    talk.answer_all();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.replica.file_text("b.md"), "one\nmine\ntwo\n") << is_renamed_first;
    EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"b.md", "one\nmine\ntwo\n"}}));
    EXPECT_FALSE(talk.stored_records.contains("writing:b.md"));
  }
}

TEST(Writes, AFileThatIsRenamedUnderAWriteOfOursLeavesTheNameThatAnotherFileHasByNow) {
  for (const bool was_first : {true, false}) {
    Talk talk;
    talk.set_entry("a.md", entry_of("a.md", "1", ""));
    talk.type("a.md", "one\ntwo\n");
    talk.connect();
    talk.answer_body("a.md");
    talk.hold_writes = true;
    talk.set_entry("b.md", entry_of("b.md", "2", ""));
    talk.type("b.md", "another\n");
    const Bytes listed = talk.doc("workspace:ws1").encode_update_v1();
    talk.frame("workspace:ws1", {Update{listed}});  // and its text is on its way
    arrives(talk, "theirs\n");
    talk.disk = {{"b.md", was_first ? "one\ntwo\n" : "one\ntwo\ntheirs\n"}};  // before the write came to it, or after
    talk.feed(FileMoved{"a.md", "b.md"});  // before the answer
    talk.feed(FilesSettled{});
    if (was_first) {
      talk.refuse_writes(/*in_doubt=*/false);
    } else {
      talk.answer_writes();
    }
    talk.hold_writes = false;
    talk.answer_all();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    std::multiset<std::string> texts;
    for (const auto& [path, bytes] : talk.disk) texts.insert(bytes);
    EXPECT_EQ(texts, (std::multiset<std::string>{"another\n", "one\ntwo\ntheirs\n"})) << was_first;
    EXPECT_EQ(talk.disk["b.md"], "another\n") << was_first;
    EXPECT_FALSE(talk.stored_records.contains("writing:b.md")) << was_first;
  }
}

TEST(Writes, NothingIsWrittenWhereAFileNeverWasWhileNamesAreSwapped) {
  Talk talk = talk_with_note("one\ntwo\n");
  talk.hold_writes = false;
  talk.user_writes("b.md", "other\n");
  talk.answer_all();
  talk.hold_writes = true;
  arrives(talk, "theirs\n");
  talk.disk = {{"a.md", "other\n"}, {"b.md", "one\ntwo\n"}};  // before the write came to it
  talk.refuse_writes(/*in_doubt=*/false);
  talk.forget();
  for (const auto& [path, bytes] : std::map(talk.disk)) talk.feed(TextFileSeen{path, bytes});
  talk.feed(FilesSettled{});
  EXPECT_EQ(talk.writes_asked, std::vector<std::string>{"b.md"});
  talk.hold_writes = false;
  talk.answer_writes();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"a.md", "other\n"}, {"b.md", "one\ntwo\ntheirs\n"}}));
  EXPECT_EQ(talk.replica.text_files(), (std::vector<std::string>{"a.md", "b.md"}));
}

TEST(Writes, AnEditThatIsToldUnderTwoSpellingsOfAFolderIsOneFile) {
  Talk talk;
  talk.restart({.workspace_id = "ws1", .client = ClientId{8}, .disk = {.case_insensitive = true}});
  talk.connect();
  talk.user_writes("d/a.md", "one\n");
  talk.answer_all();
  talk.disk = {
      {"D/a.md", "one\nmine\n"}};  // edited, and its folder renamed: both names are read, and the disk knows both
  talk.feed(TextFileSeen{"d/a.md", talk.disk["D/a.md"]});
  talk.feed(TextFileSeen{"D/a.md", talk.disk["D/a.md"]});
  talk.feed(FilesSettled{});
  talk.answer_all();
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"D/a.md"});
  EXPECT_EQ(talk.replica.file_text("D/a.md"), "one\nmine\n");
}

TEST(Writes, AFileThatIsMissedByAReadOfOursMayHaveBeenRenamed) {
  Talk talk = talk_with_note("one\n");
  talk.disk["b.md"] = talk.disk["a.md"];
  talk.disk.erase("a.md");
  talk.look_at("a.md");
  talk.feed(FileMoved{"a.md", "b.md"});  // says the watcher
  talk.user_writes("b.md", "one\nmine\n");
  talk.answer_all();
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"b.md"});
  EXPECT_THAT(talk.replica.metadata("a.md")->extra, ::testing::Contains(::testing::Field(&Json::Member::key, "_to")));
}

TEST(Writes, AFileThatIsMissedByAReadThatWasAskedForAnotherMayHaveBeenRenamed) {
  Talk talk = talk_with_note("one\n");
  talk.hold_reads = true;
  talk.feed(FileMoved{"new.md", "c.md"});  // nobody heard of it before, so it is read
  ASSERT_EQ(talk.held_reads.size(), 1u);
  talk.feed(FileMoved{"c.md", "new.md"});
  talk.feed(FileMoved{"a.md", "c.md"});
  talk.feed(FilesSettled{});
  talk.feed(FileGone{"c.md", talk.held_reads[0].ticket});  // on its way on: says the read
  talk.feed(FilesSettled{});
  talk.feed(FileMoved{"c.md", "b.md"});  // says the watcher
  talk.feed(FilesSettled{});
  talk.hold_reads = false;
  talk.disk = {{"b.md", "one\n"}};
  for (int i = 0; i < 2; ++i) {
    talk.answer_all();
    talk.pass(3'000);
  }
  EXPECT_EQ(talk.replica.text_files(), std::vector<std::string>{"b.md"});
  EXPECT_THAT(talk.replica.metadata("c.md")->extra, ::testing::Contains(::testing::Field(&Json::Member::key, "_to")));
}

TEST(Writes, AnAnswerIsForTheWriteThatItNamesWheneverItComes) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "two\n");
  talk.user_writes("a.md", talk.disk["a.md"]);  // seen before the answer
  arrives(talk, "three\n");
  const std::vector<WriteText> writes = std::exchange(talk.held_writes, {});
  ASSERT_EQ(writes.size(), 2u);
  talk.answer(writes[1]);
  EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  talk.refuse(writes[0], "", /*in_doubt=*/true);
  EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));
  talk.user_writes("a.md", "one\ntwo\nmine\nthree\n");
  expect_everywhere(talk, "one\ntwo\nmine\nthree\n");
}

TEST(Writes, AWriteThatIsTriedAgainAndDoneIsInDoubtNoLonger) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "theirs\n");
  talk.disk["a.md"] = "one\n";  // it was not done
  talk.refuse_writes(/*in_doubt=*/true);
  arrives(talk, "more\n");
  talk.pass(3'000);
  expect_everywhere(talk, "one\ntheirs\nmore\n");
  EXPECT_FALSE(talk.stored_records.contains("writing:a.md"));

  talk.hold_writes = true;
  talk.list("b.md", "new\n");
  const Bytes listed = talk.doc("workspace:ws1").encode_update_v1();
  talk.frame("workspace:ws1", {Update{listed}});
  talk.answer_all();
  talk.disk.erase("b.md");
  talk.refuse_writes(/*in_doubt=*/true);
  talk.pass(3'000);  // the same once more
  talk.answer_writes();
  EXPECT_EQ(talk.disk["b.md"], "new\n");
  EXPECT_FALSE(talk.stored_records.contains("writing:b.md"));
}

TEST(Writes, ANewFileInDoubtLeavesTheNameThatTheListGivesUp) {
  // It is on disk, though its write is said to have failed, and before anybody looks it is renamed or deleted elsewhere.
  for (const bool is_edited : {false, true}) {
    for (const bool is_renamed : {true, false}) {
      Talk talk;
      talk.hold_writes = true;
      talk.set_entry("a.md", entry_of("a.md", "1234", ""));
      talk.type("a.md", "one\ntwo\n");
      talk.connect();
      talk.answer_all();
      ASSERT_EQ(talk.disk["a.md"], "one\ntwo\n");
      if (is_edited) talk.user_writes("a.md", "one\nmine\ntwo\n");  // seen before the answer
      talk.refuse_writes(/*in_doubt=*/true);
      talk.hold_writes = false;
      FileMetadata left{.filename = "a.md", .deleted = true};
      left.extra = {{"_id", Json("1234")}};
      if (is_renamed) {
        left.extra.push_back({"_to", Json("b.md")});
        talk.set_entry("b.md", entry_of("b.md", "1234", ""));
      }
      talk.set_entry("a.md", format_metadata(left));
      talk.answer("workspace:ws1");
      talk.answer_all();
      for (int i = 0; i < 3; ++i) {
        talk.pass(3'000);
        talk.answer_all();
      }
      std::map<std::string, std::string> expected;
      if (is_renamed) expected["b.md"] = is_edited ? "one\nmine\ntwo\n" : "one\ntwo\n";
      if (!is_renamed && is_edited) expected["a.md"] = "one\nmine\ntwo\n";  // deleted and edited: it comes back
      EXPECT_EQ(talk.disk, expected) << is_edited << is_renamed;
      EXPECT_EQ(talk.replica.text_files().size(), expected.size()) << is_edited << is_renamed;
      for (const auto& [path, text] : expected)
        EXPECT_EQ(talk.replica.file_text(path), text) << is_edited << is_renamed;
      EXPECT_FALSE(talk.stored_records.contains("writing:a.md")) << is_edited << is_renamed;
      EXPECT_EQ(talk.replica.status().pending_writes, 0u) << is_edited << is_renamed;
    }
  }
}

TEST(Writes, AFileThatIsMetByAReadOfOursMayHaveBeenRenamed) {
  for (const bool is_renamed : {true, false}) {
    Talk talk = talk_with_note("one\n");
    talk.disk["b.md"] = "one\n";
    talk.look_at("b.md");
    if (is_renamed) {
      talk.disk.erase("a.md");
      talk.feed(FileMoved{"a.md", "b.md"});  // says the watcher
      talk.feed(FilesSettled{});
    }
    for (int i = 0; i < 2; ++i) {
      talk.pass(3'000);
      talk.answer_all();
    }
    EXPECT_EQ(talk.replica.text_files(),
              is_renamed ? std::vector<std::string>{"b.md"} : (std::vector<std::string>{"a.md", "b.md"}));
    if (!is_renamed) continue;
    EXPECT_THAT(talk.replica.metadata("a.md")->extra, ::testing::Contains(::testing::Field(&Json::Member::key, "_to")));
  }
}

TEST(Writes, AFileThatIsMissedTwiceMayHaveBeenRenamedAllTheSame) {
  Talk talk = talk_with_note("one\ntwo\n");
  arrives(talk, "theirs\n");
  talk.disk = {{"b.md", "one\nmine\ntwo\n"}};  // edited and renamed before the write came to it
  const Ticket ticket = talk.held_writes.at(0).ticket;
  talk.refuse_writes(/*in_doubt=*/false);
  for (int i = 0; i < 2; ++i) {  // the refusal says what is there, and so does a read that was asked for before
    talk.feed(FileGone{"a.md", ticket});
    talk.feed(FilesSettled{});
  }
  talk.feed(FileMoved{"a.md", "b.md"});
  talk.user_writes("b.md", talk.disk["b.md"]);
  talk.hold_writes = false;
  talk.answer_all();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"b.md", "one\nmine\ntwo\ntheirs\n"}}));
}

TEST(Writes, TheAnswerToAWriteThatWasSeenBeforeIsNotTakenForThatOfTheNext) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "two\n");
  talk.feed(TextFileSeen{"a.md", talk.disk["a.md"]});  // the first write is seen before its answer
  arrives(talk, "three\n");
  const std::string typed = "one\nmine\ntwo\n";  // and the second comes too late
  talk.user_writes("a.md", typed);
  ASSERT_EQ(talk.held_writes.size(), 2u);
  const std::vector<WriteText> writes = std::exchange(talk.held_writes, {});
  talk.refuse(writes[0], "", /*in_doubt=*/true);
  EXPECT_EQ(talk.disk["a.md"], typed) << "the answer to the first says nothing of the second";
  talk.refuse(writes[1], "", /*in_doubt=*/false);
  talk.user_writes("a.md", typed);  // as the shell says then
  const std::string merged = talk.disk["a.md"];
  EXPECT_EQ(merged, "one\nmine\ntwo\nthree\n");
  arrives(talk, "four\n");
  talk.user_writes("a.md", merged);
  talk.answer_writes();
  expect_everywhere(talk, merged + "four\n");
}

TEST(Writes, AnEditOfAFileThatWeJustPutOverAnotherIsAnEditOfThatOne) {
  Talk talk;
  talk.set_entry("a.md", entry_of("a.md", "1", "~1"));
  talk.set_entry("b.md", entry_of("b.md", "2", "~2"));
  talk.type("~1", "of the garden\nbeans along the wall\n");
  talk.type("~2", "of the journey\ntrains to Lisbon\n");
  talk.connect();
  talk.answer_all();
  ASSERT_EQ(talk.disk.size(), 2u);
  // Both names are swapped elsewhere, so both are written over where they are.
  talk.hold_writes = true;
  talk.set_entry("a.md", entry_of("a.md", "2", "~2"));
  talk.set_entry("b.md", entry_of("b.md", "1", "~1"));
  const Bytes swapped = talk.doc("workspace:ws1").encode_update_v1();
  talk.frame("workspace:ws1", {Update{swapped}});
  ASSERT_EQ(talk.disk["a.md"], "of the journey\ntrains to Lisbon\n");
  talk.user_writes("a.md", "of the journey\ntrains to Lisbon\nthe ferry\n");  // before the answer
  talk.hold_writes = false;
  talk.answer_writes();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.disk["a.md"], "of the journey\ntrains to Lisbon\nthe ferry\n");
  EXPECT_EQ(talk.disk["b.md"], "of the garden\nbeans along the wall\n");
}

TEST(Writes, AFileThatWasMetWhereOursIsToBeMakesRoomWhenItIsDeleted) {
  for (const bool is_told : {true, false}) {
    Talk talk = talk_with_note("one\n");
    talk.list("b.md", "theirs\n");
    const Bytes listed = talk.doc("workspace:ws1").encode_update_v1();
    talk.frame("workspace:ws1", {Update{listed}});
    talk.answer_all();
    ASSERT_EQ(talk.held_writes.size(), 1u);
    const Ticket ticket = talk.held_writes[0].ticket;
    talk.refuse_writes(/*in_doubt=*/false);
    talk.feed(TextFileSeen{"b.md", "made here\n", ticket});
    talk.feed(FilesSettled{});
    talk.hold_writes = false;
    talk.disk.erase("b.md");
    if (is_told) {
      talk.feed(FileGone{"b.md"});  // says the watcher
    } else {
      talk.look_at("b.md");
    }
    talk.feed(FilesSettled{});
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.disk["b.md"], "theirs\n") << is_told;
    EXPECT_TRUE(talk.replica.settled()) << is_told;
  }
}

TEST(Writes, AWriteThatFailedIsTriedAgainAlsoWhenItsFileIsLookedAtMeanwhile) {
  Talk talk = talk_with_note("one\n");
  arrives(talk, "theirs\n");
  talk.disk["a.md"] = "one\n";  // it was not done
  talk.refuse_writes(/*in_doubt=*/false);
  talk.hold_writes = false;
  talk.look_at("a.md");
  expect_everywhere(talk, "one\ntheirs\n");
  EXPECT_EQ(talk.replica.status().pending_writes, 0u);
}

}  // namespace
}  // namespace diaryx::sync
