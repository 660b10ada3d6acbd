#include "guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "commands.h"
#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/update.h"
#include "diaryx/sync/frame.h"
#include "envelope.h"
#include "fake_host.h"
#include "zip.h"

namespace diaryx::plugin {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

Json command(Guest& guest, std::string_view name, const Json& params = Json::object()) {
  const Outcome response = guest.handle_command(Json{}.set("command", name).set("params", params).dump());
  EXPECT_TRUE(response);
  return response ? *Json::parse(*response) : Json{};
}

TEST(Guest, DescribesItselfWithoutTheHost) {
  fake_host() = {};
  const Json manifest = *Json::parse(Guest().manifest());
  EXPECT_EQ(manifest.string_member("id"), "diaryx.sync");
  EXPECT_TRUE(fake_host().logs.empty());
  EXPECT_TRUE(fake_host().set_keys.empty());
}

TEST(Guest, DeclaresWhatHostsLookForAndNothingTwice) {
  std::vector<std::string_view> names = declared_commands();
  EXPECT_THAT(names, IsSupersetOf({"GetSyncStatus", "SyncFocusedFileNow", "get_config", "LinkWorkspace"}));
  EXPECT_THAT(names, Not(Contains("EndShareSession")));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Guest, ShutsDownWithoutInitAndWritesNothing) {
  fake_host() = {};
  Guest guest;
  EXPECT_TRUE(guest.shutdown());
  EXPECT_TRUE(fake_host().set_keys.empty());
}

TEST(Guest, TakesMissingParametersForNone) {
  fake_host() = {};
  Guest guest;
  EXPECT_TRUE(guest.handle_command(R"({"command":"GetSyncStatus"})"));
  EXPECT_TRUE(guest.handle_command(R"({"command":"GetSyncStatus","params":null})"));
  EXPECT_FALSE(guest.handle_command(R"({"params":{}})"));
  EXPECT_FALSE(guest.handle_command("{"));
}

TEST(Guest, FindsThePreviousStateAtItsNextStart) {
  fake_host() = {};
  {
    Guest guest;
    ASSERT_TRUE(guest.init("{}"));
    command(guest, "SetCrdtFile", Json{}.set("path", "a.md").set("metadata", Json{}.set("title", "A")));
  }
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  const Json answer = command(guest, "GetCrdtFile", Json{}.set("path", "./a.md"));
  ASSERT_NE(answer.find("data"), nullptr);
  EXPECT_EQ(answer.find("data")->string_member("title"), "A");
}

TEST(Guest, EmptiesADocumentByAnEditThatIsKept) {
  fake_host() = {};
  const Json note = Json{}.set("doc_name", "a.md");
  const auto content = [&](Guest& guest) {
    return *command(guest, "GetBodyContent", note).find("data")->find("content")->as_string();
  };
  {
    Guest guest;
    ASSERT_TRUE(guest.init("{}"));
    command(guest, "SetBodyContent", Json{note}.set("content", "some text"));
    EXPECT_EQ(content(guest), "some text");
    EXPECT_EQ(command(guest, "ResetBodyDoc", note).bool_member("success"), true);
    EXPECT_EQ(content(guest), "");
    EXPECT_EQ(command(guest, "ResetBodyDoc").bool_member("success"), false);
  }
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  EXPECT_EQ(content(guest), "");
  EXPECT_FALSE(command(guest, "GetHistory", note).find("data")->as_array()->empty());
}

TEST(Guest, StartsAnewForAnotherWorkspaceAndLeavesTheFiles) {
  fake_host() = {};
  fake_host().files["a.md"] = {'x'};
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_id":"one","workspace_root":"."})"));
  command(guest, "SetCrdtFile", Json{}.set("path", "b.md").set("metadata", Json::object()));
  ASSERT_TRUE(guest.shutdown());
  ASSERT_TRUE(guest.init(R"({"workspace_id":"two","workspace_root":"."})"));
  EXPECT_EQ(command(guest, "ListCrdtFiles").find("data")->dump(), "[]");
  EXPECT_TRUE(fake_host().files.contains("a.md"));
}

