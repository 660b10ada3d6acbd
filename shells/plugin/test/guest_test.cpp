#include "guest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "commands.h"
#include "fake_host.h"

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
