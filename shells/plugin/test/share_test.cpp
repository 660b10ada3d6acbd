// Sessions that are shared, and the folder that is put aside or lent meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/base/base64.h"
#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/metadata.h"
#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

using testing::Not;

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
  data(*guest, "CreateSnapshot", named());
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

// Its code is all that a guest has: a token would make the server ask for a member.
TEST(Guest, FetchesTheAttachmentsOfAShareThatItWritesToDisk) {
  fake_host() = {};
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes("their picture"))};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  data(
      guest, "ConnectLiveShareSession",
      Json{}.set("workspace_id", "X").set("join_code", "c d").set("server_url", "http://x").set("write_to_disk", true));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"X","write_to_disk":true})"));
  const Sha256 hash = sha256(std::string_view("their picture"));
  const sync::BinaryRef ref{.path = "p.png", .source = "local", .hash = hash.hex(), .size = 13};
  crdt::Doc theirs({.client = ClientId{7}});
  crdt::Transaction txn = theirs.transact();
  theirs.map("binaries").set(txn, "p.png", crdt::Any::string(sync::format_binary_ref(ref)));
  const Bytes list = std::move(txn).commit().update_v1();
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame("workspace:X", {sync::SyncStep2{list}})));
  const Bytes all = theirs.state_vector().encode();
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame("workspace:X", {sync::SyncStep1{all}})));
  EXPECT_EQ(file("p.png"), "their picture");
  ASSERT_EQ(fake_host().http_requests.size(), 1u);
  EXPECT_EQ(fake_host().http_requests[0].url, "http://x/api/workspaces/X/attachments/" + hash.hex() + "?session=C%20D");
  EXPECT_TRUE(fake_host().http_requests[0].headers.empty());
  EXPECT_EQ(fake_host().connection.server_url, "http://x");
  ASSERT_TRUE(guest.on_binary(*sync::encode_frame("workspace:X", {sync::SyncStep2{sync::kEmptyUpdate}})));
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "synced");
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

// What the server says when the owner ends a share, and what hosts tell of the attempts that follow.
TEST(Guest, SaysThatASharedSessionHasEnded) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  data(guest, "ConnectLiveShareSession",
       Json{}.set("workspace_id", "B").set("join_code", "abc").set("server_url", "http://s"));
  const auto is_over = [&] {
    const Json status = data(guest, "GetSyncStatus");
    EXPECT_EQ(status.string_member("state"), "error");
    EXPECT_THAT(std::string(status.string_member("detail").value_or("")), testing::HasSubstr("session has ended."));
  };
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"B"})"));
  ASSERT_TRUE(guest.on_text(R"({"type":"session_ended"})"));
  ASSERT_TRUE(
      guest.on_text(R"({"type":"error","doc":"","code":"unauthorized","message":"The share session has ended."})"));
  is_over();
  for (int attempt = 0; attempt < 3; ++attempt) {
    ASSERT_TRUE(guest.on_disconnected());
    is_over();
    fake_host().clock += 31'000;
  }
  EXPECT_THAT(fake_host().events.back(), testing::HasSubstr(R"("status":"error")"));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"B"})"));
  EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "syncing");
}

}  // namespace
}  // namespace diaryx::plugin
