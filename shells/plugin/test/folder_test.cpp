// Which files are whose: the folder of a session, with a workspace and without one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/metadata.h"
#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

using testing::Contains;
using testing::Not;

TEST(Guest, KeepsItsFolderWhenACommandNamesAnother) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  const auto root = [&] {
    return *data(guest, "GetStoragePath", Json{}.set("canonical_path", "x.md")).find("path")->as_string();
  };
  const Json elsewhere = Json{}.set("workspace_root", "other").set("remote_id", "B");
  command(guest, "DownloadWorkspace", elsewhere);
  EXPECT_EQ(root(), "x.md");
  command(guest, "UploadWorkspaceSnapshot", elsewhere);
  EXPECT_EQ(root(), "x.md");
  EXPECT_EQ(command(guest, "InitializeWorkspaceCrdt", Json{}.set("workspace_path", "nowhere")).bool_member("success"),
            false);
  EXPECT_EQ(root(), "x.md");
  put("sub/README.md", "---\ntitle: Sub\ncontents: []\n---\n");
  EXPECT_EQ(command(guest, "InitializeWorkspaceCrdt", Json{}.set("workspace_path", "sub")).bool_member("success"),
            false);
  EXPECT_EQ(root(), "x.md");
  data(guest, "LinkWorkspace", elsewhere);
  EXPECT_EQ(root(), "other/x.md");
}

TEST(Guest, WorksInAFolderThatIsLinkedToNothing) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("old.md", "was here\n");
  put("n.md", "---\ntitle: N\n---\ntext\n");
  tell(guest, "file_created", "n.md");
  const auto title = [&] {
    return std::string(data(guest, "GetCrdtFile", Json{}.set("path", "n.md")).string_member("title").value_or("?"));
  };
  const auto body = [&] {
    return *data(guest, "GetBodyContent", Json{}.set("doc_name", "n.md")).find("content")->as_string();
  };
  EXPECT_EQ(title(), "N");
  EXPECT_EQ(body(), "text\n");
  EXPECT_EQ(data(guest, "CreateSnapshot", named()).integer_member("files"), 2);
  put("n.md", "---\ntitle: N2\n---\ntext two\n");
  tell(guest, "file_saved", "n.md");
  EXPECT_EQ(title(), "N2");
  EXPECT_EQ(body(), "text two\n");
  EXPECT_THAT(data(guest, "MaterializeWorkspace").dump(), testing::HasSubstr("text two"));
  data(guest, "SetBodyContent", Json{}.set("doc_name", "n.md").set("content", "by a command\n"));
  EXPECT_THAT(file("n.md"), testing::HasSubstr("by a command"));
  put("n.md", "---\ntitle: N2\n---\nby a command, and typed\n");
  tell(guest, "file_saved", "n.md");
  EXPECT_EQ(body(), "by a command, and typed\n");
  EXPECT_EQ(fake_host().files.size(), 2u);
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "idle");
  EXPECT_THAT(fake_host().requests, Not(Contains("send_binary")));
  EXPECT_THAT(fake_host().events, Not(Contains(testing::HasSubstr("SyncStatusChanged"))));
  ASSERT_TRUE(guest.shutdown());

  Guest again;
  ASSERT_TRUE(again.init(kNowhere));
  EXPECT_THAT(snapshots(again), testing::HasSubstr("precious"));
  // It goes along into the first workspace that the folder is linked to, and nowhere else.
  data(again, "LinkWorkspace", Json{}.set("remote_id", "A").set("server_url", "http://s"));
  EXPECT_THAT(snapshots(again), testing::HasSubstr("precious"));
  ASSERT_TRUE(again.shutdown());
  Guest elsewhere;
  ASSERT_TRUE(elsewhere.init(R"({"workspace_root":".","workspace_id":"C"})"));
  EXPECT_EQ(data(elsewhere, "ListCrdtFiles").dump(), "[]");
}

