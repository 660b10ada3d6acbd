// What hosts tell of files, and what it means.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

using testing::Not;

// A39: native hosts tell of a file that moved to another folder by its new name alone.
TEST(Guest, TakesAFileThatIsOnlySeenInItsNewFolderForMoved) {
  fake_host() = {};
  const auto entries = [](Guest& guest, std::string_view path) {
    const Json all = data(guest, "ListCrdtFiles", Json{}.set("include_deleted", true));
    for (const Json& pair : *all.as_array()) {
      if (*(*pair.as_array())[0].as_string() == path)
        return (*pair.as_array())[1].bool_member("deleted") == true ? 'd' : 'l';
    }
    return '-';
  };
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_root":"/w"})"));
  put("/w/a/n.md", "---\ntitle: N\npart_of: /a.md\n---\nsome text\n");
  put("/w/a/same.md", "---\ntitle: S\n---\n");
  put("/w/a/stays.md", "text that stays\n");
  for (const std::string_view path : {"/w/a/n.md", "/w/a/same.md", "/w/a/stays.md"}) tell(guest, "file_saved", path);
  data(guest, "SetBodyContent", Json{}.set("doc_name", "a/n.md").set("content", "some text, edited\n"));
  // With its reference to the parent changed by the move.
  fake_host().files.erase("/w/a/n.md");
  put("/w/b/n.md", "---\ntitle: N\npart_of: /b.md\n---\nsome text, edited\n");
  tell(guest, "file_saved", "/w/b/n.md");
  EXPECT_EQ(entries(guest, "a/n.md"), 'd');
  EXPECT_EQ(entries(guest, "b/n.md"), 'l');
  EXPECT_GE(data(guest, "GetFileHistory", Json{}.set("file_path", "b/n.md")).as_array()->size(), 3u);
  // No text tells whose it is, another text is another file, and a copy is no move.
  fake_host().files.erase("/w/a/same.md");
  put("/w/b/same.md", "---\ntitle: T\n---\n");
  tell(guest, "file_saved", "/w/b/same.md");
  EXPECT_EQ(entries(guest, "a/same.md"), 'l');
  put("/w/b/stays.md", "text that stays\n");
  tell(guest, "file_created", "/w/b/stays.md");
  EXPECT_EQ(entries(guest, "a/stays.md"), 'l');
}

TEST(Guest, DeletesAnEntryOfACommandWhenTheHostSaysThatItsFileIsGone) {
  const Json note = Json{}.set("path", "docs/gone.md").set("metadata", Json{}.set("title", "G"));
  for (const std::string_view where : {kNowhere, kWorkspaceA}) {
    for (const bool is_gone : {true, false}) {  // the host may know of no file: it was made of the entry
      SCOPED_TRACE(std::string(where) + (is_gone ? "" : ", still there"));
      fake_host() = {};
      Guest guest;
      ASSERT_TRUE(guest.init(where));
      data(guest, "SetCrdtFile", note);
      if (is_gone) fake_host().files.clear();
      tell(guest, "file_deleted", "docs/gone.md");
      EXPECT_EQ(data(guest, "ListCrdtFiles").dump(), "[]");
      EXPECT_THAT(data(guest, "ListCrdtFiles", Json{}.set("include_deleted", true)).dump(),
                  testing::HasSubstr(R"("deleted":true)"));
      EXPECT_TRUE(fake_host().files.empty());
      EXPECT_THAT(data(guest, "GetTimeline").find("groups")->dump(),
                  testing::HasSubstr(R"("removed":["docs/gone.md"])"));
    }
  }
}

TEST(Guest, TakesAnEventOfAFolderForOneOfEachFileInIt) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  for (const char* path : {"old/a.md", "old/deep/b.md", "older.md"}) {
    put(path, std::string("text of ") + path + "\n");
    tell(guest, "file_created", path);
  }
  const auto live = [&] {
    std::string paths;
    for (const Json& pair : *data(guest, "ListCrdtFiles").as_array()) paths += *(*pair.as_array())[0].as_string() + ' ';
    return paths;
  };
  ASSERT_EQ(live(), "old/a.md old/deep/b.md older.md ");
  const int64_t before = *data(guest, "GetTimeline").integer_member("last_id");
  for (const char* path : {"a.md", "deep/b.md"}) {
    put(std::string("new/") + path, file(std::string("old/") + path));
    fake_host().files.erase(std::string("old/") + path);
  }
  ASSERT_TRUE(guest.on_event(R"({"event_type":"file_moved","payload":{"old_path":"old","new_path":"new"}})"));
  EXPECT_EQ(live(), "new/a.md new/deep/b.md older.md ");
  const Json changed = data(guest, "GetChangedFiles", Json{}.set("from_id", before));
  EXPECT_THAT(changed.dump(), testing::HasSubstr(R"("kind":"renamed","from":"old/deep/b.md")"));
  EXPECT_THAT(changed.dump(), Not(testing::HasSubstr("created")));

  std::erase_if(fake_host().files, [](const auto& each) { return each.first.starts_with("new/"); });
  tell(guest, "file_deleted", "new");
  EXPECT_EQ(live(), "older.md ");
  EXPECT_EQ(fake_host().files.size(), 1u);
}

TEST(Guest, KeepsAFileWithTextThatIsStillThereWhateverTheHostSays) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  tell(guest, "file_deleted", "a.md");
  EXPECT_EQ(file("a.md"), "text\n");
  EXPECT_EQ(data(guest, "ListCrdtFiles").as_array()->size(), 1u);
}