Json data(Guest& guest, std::string_view name, const Json& params = Json::object()) {
  const Json answer = command(guest, name, params);
  EXPECT_EQ(answer.bool_member("success"), true) << name << ": " << answer.dump();
  const Json* found = answer.find("data");
  return found ? *found : Json{};
}

void put(std::string_view path, std::string_view text) {
  fake_host().files.insert_or_assign(std::string(path), to_bytes(as_bytes(text)));
}

std::string file(std::string_view path) {
  const auto found = fake_host().files.find(path);
  return found == fake_host().files.end() ? "(none)" : std::string(as_text(found->second));
}

void tell(Guest& guest, std::string_view event, std::string_view path) {
  EXPECT_TRUE(guest.on_event(Json{}.set("event_type", event).set("payload", Json{}.set("path", path)).dump()));
}

const Json kNamed = Json{}.set("name", "precious");
constexpr std::string_view kWorkspaceA =
    R"({"workspace_id":"A","workspace_root":".","server_url":"http://s","auth_token":"t"})";
constexpr std::string_view kNowhere = R"({"workspace_root":"."})";

std::string snapshots(Guest& guest) { return data(guest, "ListSnapshots").find("snapshots")->dump(); }

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

void make_a_snapshot(Guest& guest) {
  data(guest, "SetCrdtFile", Json{}.set("path", "a.md").set("metadata", Json{}.set("title", "A")));
  data(guest, "CreateSnapshot", kNamed);
}

TEST(Guest, FindsWhatAWorkspaceHadWhenItIsLinkedAgain) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  make_a_snapshot(guest);
  data(guest, "UnlinkWorkspace");
  EXPECT_THAT(snapshots(guest), testing::HasSubstr("precious"));
  data(guest, "LinkWorkspace", Json{}.set("remote_id", "B"));
  EXPECT_EQ(snapshots(guest), "[]");
  EXPECT_EQ(data(guest, "ListCrdtFiles").dump(), "[]");
  data(guest, "LinkWorkspace", Json{}.set("remote_id", "A"));
  EXPECT_THAT(snapshots(guest), testing::HasSubstr("precious"));
  ASSERT_TRUE(guest.shutdown());

  Guest later;
  ASSERT_TRUE(later.init(R"({"workspace_root":".","workspace_id":"B"})"));
  EXPECT_EQ(snapshots(later), "[]");
  ASSERT_TRUE(later.init(R"({"workspace_root":".","workspace_id":"A"})"));
  EXPECT_THAT(snapshots(later), testing::HasSubstr("precious"));
  data(later, "UnlinkWorkspace");
  ASSERT_TRUE(later.shutdown());
  ASSERT_TRUE(later.init(kNowhere));
  EXPECT_THAT(snapshots(later), testing::HasSubstr("precious"));
}

TEST(Guest, ComesBackFromASharedSessionAsItWas) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  make_a_snapshot(guest);
  data(guest, "ConnectLiveShareSession", Json{}.set("workspace_id", "X").set("session_code", "abcd"));
  EXPECT_EQ(data(guest, "ListCrdtFiles").dump(), "[]");
  data(guest, "DisconnectLiveShareSession");
  EXPECT_NE(data(guest, "ListCrdtFiles").dump(), "[]");
  EXPECT_THAT(snapshots(guest), testing::HasSubstr("precious"));
  fake_host().set_keys.clear();
  data(guest, "SetBodyContent", Json{}.set("doc_name", "a.md").set("content", "more"));
  EXPECT_FALSE(fake_host().set_keys.empty());
}

