// A file that is to leave its place on disk for another, and meets what its user does meanwhile.
#include <gtest/gtest.h>

#include "note_talk.h"

namespace diaryx::sync {
namespace {

/// `Note.md` is to be moved to `moved.md`, where it was put elsewhere, and then `note.md` to be written, on a disk that takes both
/// for one place. That disk did neither yet; it holds what was typed here last.
Talk talk_with_a_place_that_is_to_become_free(const std::string& text) {
  Talk talk({.workspace_id = "ws1", .client = ClientId{7}, .disk = {.case_insensitive = true}});
  talk.set_entry("Note.md", entry_of("Note.md", "1234", {}));
  talk.type("Note.md", "one\ntwo\n");
  talk.connect();
  talk.answer_all();
  talk.user_writes("Note.md", text);
  talk.hold_disk = true;
  FileMetadata left{.filename = "Note.md", .deleted = true};
  left.extra = {{"_id", Json("1234")}, {"_to", Json("moved.md")}};
  talk.set_entry("Note.md", format_metadata(left));
  talk.set_entry("moved.md", entry_of("moved.md", "1234", {}));
  talk.set_entry("note.md", entry_of("note.md", "5678", "~5678"));
  talk.type("~5678", "other\n");
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
  EXPECT_EQ(talk.held_actions.size(), 2u);
  talk.text(Saved{"body:ws1/moved.md", 9});  // which is noted
  return talk;
}

TEST(Writes, AFileThatIsRenamedBeforeItMadeRoomForOneOfTheSamePlaceIsNoOther) {
  for (const bool is_edited : {false, true}) {
    std::string text = "one\ntwo\nmine\n";
    Talk talk = talk_with_a_place_that_is_to_become_free(text);
    talk.disk.erase("Note.md");
    if (is_edited) text += "more\n";
    talk.disk["x.md"] = text;
    talk.feed(FileMoved{"Note.md", "x.md"});
    talk.user_writes("x.md", text);
    talk.let_disk_go_on();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"x.md", text}, {"note.md", "other\n"}})) << is_edited;
    EXPECT_EQ(talk.replica.file_text("x.md"), text) << is_edited;
    EXPECT_EQ(talk.replica.file_text("moved.md"), std::nullopt) << is_edited;
  }
}

TEST(Writes, AFileThatDidNotMakeRoomBeforeACrashIsKnownByItsName) {
  Talk talk = talk_with_a_place_that_is_to_become_free("one\ntwo\nmine\n");
  for (const auto& [id, update] : std::exchange(talk.updates, {})) ASSERT_TRUE(talk.doc(id).apply_update_v1(update));
  talk.restart({.workspace_id = "ws1", .client = ClientId{8}, .disk = {.case_insensitive = true}});
  talk.held_actions.clear();
  talk.hold_disk = false;
  talk.asked.clear();
  talk.user_writes("Note.md", "one\ntwo\nmine\n");  // it is there still
  talk.connect();
  talk.answer_all();
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.replica.file_text("moved.md"), "one\ntwo\nmine\n");
  EXPECT_EQ(talk.replica.file_text("Note.md"), std::nullopt);
  EXPECT_EQ(talk.disk["moved.md"], "one\ntwo\nmine\n");
  EXPECT_EQ(talk.disk.size(), 2u);
}

/// `why?.md` is `moved.md` in the list now, and our move of it waits.
void rename_elsewhere_while_the_disk_waits(Talk& talk) {
  talk.hold_disk = true;
  FileMetadata left{.filename = "why?.md", .deleted = true};
  left.extra = {{"_id", Json("1234")}, {"_to", Json("moved.md")}};
  talk.set_entry("why?.md", format_metadata(left));
  talk.set_entry("moved.md", entry_of("moved.md", "1234", {}));
  talk.asked.clear();
  talk.answer("workspace:ws1");
  talk.answer_all();
}

TEST(Writes, AFileThatHasAnAliasAndIsRenamedBeforeWeMoveItIsNoOther) {
  for (const bool is_edited : {false, true}) {
    Talk talk({.workspace_id = "ws1", .client = ClientId{7}, .disk = {.windows_names = true}});
    talk.set_entry("why?.md", entry_of("why?.md", "1234", {}));
    std::string text = "one\ntwo\n";
    talk.type("why?.md", text);
    talk.connect();
    talk.answer_all();
    const std::string alias = talk.replica.disk_path("why?.md");
    ASSERT_EQ(talk.disk[alias], text);
    rename_elsewhere_while_the_disk_waits(talk);
    ASSERT_EQ(talk.held_actions.size(), 1u);
    talk.disk.erase(alias);
    if (is_edited) text += "more\n";
    talk.disk["x.md"] = text;
    talk.feed(FileMoved{alias, "x.md"});
    talk.user_writes("x.md", text);
    talk.let_disk_go_on();
    for (int i = 0; i < 3; ++i) talk.pass(3'000);
    EXPECT_EQ(talk.disk, (std::map<std::string, std::string>{{"x.md", text}})) << is_edited;
    EXPECT_EQ(talk.replica.file_text("moved.md"), std::nullopt) << is_edited;
  }
}

TEST(Writes, AFileThatIsMovedOverOneWithAnAliasBeforeWeMoveThatKeepsTheName) {
  Talk talk({.workspace_id = "ws1", .client = ClientId{7}, .disk = {.windows_names = true}});
  talk.set_entry("why?.md", entry_of("why?.md", "1234", {}));
  talk.type("why?.md", "one\ntwo\n");
  talk.set_entry("b.md", entry_of("b.md", "5678", {}));
  talk.type("b.md", "another text\n");
  talk.connect();
  talk.answer_all();
  const std::string alias = talk.replica.disk_path("why?.md");
  rename_elsewhere_while_the_disk_waits(talk);
  ASSERT_EQ(talk.held_actions.size(), 1u);
  const auto* const move = std::get_if<MoveFile>(&talk.held_actions.front());
  ASSERT_NE(move, nullptr);
  talk.disk.erase("b.md");
  talk.disk[alias] = "another text\n";
  talk.feed(FileMoved{"b.md", alias});
  talk.feed(FilesSettled{});
  const Ticket ticket = move->ticket;
  talk.held_actions.clear();
  talk.hold_disk = false;
  talk.feed(FileRefused{"moved.md", "", /*in_doubt=*/false, ticket});  // another text is there
  talk.feed(TextFileSeen{alias, "another text\n", ticket});
  talk.feed(FilesSettled{});
  for (int i = 0; i < 3; ++i) talk.pass(3'000);
  EXPECT_EQ(talk.replica.disk_path(alias), alias);
  EXPECT_EQ(talk.replica.file_text(alias), "another text\n");
  EXPECT_EQ(talk.replica.file_text("moved.md").value_or("one\ntwo\n"), "one\ntwo\n");
  EXPECT_EQ(talk.disk[alias], "another text\n");
}

}  // namespace
}  // namespace diaryx::sync