TEST(Guest, ReadsAFileLaterThatCouldNotBeReadWhenItWasSaved) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  const auto body = [&] {
    return *data(guest, "GetBodyContent", Json{}.set("doc_name", "a.md")).find("content")->as_string();
  };
  put("a.md", "one\n");
  tell(guest, "file_saved", "a.md");
  put("a.md", "two\n");
  fake_host().unreadable = {"a.md"};
  tell(guest, "file_saved", "a.md");
  for (int i = 0; i < 3; ++i) {
    fake_host().clock += 31'000;
    data(guest, "GetSyncStatus");
    EXPECT_EQ(body(), "one\n");
  }
  fake_host().unreadable.clear();
  fake_host().clock += 31'000;
  data(guest, "GetSyncStatus");
  EXPECT_EQ(body(), "two\n");
  // A new connection looks at once.
  data(guest, "PrepareLiveShareRuntime", Json{}.set("workspace_id", "S"));
  ASSERT_TRUE(guest.on_connected("{}"));
  for (const std::string_view id : {"workspace:S", "body:S/a.md"}) answer_empty(guest, id);
  put("a.md", "three\n");
  fake_host().unreadable = {"a.md"};
  tell(guest, "file_saved", "a.md");
  fake_host().unreadable.clear();
  data(guest, "GetSyncStatus");
  EXPECT_EQ(body(), "two\n");
  ASSERT_TRUE(guest.on_disconnected());
  ASSERT_TRUE(guest.on_connected("{}"));
  EXPECT_EQ(body(), "three\n");
}

std::string live_files(Guest& guest) {
  std::string paths;
  for (const Json& pair : *data(guest, "ListCrdtFiles").as_array()) paths += *(*pair.as_array())[0].as_string() + ' ';
  return paths;
}

bool move(Guest& guest, std::string_view from, std::string_view to) {
  const Json paths = Json{}.set("old_path", from).set("new_path", to);
  return guest.on_event(Json{}.set("event_type", "file_moved").set("payload", paths).dump()).has_value();
}

// Events wait for each other, so the file may be elsewhere again when the first one is heard; and where reading is denied, web hosts
// say that nothing is there.
TEST(Guest, FollowsAMoveToWhereNothingCanBeSeen) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  fake_host().files.clear();
  put("c.md", "text\n");
  ASSERT_TRUE(move(guest, "a.md", "b.md"));
  EXPECT_EQ(live_files(guest), "b.md ");
  const int64_t before = *data(guest, "GetTimeline").integer_member("last_id");
  ASSERT_TRUE(move(guest, "b.md", "c.md"));
  EXPECT_EQ(live_files(guest), "c.md ");
  EXPECT_THAT(data(guest, "GetChangedFiles", Json{}.set("from_id", before)).dump(),
              testing::HasSubstr(R"("kind":"renamed","from":"b.md")"));
  EXPECT_EQ(file("c.md"), "text\n");
}

TEST(Guest, TakesAFileThatMovedOutOfTheFolderForDeleted) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_root":"/w"})"));
  put("/w/a.md", "text\n");
  tell(guest, "file_created", "/w/a.md");
  fake_host().files.clear();
  put("/trash/a.md", "text\n");
  ASSERT_TRUE(move(guest, "/w/a.md", "/trash/a.md"));
  EXPECT_EQ(live_files(guest), "");
}

// It was deleted, and the host did not say so yet: no trouble, and nobody needs to be told of any.
TEST(Guest, DoesNotComplainOfAFileThatIsGoneWhenItIsToBeRenamed) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  const int64_t point = *data(guest, "GetTimeline").integer_member("last_id");
  put("b.md", "text\n");
  fake_host().files.erase("a.md");
  ASSERT_TRUE(move(guest, "a.md", "b.md"));
  fake_host().files.clear();
  data(guest, "RestoreHistory", Json{}.set("update_id", point));
  fake_host().clock += 10'000;  // a rename may be told in two halves
  data(guest, "GetSyncStatus");
  EXPECT_EQ(live_files(guest), "");
  EXPECT_THAT(fake_host().events, Not(testing::Contains(testing::HasSubstr("error"))));
}

// "Sync this file now" is no wish to delete it.
TEST(Guest, DeletesNoFileThatItIsToldToSyncAndCannotSee) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  fake_host().files.clear();
  data(guest, "SyncFocusedFileNow", Json{}.set("path", "a.md"));
  EXPECT_EQ(live_files(guest), "a.md ");
  put("a.md", "more\n");
  data(guest, "SyncFocusedFileNow", Json{}.set("path", "a.md"));
  EXPECT_EQ(data(guest, "GetBodyContent", Json{}.set("doc_name", "a.md")).string_member("content"), "more\n");
}

TEST(Guest, IgnoresEventsWithoutAPayload) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  EXPECT_TRUE(guest.on_event(R"({"event_type":"file_saved"})"));
  EXPECT_TRUE(guest.on_event(R"({"event_type":"file_moved","payload":{"old_path":"a.md"}})"));
  EXPECT_TRUE(guest.on_event(R"({"event_type":"file_saved","payload":7})"));
  EXPECT_FALSE(guest.on_event("no json"));
}

}  // namespace
}  // namespace diaryx::plugin