// Native hosts name folders by their absolute paths, which no id of a document could hold.
TEST(Guest, WorksInAnUnlinkedFolderWhateverItsPathIs) {
  for (const std::string& root :
       {std::string("/home/me/notes"), "/" + std::string(300, 'x'), std::string("C:\\notes")}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(Json{}.set("workspace_root", root).dump()));
    std::string folder = root;
    std::ranges::replace(folder, '\\', '/');
    put(folder + "/n.md", "---\ntitle: N\n---\ntext\n");
    tell(guest, "file_created", folder + "/n.md");
    EXPECT_EQ(data(guest, "GetBodyContent", Json{}.set("doc_name", "n.md")).find("content")->dump(), R"("text\n")");
    data(guest, "SetBodyContent", Json{}.set("doc_name", "n.md").set("content", "by a command\n"));
    EXPECT_THAT(file(folder + "/n.md"), testing::HasSubstr("by a command"));
    EXPECT_THAT(fake_host().events, Not(Contains(testing::HasSubstr("error"))));
    EXPECT_EQ(data(guest, "CreateSnapshot", named()).integer_member("files"), 1);
    ASSERT_TRUE(guest.shutdown());
    Guest again;
    ASSERT_TRUE(again.init(Json{}.set("workspace_root", root).dump()));
    EXPECT_THAT(snapshots(again), testing::HasSubstr("precious"));
  }
}

// The workspace is opened in another place, with the same storage. What is not there was not deleted.
TEST(Guest, TakesAnotherFolderForAnotherFolderAndNotForAnEmptiedOne) {
  const auto options = [](std::string_view root) {
    return Json{}
        .set("workspace_id", "A")
        .set("workspace_root", root)
        .set("server_url", "http://s")
        .set("auth_token", "t")
        .dump();
  };
  for (const std::string_view how : {"init", "restart", "workspace_opened", "link"}) {
    SCOPED_TRACE(how);
    fake_host() = {};
    fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"id":"A","name":"x"})"))};
    for (const std::string name : {"x", "y", "z"}) put("/a/" + name + ".md", "text of " + name + "\n");
    auto guest = std::make_unique<Guest>();
    ASSERT_TRUE(guest->init(options("/a")));
    const auto connect = [&] {
      ASSERT_TRUE(guest->on_connected(R"({"workspace_id":"A"})"));
      for (const std::string_view id : {"workspace:A", "body:A/x.md", "body:A/y.md", "body:A/z.md", "body:A/b.md"})
        answer_empty(*guest, id);
    };
    connect();
    ASSERT_EQ(data(*guest, "ListCrdtFiles").as_array()->size(), 3u);
    put("/b/b.md", "other\n");
    if (how == "restart") {
      ASSERT_TRUE(guest->shutdown());
      guest = std::make_unique<Guest>();
    }
    if (how == "init" || how == "restart") ASSERT_TRUE(guest->init(options("/b")));
    if (how == "workspace_opened")
      ASSERT_TRUE(guest->on_event(R"({"event_type":"workspace_opened","payload":{"workspace_root":"/b"}})"));
    if (how == "link") data(*guest, "LinkWorkspace", Json{}.set("remote_id", "A").set("workspace_root", "/b"));
    connect();
    EXPECT_EQ(data(*guest, "ListCrdtFiles").as_array()->size(), 4u);
    for (const std::string name : {"x", "y", "z"}) {
      EXPECT_EQ(file("/a/" + name + ".md"), "text of " + name + "\n");
      EXPECT_EQ(file("/b/" + name + ".md"), "text of " + name + "\n");
    }
    // And the same folder under a new name is still the same: what is missing there was deleted.
    for (const std::string name : {"b", "x", "y"}) put("/c/" + name + ".md", file("/b/" + name + ".md"));
    ASSERT_TRUE(guest->shutdown());
    guest = std::make_unique<Guest>();
    ASSERT_TRUE(guest->init(options("/c")));
    connect();
    EXPECT_EQ(data(*guest, "ListCrdtFiles").as_array()->size(), 3u);
    EXPECT_EQ(file("/c/z.md"), "(none)");
  }
}

