// Workspaces on a server: linked, uploaded, refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_tools.h"
#include "zip.h"

namespace diaryx::plugin {
namespace {

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

TEST(Guest, SaysThatAnIdIsUnusableHoweverItCameThere) {
  const auto unusable = testing::HasSubstr("id of the workspace");
  for (const std::string& id : {std::string(300, 'n'), std::string("a/b"), std::string("a\tb")}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(kNowhere));
    make_a_snapshot(guest);
    const Outcome refused = guest.set_config(Json{}.set("workspace_id", id).set("server_url", "http://s").dump());
    EXPECT_THAT(refused ? std::string() : refused.error(), unusable);
    EXPECT_EQ(guest.get_config(), R"({"server_url":null,"workspace_id":null})");
    // By an earlier version, or by a host that knows better.
    const Json known = Json{}.set("server_url", "http://s").set("auth_token", "t").set("workspace_id", id);
    fake_host().storage["sync.extism.config"] = to_bytes(as_bytes(known.dump()));
    for (const std::string& options : {std::string(kNowhere), Json{known}.set("workspace_root", ".").dump()}) {
      ASSERT_TRUE(guest.init(options));
      const Json status = data(guest, "GetSyncStatus");
      EXPECT_EQ(status.string_member("state"), "error");
      EXPECT_THAT(std::string(status.string_member("detail").value_or("")), unusable);
      EXPECT_THAT(fake_host().requests, testing::Not(testing::Contains("connect")));
      ASSERT_TRUE(guest.on_connected(Json{}.set("workspace_id", id).dump()));
      EXPECT_THAT(fake_host().requests, testing::Not(testing::Contains("send_binary")));
      EXPECT_TRUE(guest.set_config(R"({"server_url":"http://s2"})"));
    }
    // Linked to none till now: what the folder has goes along.
    EXPECT_THAT(snapshots(guest), testing::HasSubstr("precious"));
    ASSERT_TRUE(guest.set_config(R"({"workspace_id":"A"})"));
    EXPECT_THAT(snapshots(guest), testing::HasSubstr("precious"));
    EXPECT_EQ(data(guest, "GetSyncStatus").string_member("state"), "connecting");
  }
}

TEST(Guest, LinksToNoWorkspaceWhoseIdTheServerMadeUnusable) {
  fake_host() = {};
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"id":"","name":"x"})"))};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  const Json link = Json{}.set("name", "x").set("server_url", "http://s");
  EXPECT_THAT(std::string(command(guest, "LinkWorkspace", link).string_member("error").value_or("")),
              testing::HasSubstr("id of the workspace"));
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

// With a link the session merges what is on both sides; without one the server's files are what was asked for.
TEST(Guest, KeepsWhatIsInTheFolderWhenItDownloadsAndLinks) {
  ZipWriter zip;
  ASSERT_TRUE(zip.add("a.md", as_bytes("theirs\n")));
  ASSERT_TRUE(zip.add("new.md", as_bytes("new\n")));
  const Bytes snapshot = std::move(zip).finish();
  for (const bool link : {true, false}) {
    fake_host() = {};
    fake_host().http_answer = {.status = 200, .body = snapshot};
    put("a.md", "mine\n");
    Guest guest;
    ASSERT_TRUE(guest.init(kNowhere));
    data(guest, "DownloadWorkspace", Json{}.set("remote_id", "A").set("server_url", "http://s").set("link", link));
    EXPECT_EQ(file("a.md"), link ? "mine\n" : "theirs\n");
    EXPECT_EQ(file("new.md"), "new\n");
  }
}

// Native hosts refuse an answer that is no UTF-8.
TEST(Guest, QuotesWhatTheServerSaysAsFarAsItIsText) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  const auto error = [&](std::string_view body) {
    fake_host().http_answer = {.status = 500, .body = to_bytes(as_bytes(body))};
    return std::string(*command(guest, "ListRemoteWorkspaces").string_member("error"));
  };
  std::string is_long = "x";
  while (is_long.size() < 500) is_long += "é";
  EXPECT_EQ(error(is_long), "HTTP 500: " + is_long.substr(0, 299));
  EXPECT_EQ(error("\xff\x1f\x8b"), "HTTP 500");
}

}  // namespace
}  // namespace diaryx::plugin
