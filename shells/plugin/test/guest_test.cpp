// What the exports promise, and what lives from one start to the next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "commands.h"
#include "guest_tools.h"
#include "notices.h"

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

// Panels and status bars show these texts as they are.
TEST(Guest, SaysWhatWentWrongInSentences) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  ASSERT_TRUE(guest.on_connected(R"({"workspace_id":"A"})"));
  answer_empty(guest, "workspace:A");
  make_a_snapshot(guest);
  const auto is_sentence = [](const std::string& text) {
    return text.size() > 1 && (text.front() == '"' || (text.front() >= 'A' && text.front() <= 'Z')) &&
           text.ends_with('.') && !text.ends_with("..");
  };
  const Json elsewhere = Json{}.set("update_id", 1).set("path", "none.md");
  const std::pair<std::string_view, Json> refused[] = {
      {"CreateSnapshot", named()},
      {"CreateSnapshot", Json{}.set("name", "12")},
      {"DeleteSnapshot", Json{}.set("name", "none")},
      {"GetFileAt", Json{}.set("path", "a.md").set("update_id", -1)},
      {"GetFileAt", Json{}.set("path", "a.md").set("update_id", 99)},
      {"GetBlame", elsewhere},
      {"UndoRestore", Json::object()},
      {"SetDeviceName", Json{}.set("name", "")},
      {"set_config", Json{}.set("workspace_id", "a/b")},
  };
  for (const auto& [name, params] : refused) {
    const Json answer = command(guest, name, params);
    EXPECT_EQ(answer.bool_member("success"), false) << name;
    const std::string error(answer.string_member("error").value_or(""));
    EXPECT_TRUE(is_sentence(error)) << name << ": " << error;
  }
  const auto detail = [&] { return std::string(*data(guest, "GetSyncStatus").string_member("detail")); };
  put("b.md", "text\n");
  tell(guest, "file_created", "b.md");
  EXPECT_TRUE(is_sentence(detail())) << detail();
  EXPECT_EQ(text_of(sync::Problem{{}, "the server does not answer"}), "The server does not answer.");
  EXPECT_EQ(text_of(sync::Problem{"b.md", "the host ended the call."}), "b.md: The host ended the call.");
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