TEST(Guest, KeepsUnlinkedFoldersApart) {
  fake_host() = {};
  put("/a/x.md", "text\n");
  put("/b/y.md", "text\n");
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_root":"/a"})"));
  tell(guest, "file_saved", "/a/x.md");
  const auto opened = [&](std::string_view root) {
    const Json event = Json{}.set("event_type", "workspace_opened").set("payload", Json{}.set("workspace_root", root));
    EXPECT_TRUE(guest.on_event(event.dump()));
  };
  opened("/b");
  tell(guest, "file_saved", "/b/y.md");
  EXPECT_THAT(data(guest, "ListCrdtFiles").dump(),
              testing::AllOf(testing::HasSubstr("y.md"), Not(testing::HasSubstr("x.md"))));
  opened("/a");
  EXPECT_THAT(data(guest, "ListCrdtFiles").dump(),
              testing::AllOf(testing::HasSubstr("x.md"), Not(testing::HasSubstr("y.md"))));
  EXPECT_EQ(file("/a/x.md") + file("/b/y.md"), "text\ntext\n");
}

TEST(Guest, WritesNothingIntoAFolderThatNobodyNamed) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_root":null})"));
  data(guest, "SetCrdtFile", Json{}.set("path", "docs/gone.md").set("metadata", Json{}.set("title", "G")));
  tell(guest, "file_deleted", "docs/gone.md");
  EXPECT_EQ(data(guest, "ListCrdtFiles").dump(), "[]");
  EXPECT_TRUE(fake_host().files.empty());
}

// Hosts answer "no files" when they may not look; a folder must not be taken for emptied then.
TEST(Guest, DoesNotTakeAnUnreadableFolderForADeletedOne) {
  fake_host() = {};
  fake_host().files["a.md"] = to_bytes(as_bytes("# A\n"));
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_id":"w","workspace_root":"."})"));
  fake_host().files.clear();
  ASSERT_TRUE(guest.on_event(R"({"event_type":"workspace_opened","payload":{"workspace_root":"."}})"));
  const Json all = *command(guest, "ListCrdtFiles", Json{}.set("include_deleted", true)).find("data");
  for (const Json& pair : *all.as_array()) EXPECT_EQ((*pair.as_array())[1].bool_member("deleted"), false);
}

TEST(Guest, SaysWhichPathsCannotBeSynced) {
  const std::string is_long = "notes/" + std::string(240, 'n') + ".md";
  for (const bool by_event : {false, true}) {
    SCOPED_TRACE(by_event ? "by an event" : "found");
    fake_host() = {};
    put("a.md", "a\n");
    if (!by_event) put(is_long, "text\n");
    Guest guest;
    ASSERT_TRUE(guest.init(kWorkspaceA));
    put(is_long, "text\n");
    if (by_event) tell(guest, "file_created", is_long);
    EXPECT_THAT(fake_host().logs, Contains(testing::AllOf(testing::HasSubstr(is_long), testing::HasSubstr("213"))));
    EXPECT_THAT(fake_host().events,
                Contains(testing::AllOf(testing::HasSubstr("\"error\""), testing::HasSubstr(is_long))));
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), Not(testing::HasSubstr("nnnn")));
    EXPECT_EQ(file(is_long), "text\n");
  }
}

// Native hosts name none while no workspace is open, and relative paths count from the directory of their process.
TEST(Guest, LooksIntoNoFolderThatNobodyNamedAndIntoThatWhichIsNamedLater) {
  for (const bool is_linked_later : {false, true}) {
    fake_host() = {};
    put("private.md", "of no workspace\n");
    put("/w/n.md", "text\n");
    Guest guest;
    constexpr std::string_view kServer = R"({"server_url":"http://s","auth_token":"t"})";
    ASSERT_TRUE(guest.set_config(kServer));
    ASSERT_TRUE(guest.init(is_linked_later ? "{}" : R"({"workspace_id":"A","workspace_root":null})"));
    fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"id":"A","name":"x"})"))};
    if (is_linked_later) data(guest, "LinkWorkspace", Json{}.set("remote_id", "A"));
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
    for (const std::string_view id : {"workspace:A", "body:A/private.md"}) answer_empty(guest, id);
    data(guest, "SetCrdtFile", Json{}.set("path", "made.md").set("metadata", Json{}.set("title", "M")));
    data(guest, "SetBodyContent", Json{}.set("doc_name", "made.md").set("content", "by a command\n"));
    ASSERT_TRUE(guest.on_snapshot_imported());
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), Not(testing::HasSubstr("private.md")));
    EXPECT_EQ(fake_host().files.size(), 2u);

    ASSERT_TRUE(guest.on_event(R"({"event_type":"workspace_opened","payload":{"workspace_root":"/w"}})"));
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));  // another session, so another line
    for (const std::string_view id : {"workspace:A", "body:A/made.md", "body:A/n.md"}) answer_empty(guest, id);
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), testing::HasSubstr("n.md"));
    EXPECT_THAT(file("/w/made.md"), testing::HasSubstr("by a command"));
    EXPECT_EQ(fake_host().files.size(), 3u);
  }
}

