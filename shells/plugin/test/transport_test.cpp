// The line to the server, as hosts open and lose it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "diaryx/crdt/doc.h"
#include "diaryx/crdt/map.h"
#include "diaryx/crdt/text.h"
#include "diaryx/sync/frame.h"
#include "envelope.h"
#include "guest_tools.h"
#include "zip.h"

namespace diaryx::plugin {
namespace {

using testing::Contains;
using testing::Not;

TEST(Guest, GreetsTheServerOnceWhenItsWorkspaceChanges) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.set_config(R"({"workspace_id":"B"})"));
  fake_host().requests.clear();
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"B"})"));
  EXPECT_EQ(std::ranges::count(fake_host().requests, "send_binary"), 1);
  data(guest, "CreateSnapshot", named());
}

TEST(Guest, ConnectsAgainAfterTheHostRefused) {
  fake_host() = {};
  fake_host().refusal = "bad url";
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  EXPECT_THAT(fake_host().events, testing::ElementsAre(testing::HasSubstr("Bad url")));
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

// A greeting that got lost does not come again, and native hosts give a line up for good after an error.
TEST(Guest, AsksAgainWhereTheHostTellsNothingOfItsLine) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  const auto poll_after = [&](int64_t ms) {
    fake_host().requests.clear();
    fake_host().clock += ms;
    data(guest, "GetSyncStatus");
  };
  poll_after(100'000);
  EXPECT_TRUE(fake_host().requests.empty());
  ASSERT_TRUE(guest.on_disconnected());  // it tries
  poll_after(100'000);
  EXPECT_TRUE(fake_host().requests.empty());
  poll_after(30'000);
  EXPECT_THAT(fake_host().requests, testing::ElementsAre("disconnect", "connect"));
  poll_after(1'000);
  EXPECT_TRUE(fake_host().requests.empty());
  ASSERT_TRUE(guest.on_connected("{}"));
  answer_empty(guest, "workspace:A");
  poll_after(1'000'000);
  EXPECT_THAT(fake_host().requests, Not(Contains("connect")));
}

// The server has greeted the session that was there, and counts what that one sent.
TEST(Guest, AsksForALineOfItsOwnForASecondSession) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  const auto state = [&] { return std::string(*data(guest, "GetSyncStatus").string_member("state")); };
  for (int i = 0; i < 2; ++i) {
    fake_host().requests.clear();
    ASSERT_TRUE(guest.init(kWorkspaceA));
    EXPECT_THAT(fake_host().requests, testing::ElementsAre("connect", "disconnect", "connect"));
    EXPECT_EQ(state(), "connecting");
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
    EXPECT_THAT(fake_host().requests, Contains("send_binary"));
    ASSERT_TRUE(guest.on_disconnected());  // of the line that was left, as native hosts say it
    EXPECT_EQ(state(), "syncing");
  }
  ASSERT_TRUE(guest.on_disconnected());
  EXPECT_EQ(state(), "reconnecting");
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
  fake_host().requests.clear();
  answer_empty(guest, "workspace:A");
  EXPECT_THAT(fake_host().requests,
              testing::ElementsAre("disconnect", "connect"));  // what was under way on it is not known
  ASSERT_TRUE(guest.on_connected("{}"));
  EXPECT_EQ(state(), "syncing");
  data(guest, "UnlinkWorkspace");
  fake_host().requests.clear();
  answer_empty(guest, "workspace:A");  // on its way when the line was closed
  EXPECT_EQ(state(), "idle");
  EXPECT_TRUE(fake_host().requests.empty());
}

// A24: native hosts let go of a line in their own time, so the greeting of one that was left may still be on its way.
TEST(Guest, TakesNoGreetingOfALineThatWasLeftForItsOwn) {
  for (const std::string_view next : {R"({"workspace_id":"B"})", R"({"workspace_id":null})"}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(kWorkspaceA));
    make_a_snapshot(guest);
    ASSERT_TRUE(guest.set_config(next));
    const std::string status = data(guest, "GetSyncStatus").dump();
    const std::string own = guest.session()->workspace_id();
    fake_host().requests.clear();
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
    EXPECT_THAT(fake_host().requests, Not(Contains("send_binary"))) << next;
    EXPECT_EQ(data(guest, "GetSyncStatus").dump(), status);
    EXPECT_EQ(guest.session()->workspace_id(), own);
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"B"})"));
    EXPECT_THAT(fake_host().requests, Contains("send_binary")) << next;
  }
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

TEST(Guest, SaysThatTheServerTookTheWorkspaceAway) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  ASSERT_TRUE(guest.on_text(R"({"type":"error","doc":"workspace:A","code":"unauthorized","message":"No access."})"));
  const Json status = data(guest, "GetSyncStatus");
  EXPECT_EQ(status.string_member("state"), "error");
  EXPECT_THAT(std::string(status.string_member("detail").value_or("")), testing::HasSubstr("No access."));
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

// A native host calls `set_config` before `init`, and its socket may be quicker than the rest of its start. Until somebody says where
// the workspace is, paths lead to wherever the host's process happens to be.
TEST(Guest, TouchesNoFolderBeforeInitAndAfterShutdown) {
  fake_host() = {};
  put("private.md", "of no workspace\n");
  put("/w/n.md", "text\n");
  Guest guest;
  ASSERT_TRUE(guest.set_config(R"({"workspace_id":"A","server_url":"http://s","auth_token":"t"})"));
  const auto open = [&] {
    fake_host().requests.clear();
    ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A","write_to_disk":true})"));
    answer_empty(guest, "workspace:A");
    EXPECT_EQ(guest.session(), nullptr);
    EXPECT_TRUE(fake_host().requests.empty());
  };
  open();
  // The line is open, and the host will not say so again.
  ASSERT_TRUE(guest.init(R"({"workspace_root":"/w"})"));
  EXPECT_THAT(fake_host().requests, Contains("send_binary"));
  for (const std::string_view id : {"workspace:A", "body:A/n.md"}) answer_empty(guest, id);
  const std::string files = data(guest, "ListCrdtFiles").dump();
  EXPECT_THAT(files, testing::HasSubstr("n.md"));
  EXPECT_THAT(files, Not(testing::HasSubstr("private.md")));

  ASSERT_TRUE(guest.shutdown());
  fake_host().set_keys.clear();
  open();
  EXPECT_TRUE(fake_host().set_keys.empty());
}

TEST(Guest, NoticesANewTokenWhileTheOldOneOpensNoLine) {
  fake_host() = {};
  fake_host().context = Json{}.set("server_url", "http://s").set("auth_token", "old");
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_id":"A","workspace_root":"."})"));
  ASSERT_TRUE(guest.on_connected("{}"));
  fake_host().context.set("auth_token", "new");
  data(guest, "GetSyncStatus");
  EXPECT_EQ(fake_host().connection.auth_token, "old");  // a line that is open stays
  ASSERT_TRUE(guest.on_disconnected());
  data(guest, "GetSyncStatus");
  EXPECT_EQ(fake_host().connection.auth_token, "new");
  // The host waits longer after each attempt; asking it again for the same would end its wait.
  fake_host().requests.clear();
  data(guest, "GetSyncStatus");
  EXPECT_TRUE(fake_host().requests.empty());
  fake_host().context.set("auth_token", nullptr);
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("detail"), "Sign in to enable sync");
  EXPECT_THAT(fake_host().requests, testing::ElementsAre("disconnect"));
}

