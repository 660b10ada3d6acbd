// Hosts that may not store, or cannot, and do not say so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

Json of_file(std::string_view path) { return Json{}.set("paths", Json::array().push(path)); }

TEST(Storage, CommandsThatStoreSayThatNothingWasStoredAndDoNothing) {
  fake_host() = {};
  put("a.md", "one\n");
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  data(guest, "CreateSnapshot", named());
  const Json first = data(guest, "ListSnapshots");
  put("a.md", "two\n");
  tell(guest, "file_saved", "a.md");
  const auto state = [&] {
    return data(guest, "ListSnapshots").dump() + data(guest, "get_config").dump() + data(guest, "GetDevice").dump() +
           data(guest, "GetBodyContent", Json{}.set("doc_name", "a.md")).dump() + file("a.md");
  };
  const std::string before = state();
  const Json go_back = of_file("a.md").set("update_id", *first.integer_member("last_id"));
  fake_host().http_answer = {.status = 200, .body = to_bytes(as_bytes(R"({"id":"B","name":"b"})"))};
  const std::vector<std::pair<std::string_view, Json>> commands = {
      {"CreateSnapshot", Json{}.set("name", "another")},
      {"RenameSnapshot", named().set("new_name", "other")},
      {"DeleteSnapshot", named()},
      {"RestoreHistory", go_back},
      {"RestoreVersion", Json{go_back}.set("doc_name", "a.md")},
      {"UndoRestore", Json::object()},
      {"ReleaseHeldChanges", Json::object()},
      {"UndoHeldChanges", Json::object()},
      {"set_config", Json{}.set("server_url", "http://other")},
      {"LinkWorkspace", Json{}.set("name", "b").set("server_url", "http://s")},
      {"UnlinkWorkspace", Json::object()},
      {"DownloadWorkspace", Json{}.set("remote_id", "B").set("server_url", "http://s").set("link", true)},
      {"SetDeviceName", Json{}.set("name", "desk")},
      {"SaveCrdtState", Json::object()},
      {"SaveBodyDoc", Json{}.set("doc_name", "a.md")},
      {"SaveAllBodyDocs", Json::object()},
  };
  fake_host().is_full = true;
  for (const auto& [name, params] : commands) {
    const Json answer = command(guest, name, params);
    EXPECT_EQ(answer.bool_member("success"), false) << name;
    EXPECT_THAT(std::string(answer.string_member("error").value_or("")), testing::HasSubstr("stores nothing")) << name;
    EXPECT_EQ(state(), before) << name;
  }
  EXPECT_TRUE(fake_host().http_requests.empty());
  fake_host().is_full = false;
  data(guest, "RestoreHistory", go_back);
  EXPECT_EQ(file("a.md"), "one\n");
}

// What is folded into whole states stays in the journal until they are stored.
TEST(Storage, LosesNothingToAHostThatStoresNothingForAWhile) {
  fake_host() = {};
  const auto write = [](Guest& guest, std::string_view path, std::string_view text) {
    put(path, text);
    tell(guest, "file_saved", path);
  };
  const auto times_changed = [](Guest& guest, std::string_view path) {
    return data(guest, "GetFileHistory", Json{}.set("file_path", path)).as_array()->size();
  };
  size_t times = 0;
  {
    Guest guest;
    ASSERT_TRUE(guest.init(kWorkspaceA));
    ASSERT_TRUE(guest.on_connected("{}"));
    for (const std::string_view id : {"workspace:A", "body:A/a.md"}) answer_empty(guest, id);
    write(guest, "a.md", "one\n");
    answer_empty(guest, "body:A/a.md");
    write(guest, "a.md", "one two\n");
    times = times_changed(guest, "a.md");
    fake_host().is_full = true;
    ASSERT_TRUE(guest.on_disconnected());  // which stores whole states
    fake_host().is_full = false;
    data(guest, "SetCrdtFile", Json{}.set("path", "b.md").set("metadata", Json{}.set("title", "B")));
    ASSERT_TRUE(guest.shutdown());
  }
  Guest guest;
  ASSERT_TRUE(guest.init(kWorkspaceA));
  EXPECT_EQ(data(guest, "GetBodyContent", Json{}.set("doc_name", "a.md")).string_member("content"), "one two\n");
  EXPECT_EQ(times_changed(guest, "a.md"), times);
  ASSERT_TRUE(guest.on_connected("{}"));
  for (const std::string_view id : {"workspace:A", "body:A/a.md"}) answer_empty(guest, id);
  EXPECT_EQ(file("a.md"), "one two\n");
}

}  // namespace
}  // namespace diaryx::plugin
