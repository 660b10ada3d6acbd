// What the exports promise, and what lives from one start to the next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "commands.h"
#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

using testing::Contains;
using testing::IsSupersetOf;
using testing::Not;

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

}  // namespace
}  // namespace diaryx::plugin