TEST(Guest, TellsASharedSessionNothingOfItsOwnFolder) {
  for (const std::string_view own : {kNowhere, kWorkspaceA}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(own));
    put("README.md", "---\ntitle: Private\ncontents: [diary.md]\n---\n");
    put("diary.md", "secret\n");
    data(guest, "InitializeWorkspaceCrdt", Json{}.set("workspace_path", "README.md"));
    data(guest, "SetBodyContent", Json{}.set("doc_name", "diary.md").set("content", "secret\n"));
    data(guest, "ConnectLiveShareSession",
         Json{}.set("workspace_id", "X").set("session_code", "abcd").set("server_url", "http://s"));
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"X","write_to_disk":false})"));
    tell(guest, "file_saved", "diary.md");
    EXPECT_EQ(data(guest, "ListCrdtFiles").dump(), "[]");
    EXPECT_EQ(data(guest, "GetBodyContent", Json{}.set("doc_name", "diary.md")).find("content")->dump(), "\"\"");
    EXPECT_EQ(
        command(guest, "InitializeWorkspaceCrdt", Json{}.set("workspace_path", "README.md")).bool_member("success"),
        false);
    data(guest, "SetCrdtFile", Json{}.set("path", "theirs.md").set("metadata", Json::object()));
    data(guest, "DisconnectLiveShareSession");
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), testing::HasSubstr("diary.md"));
    ASSERT_TRUE(guest.shutdown());
    ASSERT_TRUE(guest.init(own));
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), Not(testing::HasSubstr("theirs.md")));
  }
}

TEST(Guest, GreetsTheServerOnceWhenItsWorkspaceChanges) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.set_config(R"({"workspace_id":"B"})"));
  fake_host().requests.clear();
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"B"})"));
  EXPECT_EQ(std::ranges::count(fake_host().requests, "send_binary"), 1);
  data(guest, "CreateSnapshot", kNamed);
}

TEST(Guest, DoesNotWriteOverAConfigThatItCouldNotSee) {
  fake_host() = {};
  {
    Guest guest;
    ASSERT_TRUE(guest.init(kWorkspaceA));
    ASSERT_TRUE(guest.shutdown());
  }
  const Bytes stored = fake_host().storage["sync.extism.config"];
  const Bytes device = fake_host().storage["sync.device"];
  fake_host().is_blind = true;
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  EXPECT_EQ(fake_host().storage["sync.extism.config"], stored);
  fake_host().is_blind = false;
  EXPECT_EQ(data(guest, "get_config").string_member("workspace_id"), "A");
  EXPECT_NE(data(guest, "GetSyncStatus").string_member("state"), "idle");
  EXPECT_EQ(fake_host().storage["sync.extism.config"], stored);
  EXPECT_EQ(fake_host().storage["sync.device"], device);
  ASSERT_TRUE(guest.set_config(R"({"workspace_id":null})"));
  EXPECT_NE(fake_host().storage["sync.extism.config"], stored);
}

TEST(Guest, KeepsADamagedConfigAside) {
  fake_host() = {};
  fake_host().storage["sync.extism.config"] = to_bytes(as_bytes(R"({"server_url":)"));
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  EXPECT_EQ(as_text(fake_host().storage["damaged:sync.extism.config"]), R"({"server_url":)");
  EXPECT_THAT(fake_host().logs, Contains(testing::HasSubstr("damaged")));
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
  EXPECT_EQ(data(guest, "CreateSnapshot", kNamed).integer_member("files"), 2);
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
    EXPECT_EQ(data(guest, "CreateSnapshot", kNamed).integer_member("files"), 1);
    ASSERT_TRUE(guest.shutdown());
    Guest again;
    ASSERT_TRUE(again.init(Json{}.set("workspace_root", root).dump()));
    EXPECT_THAT(snapshots(again), testing::HasSubstr("precious"));
  }
}

// A server that has nothing but what it is sent: it answers for one document.
void answer_empty(Guest& guest, std::string_view doc_id) {
  const Bytes none = crdt::StateVector{}.encode();
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame(doc_id, {sync::SyncStep2{sync::kEmptyUpdate}})));
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame(doc_id, {sync::SyncStep1{none}})));
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

TEST(Guest, TakesNoNewWriterForEachCommand) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  const Json note = Json{}.set("doc_name", "a.md");
  for (int i = 0; i < 20; ++i) data(guest, "SetBodyContent", Json{note}.set("content", std::string(i, 'x') + "\n"));
  put("a.md", "xxxxxxxxxxxxxxxxxxx and typed\n");
  tell(guest, "file_saved", "a.md");
  EXPECT_EQ(*data(guest, "GetBodyContent", note).find("content")->as_string(), "xxxxxxxxxxxxxxxxxxx and typed\n");
  // The import, the commands, and what was typed in the file: a state vector of three clients, of at most eight bytes each.
  EXPECT_LT(data(guest, "GetBodySyncState", note).string_member("data")->size(), 36u);
}

