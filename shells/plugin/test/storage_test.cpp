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

}  // namespace
}  // namespace diaryx::plugin
