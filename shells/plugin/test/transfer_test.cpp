// Attachments on their way: what becomes of one that cannot be read, is refused, or waits for a server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/frame.h"
#include "diaryx/sync/metadata.h"
#include "diaryx/sync/path.h"
#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

const host::HttpResponse kTaken{.status = 200, .body = to_bytes(as_bytes(R"({"status":"already_exists"})"))};

class Transfers : public testing::Test {
 protected:
  void SetUp() override {
    fake_host() = {};
    ASSERT_TRUE(guest_.init(kWorkspaceA));
  }

  void connect() {
    ASSERT_TRUE(guest_.on_connected(R"({"workspace_id":"A"})"));
    answer_empty(guest_, "workspace:A");
  }
  void make(std::string_view path) {
    put(path, std::string("\x89PNG of ").append(path));
    tell(guest_, "file_created", path);
  }
  /// As hosts do for the status line.
  void poll(int times) {
    for (; times > 0; --times) {
      fake_host().clock += 3'000;
      data(guest_, "GetSyncStatus");
    }
  }
  /// How often the server was offered a file.
  static int offers(std::string_view path) {
    int count = 0;
    for (const host::HttpRequest& request : fake_host().http_requests) {
      const auto json = Json::parse(as_text(request.body));
      if (request.url.ends_with("/uploads") && json && json->string_member("entry_path") == path) ++count;
    }
    return count;
  }

  Guest guest_;
};

// The replica sends two at a time, so two that got no answer would hold up every other one.
TEST_F(Transfers, GoOnWithTheOthersWhenFilesCannotBeRead) {
  fake_host().http_answer = {.status = 503, .body = {}};
  connect();
  for (const std::string_view path : {"a.png", "b.png", "c.png"}) make(path);
  fake_host().unreadable = {"a.png", "b.png"};
  fake_host().http_answer = kTaken;
  fake_host().http_requests.clear();
  fake_host().events.clear();
  poll(5);
  EXPECT_EQ(offers("c.png"), 1);
  EXPECT_EQ(offers("a.png"), 0);
  EXPECT_THAT(fake_host().events, testing::Contains(testing::HasSubstr("a.png: The file could not be sent")));
  fake_host().unreadable.clear();
  poll(12);
  EXPECT_EQ(offers("a.png"), 1);
  EXPECT_EQ(offers("b.png"), 1);
}

TEST_F(Transfers, AreOfferedAgainWhenTheServerDidNotKnowTheUser) {
  for (const int64_t status : {401, 403, 404}) {
    SCOPED_TRACE(status);
    const std::string path = std::to_string(status) + ".png";
    fake_host().http_answer = {.status = status, .body = {}};
    connect();
    make(path);
    EXPECT_GE(offers(path), 1);
    fake_host().http_answer = kTaken;
    fake_host().http_requests.clear();
    poll(5);
    EXPECT_EQ(offers(path), 1);
  }
}

TEST_F(Transfers, AreGivenUpWhenTheServerHasNoRoom) {
  fake_host().http_answer = {.status = 413, .body = {}};
  connect();
  make("a.png");
  fake_host().http_answer = kTaken;
  poll(20);
  EXPECT_EQ(offers("a.png"), 1);
}

TEST_F(Transfers, AreOfferedOnceHoweverOftenTheLineBrokeMeanwhile) {
  ASSERT_TRUE(guest_.set_config(R"({"auth_token":null})"));
  connect();
  make("a.png");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(guest_.on_disconnected());
    connect();
  }
  fake_host().http_answer = kTaken;
  fake_host().context = Json{}.set("auth_token", "t");
  poll(3);
  EXPECT_EQ(offers("a.png"), 1);
}

// By a call that was cut short, or by one that was asked for twice: the old name is still to be given to the other version.
TEST_F(Transfers, GoOnWhenTheCopyOfAConflictIsThereAlready) {
  const std::string copy = sync::conflict_copy(*sync::parse_path("p.png"), sha256(std::string_view("mine"))).str();
  for (const std::string& path : {std::string("p.png"), copy}) put(path, "mine");
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes("theirs"))};
  const sync::BinaryRef ref{
      .path = "p.png", .source = "local", .hash = sha256(std::string_view("theirs")).hex(), .size = 6};
  crdt::Doc theirs({.client = ClientId{7}});
  crdt::Transaction txn = theirs.transact();
  theirs.map("binaries").set(txn, "p.png", crdt::Any::string(sync::format_binary_ref(ref)));
  const Bytes list = std::move(txn).commit().update_v1();
  ASSERT_TRUE(guest_.on_connected(R"({"workspace_id":"A"})"));
  tell(guest_, "file_created", "p.png");
  ASSERT_TRUE(guest_.on_binary(*sync::encode_frame("workspace:A", {sync::SyncStep2{list}})));
  answer_empty(guest_, "workspace:A");
  poll(5);
  EXPECT_EQ(file("p.png"), "theirs");
  EXPECT_EQ(file(copy), "mine");
}

}  // namespace
}  // namespace diaryx::plugin