TEST(Guest, AsksTheServerBeforeItLinksToAWorkspaceThereIs) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  const Json link = Json{}.set("remote_id", "no such").set("server_url", "http://s");
  fake_host().http_answer = {.status = 404, .body = to_bytes(as_bytes("not found"))};
  const Json answer = command(guest, "LinkWorkspace", link);
  EXPECT_EQ(answer.string_member("error"), "HTTP 404: not found");
  EXPECT_EQ(fake_host().http_requests.back().url, "http://s/api/workspaces/no%20such");
  EXPECT_EQ(data(guest, "get_config").find("workspace_id")->dump(), "null");
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"id":"no such","name":"x"})"))};
  data(guest, "LinkWorkspace", link);
}

TEST(Guest, ReplacesNothingOnTheServerByWhatItCouldNotRead) {
  fake_host() = {};
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"files_imported":2})"))};
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_root":"/w"})"));
  const auto upload = [&](std::string_view mode, std::string_view root) {
    return command(
        guest, "UploadWorkspaceSnapshot",
        Json{}.set("server_url", "http://s").set("remote_id", "A").set("mode", mode).set("workspace_root", root));
  };
  EXPECT_THAT(upload("replace", "").dump(), testing::HasSubstr("No file was found"));
  put("/w/a.md", "a\n");
  put("/w/b.md", "b\n");
  fake_host().unreadable = {"/w/b.md"};
  EXPECT_THAT(upload("replace", "").dump(), testing::HasSubstr("b.md cannot be read"));
  EXPECT_TRUE(fake_host().http_requests.empty());
  EXPECT_EQ(upload("merge", "").find("data")->integer_member("files_uploaded"), 1);
  fake_host().unreadable.clear();
  // Neither blank nor "." is the folder of the host's process.
  for (const std::string_view root : {"", " ", "."})
    EXPECT_EQ(upload("replace", root).find("data")->integer_member("files_uploaded"), 2) << root;
}

TEST(Guest, ConnectsAgainAfterTheHostRefused) {
  fake_host() = {};
  fake_host().refusal = "bad url";
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  EXPECT_THAT(fake_host().events, testing::ElementsAre(testing::HasSubstr("bad url")));
  fake_host().requests.clear();
  for (int i = 0; i < 3; ++i) {
    fake_host().clock += 31'000;
    data(guest, "GetSyncStatus");
  }
  EXPECT_EQ(std::ranges::count(fake_host().requests, "connect"), 3);
  EXPECT_EQ(fake_host().events.size(), 1u);
  fake_host().refusal.clear();
  fake_host().clock += 31'000;
  data(guest, "GetSyncStatus");
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "connecting");
}

// A24: the goodbye of an old line may come after the greeting of the new one.
TEST(Guest, TakesAFrameForASignThatTheLineIsOpen) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  const auto state = [&] { return std::string(*data(guest, "GetSyncStatus").string_member("state")); };
  ASSERT_TRUE(guest.on_connected("{}"));
  ASSERT_TRUE(guest.on_disconnected());
  EXPECT_EQ(state(), "reconnecting");
  answer_empty(guest, "workspace:A");
  EXPECT_EQ(state(), "syncing");
  data(guest, "UnlinkWorkspace");
  answer_empty(guest, "workspace:A");  // on its way when the line was closed
  EXPECT_EQ(state(), "idle");
}