TEST(Guest, TakesNoSnapshotOfAFolderThatNobodyNamed) {
  fake_host() = {};
  put("private.md", "of no workspace\n");
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  EXPECT_EQ(data(guest, "CreateSnapshot", named()).integer_member("files"), 0);
}

// A host that cannot rename is asked to write the new name and to delete the old one, and may refuse either for a while.
TEST(Guest, LeavesNoOldNameOfAFileThatWasRenamedElsewhere) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  answer_empty(guest, "workspace:A");
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  answer_empty(guest, "body:A/a.md");

  crdt::Doc theirs({.client = ClientId{7}});
  const Json state = data(guest, "GetFullState");
  ASSERT_TRUE(theirs.apply_update_v1(*from_base64(*state.string_member("data"))));
  crdt::Map files = theirs.map("files");
  sync::FileMetadata entry = sync::parse_metadata(*files.get_string("a.md"))->value;
  sync::FileMetadata left = entry;
  left.deleted = true;
  left.extra.push_back({"_to", Json("b.md")});
  entry.filename = "b.md";
  crdt::Transaction txn = theirs.transact();
  files.set(txn, "a.md", crdt::Any::string(sync::format_metadata(left)));
  files.set(txn, "b.md", crdt::Any::string(sync::format_metadata(entry)));
  const Bytes renamed = std::move(txn).commit().update_v1();
  fake_host().stubborn = {"a.md"};
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame("workspace:A", {sync::Update{renamed}})));
  EXPECT_EQ(file("b.md"), "text\n");
  const auto expect_one_file = [&] {
    EXPECT_EQ(guest.session()->replica().text_files(), std::vector<std::string>{"b.md"});
  };
  for (const std::string_view event : {"workspace_opened", "file_saved"}) {  // all is looked at, and that one alone
    const Json payload = Json{}.set("workspace_root", ".").set("path", "a.md");
    ASSERT_TRUE(guest.on_event(Json{}.set("event_type", event).set("payload", payload).dump()));
    answer_empty(guest, "workspace:A");
    expect_one_file();
  }
  ASSERT_TRUE(guest.shutdown());
  ASSERT_TRUE(guest.init(kWorkspaceA));
  expect_one_file();
  EXPECT_EQ(file("a.md"), "text\n");
  fake_host().stubborn.clear();
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  for (const std::string_view id : {"workspace:A", "body:A/a.md"}) answer_empty(guest, id);
  for (int i = 0; i < 3; ++i) {
    fake_host().clock += 3'000;
    data(guest, "GetSyncStatus");
  }
  EXPECT_EQ(file("a.md"), "(none)");
  EXPECT_EQ(file("b.md"), "text\n");
  expect_one_file();
}

// Another device listed a note and lost its text before it could send it. The file that is here under that name is another one, and is
// kept under a name of its own and under no second one.
TEST(Guest, KeepsAFileOnceWhereAnotherIsListedWithoutItsText) {
  fake_host() = {};
  put("d.md", "ours\n");
  crdt::Doc theirs({.client = ClientId{7}});
  crdt::Transaction txn = theirs.transact();
  theirs.map("files").set(txn, "d.md",
                          crdt::Any::string(R"({"filename":"d.md","deleted":false,"extra":{"_id":"c220c2e1bc9ee881",)"
                                            R"("_doc":"~c220c2e1bc9ee881","_h":"e3b0c442","_t":"1"}})"));
  const Bytes listed = std::move(txn).commit().update_v1();
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame("workspace:A", {sync::SyncStep2{listed}})));
  answer_empty(guest, "body:A/~c220c2e1bc9ee881");
  const std::vector<std::string> notes = guest.session()->replica().text_files();
  ASSERT_EQ(notes.size(), 2u);
  EXPECT_EQ(file(notes.front()), "ours\n");
  EXPECT_EQ(file("d.md"), "(none)");
}

}  // namespace
}  // namespace diaryx::plugin