TEST(Guest, LeavesTheLineOfAShareAloneWhenSomebodySignsIn) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  data(guest, "ConnectLiveShareSession", Json{}.set("workspace_id", "X").set("session_code", "abcd"));
  fake_host().requests.clear();
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "connecting");
  EXPECT_TRUE(fake_host().requests.empty());
}

// Each call of the host costs: the storage is not searched in every call.
TEST(Guest, AsksTheStorageNoMoreOnceSomethingIsStored) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(R"({"workspace_id":"A","write_to_disk":false})"));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A","write_to_disk":false})"));
  ASSERT_TRUE(guest.on_text(R"({"type":"file_manifest","files":[],"client_is_new":false})"));
  const auto hear = [&](std::string_view doc_id, const sync::Message& message) {
    EXPECT_TRUE(guest.on_binary(*sync::encode_frame(doc_id, {message})));
  };
  crdt::Doc workspace({.client = ClientId{9}});
  crdt::Transaction listed = workspace.transact();
  workspace.map("files").set(listed, "n.md", crdt::Any::string(R"({"filename":"n.md","modified_at":1})"));
  const crdt::Commit list = std::move(listed).commit();
  hear("workspace:A", sync::SyncStep2{list.update_v1()});
  crdt::Doc body({.client = ClientId{9}});
  const auto type = [&](std::string_view text) {
    crdt::Transaction txn = body.transact();
    EXPECT_TRUE(body.text("body").insert(txn, Utf16Offset{0}, text));
    return std::move(txn).commit();
  };
  const crdt::Commit first = type("text\n");
  hear("body:A/n.md", sync::SyncStep2{first.update_v1()});
  EXPECT_FALSE(fake_host().set_keys.empty());
  const size_t gets = fake_host().gets;
  const crdt::Commit second = type("more ");
  hear("body:A/n.md", sync::Update{second.update_v1()});
  EXPECT_EQ(fake_host().gets, gets);
  EXPECT_THAT(fake_host().events, Contains(R"({"type":"ContentsChanged","path":"n.md","body":"more text\n"})"));
}

}  // namespace
}  // namespace diaryx::plugin