// A6: a server may want a new device to unpack its snapshot before anything else.
TEST(Guest, UnpacksTheSnapshotThatTheServerWantsUnpackedAndGoesOn) {
  ZipWriter zip;
  ASSERT_TRUE(zip.add("a.md", as_bytes("old text\n")));
  ASSERT_TRUE(zip.add("new/p.png", as_bytes("bytes")));
  const Bytes good = std::move(zip).finish();
  constexpr std::string_view kManifest = R"({"type":"file_manifest","files":[],"client_is_new":true})";
  for (const int64_t status : {200, 503}) {
    fake_host() = {};
    fake_host().http_answer = {.status = status, .body = good};
    put("a.md", "mine\n");
    Guest guest;
    ASSERT_TRUE(guest.init(kWorkspaceA));
    ASSERT_TRUE(guest.on_connected("{}"));
    const auto actions = decode_envelope(*guest.on_text(kManifest));
    ASSERT_TRUE(actions);
    EXPECT_THAT(*actions, Contains(testing::Field(&EnvelopeAction::type, ActionType::DownloadSnapshot)));
    EXPECT_EQ(fake_host().http_requests.front().url, "http://s/api/workspaces/A/snapshot?include_attachments=true");
    EXPECT_THAT(fake_host().requests, Contains(R"({"type":"FilesReady"})"));
    EXPECT_EQ(file("a.md"), "mine\n");
    EXPECT_EQ(file("new/p.png"), status == 200 ? "bytes" : "(none)");
    const auto told = Contains(testing::HasSubstr("HTTP 503"));
    if (status == 200)
      EXPECT_THAT(fake_host().events, Not(told));
    else
      EXPECT_THAT(fake_host().events, told);
  }
}

TEST(Guest, PassesOnWhatTheServerSaysAndIgnoresWhatItCannotRead) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  fake_host().events.clear();
  for (const std::string_view text :
       {"no json", R"({"type":"session_joined","join_code":"x"})", R"({"type":"sync_complete"})"})
    ASSERT_TRUE(guest.on_text(text));
  EXPECT_TRUE(fake_host().events.empty());
  EXPECT_EQ(data(guest, "GetSyncStatus").find("detail")->as_string() == nullptr ||
                data(guest, "GetSyncStatus").string_member("detail")->find("control") == std::string_view::npos,
            true);
  ASSERT_TRUE(guest.on_text(R"({"type":"sync_progress","completed":1,"total":3})"));
  ASSERT_TRUE(guest.on_text(R"({"type":"sync_complete","files_synced":3})"));
  const auto envelope = guest.on_text(R"({"type":"focus_list_changed","files":["a.md"]})");
  ASSERT_TRUE(envelope);
  EXPECT_THAT(std::string(as_text(*envelope)), testing::HasSubstr("focusListChanged"));
  EXPECT_THAT(fake_host().events, testing::ElementsAre(R"({"type":"SyncProgress","completed":1,"total":3})",
                                                       R"({"files_synced":3,"type":"SyncCompleted","doc_name":""})",
                                                       R"({"files":["a.md"],"type":"FocusListChanged"})"));
}

TEST(Guest, StoresTheBodyThatItIsTold) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  EXPECT_EQ(command(guest, "SaveBodyDoc").string_member("error"), "Plugin command error: Missing parameter: doc_name");
  EXPECT_TRUE(data(guest, "SaveBodyDoc", Json{}.set("doc_name", "a.md")).is_null());
}

TEST(Guest, RefusesMetadataOfTheWrongType) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  const auto set = [&](std::string_view path, Json metadata) {
    return *command(guest, "SetCrdtFile", Json{}.set("path", path).set("metadata", std::move(metadata)))
                .bool_member("success");
  };
  EXPECT_FALSE(set("a.md", Json{}.set("modified_at", "x")));
  EXPECT_FALSE(set("a.md", Json{}.set("modified_at", Json{})));
  EXPECT_FALSE(set("a.md", Json{}.set("deleted", Json{})));
  for (const std::string_view wrong :
       {R"({"contents":"b.md"})", R"({"audience":["me",1]})", R"({"deleted":1})", R"({"title":[]})", R"({"part_of":4})",
        R"({"extra":[]})", R"({"modified_at":1.5})", R"({"filename":null})", R"({"attachments":["x.png"]})",
        R"({"attachments":[{"path":"x.png"}]})", R"({"attachments":{}})"})
    EXPECT_FALSE(set("a.md", *Json::parse(wrong))) << wrong;
  EXPECT_TRUE(data(guest, "GetCrdtFile", Json{}.set("path", "a.md")).is_null());
  EXPECT_FALSE(set("a.tmp", Json::object()));
  EXPECT_FALSE(set("a.md.bak", Json::object()));
  EXPECT_TRUE(set("a.md", Json{}.set("title", 5).set("audience", Json{}).set("junk", 1)));
  const auto ref = [](std::string_view hash, int size, bool deleted) {
    return Json{}.set("attachments", Json::array().push(Json{}
                                                            .set("path", "x.png")
                                                            .set("source", "local")
                                                            .set("hash", hash)
                                                            .set("mime_type", "image/png")
                                                            .set("size", size)
                                                            .set("deleted", deleted)));
  };
  EXPECT_TRUE(set("a.md", ref("h1", 3, false)));
  EXPECT_TRUE(set("a.md", ref("", 9, true)));
  const std::string kept = data(guest, "GetCrdtFile", Json{}.set("path", "a.md")).dump();
  EXPECT_THAT(kept, testing::HasSubstr(R"("hash":"h1")"));
  EXPECT_THAT(kept, testing::HasSubstr(R"("size":9)"));
}

TEST(Guest, WritesWhatAnUpdateChangesWhenItIsAsked) {
  Json list;
  Json text;
  {
    fake_host() = {};
    Guest maker;
    ASSERT_TRUE(maker.init("{}"));
    data(maker, "SetCrdtFile", Json{}.set("path", "a.md").set("metadata", Json{}.set("title", "A")));
    data(maker, "SetBodyContent", Json{}.set("doc_name", "a.md").set("content", "text of a\n"));
    list = data(maker, "GetFullState");
    text = data(maker, "GetBodyFullState", Json{}.set("doc_name", "a.md"));
  }
  for (const std::string_view options : {std::string_view("{}"), kWorkspaceA}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(options));
    const Json update = Json{}.set("update", *list.find("data")).set("write_to_disk", true);
    EXPECT_TRUE(data(guest, "ApplyRemoteWorkspaceUpdateWithEffects", update).integer_member("update_id"));
    data(guest, "ApplyRemoteBodyUpdateWithEffects",
         Json{}.set("doc_name", "a.md").set("update", *text.find("data")).set("write_to_disk", true));
    EXPECT_THAT(file("a.md"), testing::HasSubstr("text of a"));
  }
}

TEST(Guest, SaysBeforeInitThatItIsNotReady) {
  fake_host() = {};
  Guest guest;
  for (const std::string_view name : {"TriggerWorkspaceSync", "IsSyncComplete", "GetActiveSyncs", "MarkSyncComplete",
                                      "TrackContent", "CreateUpdateMessage", "GetHistory", "SetBodyContent"})
    EXPECT_EQ(command(guest, name).string_member("error"), kNotInitialized) << name;
  ASSERT_TRUE(guest.set_config(R"({"server_url":"HTTPS://s","auth_token":"t","workspace_id":"A"})"));
  ASSERT_TRUE(guest.shutdown());
  EXPECT_EQ(fake_host().requests.back(), "disconnect");
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

TEST(Guest, RefusesIdsAndPathsThatDoNotFitIntoAFrame) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  const auto error = [&](std::string_view name, const Json& params) {
    return std::string(command(guest, name, params).string_member("error").value_or("none"));
  };
  const std::string is_long(300, 'n');
  for (const std::string& id : {is_long, std::string("a/b")}) {
    const Json link = Json{}.set("remote_id", id).set("server_url", "http://s").set("link", true);
    EXPECT_THAT(error("LinkWorkspace", link), testing::HasSubstr("id of the workspace"));
    EXPECT_THAT(error("DownloadWorkspace", link), testing::HasSubstr("id of the workspace"));
    EXPECT_THAT(error("PrepareLiveShareRuntime", Json{}.set("workspace_id", id)),
                testing::HasSubstr("id of the workspace"));
  }
  EXPECT_TRUE(fake_host().http_requests.empty());
  EXPECT_EQ(data(guest, "get_config").find("workspace_id")->dump(), "null");
  for (const char* name : {"GetBodyContent", "SetBodyContent", "ResetBodyDoc", "CreateBodyUpdate"}) {
    const Json params = Json{}.set("doc_name", is_long + ".md").set("content", "x");
    EXPECT_THAT(error(name, params), testing::HasSubstr("longer than 213 bytes")) << name;
  }
  EXPECT_EQ(data(guest, "ListLoadedBodyDocs").dump(), "[]");
}

TEST(Guest, SaysWhatIsMissingAndNoticesWhenSomebodySignsIn) {
  fake_host() = {};
  Guest guest;
  const auto status = [&] { return data(guest, "GetSyncStatus").dump(); };
  ASSERT_TRUE(guest.init(R"({"workspace_id":"A","workspace_root":"."})"));
  EXPECT_EQ(status(),
            R"({"state":"idle","label":"Idle","detail":"Sync server URL is not configured","progress":null})");
  fake_host().context = Json{}.set("server_url", "http://s");
  EXPECT_EQ(status(), R"({"state":"idle","label":"Idle","detail":"Sign in to enable sync","progress":null})");
  EXPECT_THAT(fake_host().requests, Not(Contains("connect")));
  fake_host().context.set("auth_token", "t");
  EXPECT_THAT(status(), testing::HasSubstr(R"("state":"connecting")"));
  EXPECT_THAT(fake_host().requests, Contains("connect"));
}

// What a folder shares that is linked to nothing: the files on its disk, whether anybody told of them or not.
TEST(Guest, LendsTheDocumentsOfAnUnlinkedFolderToAShare) {
  fake_host() = {};
  const auto body = [](Guest& guest) {
    return *data(guest, "GetBodyContent", Json{}.set("doc_name", "n.md")).find("content")->as_string();
  };
  const auto shared = [](Guest& guest) {
    const Json sent = data(guest, "TriggerWorkspaceSync");
    EXPECT_EQ(sent.bool_member("emitted"), true);
    return std::string(as_text(*from_base64(*sent.string_member("data"))));
  };
  const Json share = Json{}.set("workspace_id", "S");
  put("/w/n.md", "---\ntitle: N\n---\ntext\n");
  put("/w/m.md", "untold\n");
  auto guest = std::make_unique<Guest>();
  ASSERT_TRUE(guest->init(R"({"workspace_root":"/w"})"));
  tell(*guest, "file_saved", "/w/n.md");
  data(*guest, "CreateSnapshot", kNamed);
  EXPECT_EQ(data(*guest, "PrepareLiveShareRuntime", share).dump(),
            R"({"workspace_id":"S","write_to_disk":true,"runtime_owner":"diaryx.sync"})");
  EXPECT_THAT(shared(*guest), testing::HasSubstr("n.md"));
  const Json joined =
      data(*guest, "ConnectLiveShareSession", Json{share}.set("session_code", "abc").set("server_url", "http://s"));
  EXPECT_EQ(joined.bool_member("write_to_disk"), true);
  ASSERT_TRUE(guest->on_connected(R"({"workspace_id":"S","write_to_disk":true})"));
  for (const std::string_view id : {"workspace:S", "body:S/n.md", "body:S/m.md"}) answer_empty(*guest, id);
  EXPECT_THAT(shared(*guest), testing::AllOf(testing::HasSubstr("n.md"), testing::HasSubstr("m.md")));
  EXPECT_EQ(file("/w/n.md") + file("/w/m.md"), "---\ntitle: N\n---\ntext\nuntold\n");
  // A guest types.
  crdt::Doc theirs({.client = ClientId{7}});
  ASSERT_TRUE(theirs.apply_update_v1(
      *from_base64(*data(*guest, "GetBodyFullState", Json{}.set("doc_name", "n.md")).string_member("data"))));
  crdt::Transaction txn = theirs.transact();
  ASSERT_TRUE(theirs.text("body").insert(txn, Utf16Offset{0}, "their "));
  const Bytes typed = std::move(txn).commit().update_v1();
  ASSERT_TRUE(guest->on_binary(*sync::encode_frame("body:S/n.md", {sync::Update{typed}})));
  EXPECT_EQ(file("/w/n.md"), "---\ntitle: N\n---\ntheir text\n");

  // It is over, here by a crash and there in order; shared again, nothing is there twice.
  for (const bool in_order : {true, false}) {
    if (in_order)
      EXPECT_EQ(data(*guest, "DisconnectLiveShareSession").bool_member("connected"), false);
    else
      guest = std::make_unique<Guest>();
    if (!in_order) ASSERT_TRUE(guest->init(R"({"workspace_root":"/w"})"));
    EXPECT_EQ(data(*guest, "GetSyncStatus").string_member("state"), "idle");
    EXPECT_EQ(data(*guest, "get_config").find("workspace_id")->dump(), "null");
    EXPECT_EQ(data(*guest, "TriggerWorkspaceSync").bool_member("emitted"), false);
    EXPECT_THAT(snapshots(*guest), testing::HasSubstr("precious"));
    EXPECT_EQ(body(*guest), "their text\n");
    data(*guest, "PrepareLiveShareRuntime", share);
    ASSERT_TRUE(guest->on_connected(R"({"workspace_id":"S","write_to_disk":true})"));
    for (const std::string_view id : {"workspace:S", "body:S/n.md", "body:S/m.md"}) answer_empty(*guest, id);
    ASSERT_TRUE(guest->on_binary(
        *sync::encode_frame("body:S/n.md", {sync::Update{theirs.encode_update_v1(crdt::StateVector{})}})));
    EXPECT_EQ(body(*guest), "their text\n");
    EXPECT_EQ(file("/w/n.md"), "---\ntitle: N\n---\ntheir text\n");
  }
}

TEST(Guest, LendsAFolderUnderTheIdThatItWasLinkedToAndUnderAnother) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  data(guest, "SetCrdtFile", Json{}.set("path", "e.md").set("metadata", Json{}.set("title", "E")));
  data(guest, "UnlinkWorkspace");
  for (const std::string_view id : {"A", "S", "A", "T"}) {
    data(guest, "ConnectLiveShareSession", Json{}.set("workspace_id", "X").set("join_code", "c"));  // a guest elsewhere
    EXPECT_EQ(data(guest, "ListCrdtFiles").as_array()->size(), 0u);
    data(guest, "PrepareLiveShareRuntime", Json{}.set("workspace_id", id));
    EXPECT_EQ(data(guest, "ListCrdtFiles").as_array()->size(), 1u) << id;
  }
  data(guest, "DisconnectLiveShareSession");
  ASSERT_TRUE(guest.shutdown());
  ASSERT_TRUE(guest.init(kWorkspaceA));
  EXPECT_EQ(data(guest, "ListCrdtFiles").as_array()->size(), 1u);
}

TEST(Guest, LendsNoFolderThatNobodyNamedAndNoneThatIsLinked) {
  for (const std::string_view own : {std::string_view(R"({"workspace_root":null})"), kWorkspaceA}) {
    fake_host() = {};
    put("diary.md", "secret\n");
    Guest guest;
    ASSERT_TRUE(guest.init(own));
    data(guest, "SetCrdtFile", Json{}.set("path", "docs/e.md").set("metadata", Json{}.set("title", "E")));
    data(guest, "PrepareLiveShareRuntime", Json{}.set("workspace_id", "S"));
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), Not(testing::HasSubstr("diary.md")));
    // What a command put into the documents of an unlinked folder is shared; those of a workspace are its own.
    EXPECT_EQ(data(guest, "ListCrdtFiles").as_array()->size(), own == kWorkspaceA ? 0u : 1u);
    data(guest, "DisconnectLiveShareSession");
    EXPECT_THAT(data(guest, "ListCrdtFiles").dump(), testing::HasSubstr("docs/e.md"));
  }
}

TEST(Guest, ShowsTheStatusOfASharedSessionInAFolderThatIsLinkedToNothing) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  const auto state = [&] { return std::string(*data(guest, "GetSyncStatus").string_member("state")); };
  EXPECT_EQ(state(), "idle");
  data(guest, "ConnectLiveShareSession",
       Json{}.set("workspace_id", "B").set("join_code", "abc").set("server_url", "http://s"));
  EXPECT_EQ(state(), "connecting");
  ASSERT_TRUE(guest.on_connected("{}"));
  EXPECT_EQ(state(), "syncing");
  data(guest, "DisconnectLiveShareSession");
  EXPECT_EQ(state(), "idle");
}

TEST(Guest, SaysWhenTheServerWantsToBeAskedAgain) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  fake_host().http_answer = {
      .status = 429, .body = to_bytes(as_bytes(std::string_view("too many"))), .retry_after = "60"};
  EXPECT_EQ(command(guest, "UploadWorkspaceSnapshot").string_member("error"),
            "HTTP 429: too many (to be tried again after 60)");
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
