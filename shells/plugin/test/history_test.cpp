// History, restore and snapshots by their commands, in a workspace that never met a server; `node/test/history.test.mjs` has the
// same with one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

class HistoryOfGuest : public testing::Test {
 protected:
  void SetUp() override {
    fake_host() = {};
    ASSERT_TRUE(guest_.emplace().init("{}"));
  }

  Json ask(std::string_view name, const Json& params = Json::object()) {
    const Outcome response = guest_->handle_command(Json{}.set("command", name).set("params", params).dump());
    EXPECT_TRUE(response);
    return *Json::parse(*response);
  }
  Json ok(std::string_view name, const Json& params = Json::object()) {
    const Json answer = ask(name, params);
    EXPECT_EQ(answer.bool_member("success"), true) << name << ": " << answer.dump();
    return *answer.find("data");
  }
  std::string refused(std::string_view name, const Json& params = Json::object()) {
    const Json answer = ask(name, params);
    EXPECT_EQ(answer.bool_member("success"), false) << name;
    return std::string(answer.string_member("error").value_or(""));
  }
  void restart() { ASSERT_TRUE(guest_.emplace().init("{}")); }

  void set_file(std::string_view path, std::string_view title) {
    ok("SetCrdtFile", Json{}.set("path", path).set("metadata", Json{}.set("title", title)));
  }
  void set_body(std::string_view path, std::string_view text) {
    ok("SetBodyContent", Json{}.set("doc_name", path).set("content", text));
  }
  std::string body(std::string_view path) {
    return std::string(*ok("GetBodyContent", Json{}.set("doc_name", path)).string_member("content"));
  }
  int64_t last() { return *ok("GetTimeline").integer_member("last_id"); }

  std::optional<Guest> guest_;
};

TEST_F(HistoryOfGuest, ListsWhatHappenedNewestFirstAndSurvivesARestart) {
  set_file("a.md", "A");
  set_body("a.md", "one\n");
  set_body("a.md", "one\ntwo\n");
  restart();
  const Json entries = ok("GetHistory", Json{}.set("doc_name", "workspace").set("limit", 50));
  ASSERT_EQ(entries.as_array()->size(), 3u);
  int64_t before = INT64_MAX;
  for (const Json& entry : *entries.as_array()) {
    EXPECT_LT(*entry.integer_member("update_id"), before);
    before = *entry.integer_member("update_id");
    EXPECT_GT(*entry.integer_member("timestamp"), 1'600'000'000'000);
    EXPECT_EQ(entry.string_member("origin"), "local");
    EXPECT_EQ((*entry.find("files_changed")->as_array())[0], Json("a.md"));
    EXPECT_EQ(entry.string_member("device_name"), "Diaryx");
  }
  EXPECT_EQ(ok("GetHistory", Json{}.set("doc_name", "workspace").set("limit", 2)).as_array()->size(), 2u);
  EXPECT_EQ(ok("GetHistory", Json{}.set("doc_name", "a.md")).as_array()->size(), 2u);
  EXPECT_EQ(ok("GetFileHistory", Json{}.set("file_path", "a.md")).as_array()->size(), 3u);
  EXPECT_EQ(ok("GetFileHistory", Json{}.set("file_path", "other.md")).as_array()->size(), 0u);
}

TEST_F(HistoryOfGuest, GoesBackWithTheWholeWorkspaceAndTakesItBack) {
  set_file("a.md", "A");
  set_body("a.md", "one\n");
  const int64_t then = last();
  set_body("a.md", "two\n");
  set_file("b.md", "B");
  const size_t entries = ok("GetHistory", Json{}.set("doc_name", "workspace")).as_array()->size();
  EXPECT_FALSE(ok("GetVersionDiff", Json{}.set("doc_name", "workspace").set("from_id", then).set("to_id", last()))
                   .as_array()
                   ->empty());

  EXPECT_EQ(ok("RestoreVersion", Json{}.set("doc_name", "workspace").set("update_id", then)), Json{});
  EXPECT_EQ(body("a.md"), "one\n");
  EXPECT_EQ(ok("ListCrdtFiles").as_array()->size(), 1u);
  EXPECT_GT(ok("GetHistory", Json{}.set("doc_name", "workspace")).as_array()->size(), entries);

  restart();
  EXPECT_EQ(ok("ListRestores").find("restores")->as_array()->size(), 1u);
  const Json undone = ok("UndoRestore");
  EXPECT_EQ(undone.find("problems")->as_array()->size(), 0u) << undone.dump();
  EXPECT_EQ(body("a.md"), "two\n");
  EXPECT_EQ(ok("ListCrdtFiles").as_array()->size(), 2u);
  // An undo is a restore and can be undone itself.
  ok("UndoRestore");
  EXPECT_EQ(body("a.md"), "one\n");
}

TEST_F(HistoryOfGuest, TakesAllOfALargeRestoreBack) {
  constexpr int kNotes = 320;  // more than the documents that are looked through for what happened lately
  for (int i = 0; i < kNotes; ++i) set_file("n" + std::to_string(i) + ".md", "N");
  for (int i = 0; i < kNotes; ++i) set_body("n" + std::to_string(i) + ".md", "one\n");
  const int64_t then = last();
  for (int i = 0; i < kNotes; ++i) set_body("n" + std::to_string(i) + ".md", "two\n");
  ok("RestoreHistory", Json{}.set("update_id", then));
  for (int i = 0; i < kNotes; ++i) ASSERT_EQ(body("n" + std::to_string(i) + ".md"), "one\n") << i;
  restart();
  ok("UndoRestore");
  for (int i = 0; i < kNotes; ++i) ASSERT_EQ(body("n" + std::to_string(i) + ".md"), "two\n") << i;
}

// No event told of it: else the deletion, seen where the restored text is to be written, would win.
TEST_F(HistoryOfGuest, BringsBackAFileWhoseDeletionNobodyNoticed) {
  for (const bool is_whole : {false, true}) {
    fake_host() = {};
    ASSERT_TRUE(guest_.emplace().init(kNowhere));
    put("b.md", "stays\n");
    put("a.md", "one\n");
    for (const std::string_view path : {"b.md", "a.md"}) tell(*guest_, "file_created", path);
    const int64_t then = last();
    put("a.md", "two\n");
    tell(*guest_, "file_saved", "a.md");
    fake_host().files.erase("a.md");
    Json going_back = Json{}.set("update_id", then);
    if (!is_whole) going_back.set("paths", Json::array().push("a.md"));
    EXPECT_THAT(ok("PreviewRestore", going_back).dump(), testing::HasSubstr("bring_back"));
    ok("RestoreHistory", going_back);
    ASSERT_TRUE(guest_->on_event(R"({"event_type":"workspace_opened","payload":{"workspace_root":"."}})"));
    EXPECT_EQ(file("a.md"), "one\n");
    EXPECT_EQ(ok("ListCrdtFiles").as_array()->size(), 2u);
  }
}

TEST_F(HistoryOfGuest, TakesNothingAwayBeforeTheHistoryBegins) {
  set_file("a.md", "A");
  const Json restored = ok("RestoreHistory", Json{}.set("update_id", 0));
  EXPECT_EQ(restored.find("skipped")->as_array()->size(), 1u) << restored.dump();
  EXPECT_EQ(ok("ListCrdtFiles").as_array()->size(), 1u);
}

TEST_F(HistoryOfGuest, RefusesPointsThatAreNone) {
  set_file("a.md", "A");
  EXPECT_THAT(refused("RestoreVersion", Json{}.set("doc_name", "workspace").set("update_id", 99)),
              testing::HasSubstr("No state found at update ID 99"));
  EXPECT_THAT(refused("RestoreVersion", Json{}.set("doc_name", "other.md").set("update_id", 1)),
              testing::HasSubstr("No state found at update ID 1"));
  EXPECT_THAT(refused("RestoreVersion", Json{}.set("doc_name", "workspace")), testing::HasSubstr("update_id"));
  EXPECT_THAT(refused("RestoreHistory", Json{}.set("update_id", 99)), testing::HasSubstr("no point 99"));
  EXPECT_EQ(ok("GetStateAt", Json{}.set("doc_name", "none.md").set("update_id", 1)), Json{});
}

TEST_F(HistoryOfGuest, ShowsAFileAsItWasAndWhatIsDifferent) {
  set_file("a.md", "A");
  set_body("a.md", "one\ntwo\n");
  const int64_t then = last();
  set_body("a.md", "one\n2\n");
  const Json file = ok("GetFileAt", Json{}.set("path", "./a.md").set("update_id", then));
  EXPECT_EQ(file.bool_member("exists"), true);
  EXPECT_THAT(std::string(*file.string_member("text")), testing::EndsWith("one\ntwo\n"));
  EXPECT_EQ(ok("GetFileAt", Json{}.set("path", "x.md")).bool_member("exists"), false);
  const Json diff = ok("GetFileDiff", Json{}.set("path", "a.md").set("from_id", then));
  ASSERT_EQ(diff.find("hunks")->as_array()->size(), 1u);
  EXPECT_EQ(diff.find("words")->as_array()->back().string_member("kind").has_value(), true);
  const Json changed = ok("GetChangedFiles", Json{}.set("from_id", then));
  ASSERT_EQ(changed.find("files")->as_array()->size(), 1u);
  EXPECT_EQ((*changed.find("files")->as_array())[0].string_member("kind"), "changed");
  EXPECT_FALSE(ok("GetBlame", Json{}.set("path", "a.md")).find("spans")->as_array()->empty());
  EXPECT_EQ(ok("GetTimeline", Json{}.set("known_id", last())).bool_member("unchanged"), true);
}

TEST_F(HistoryOfGuest, SaysWhetherAFileIsTheSameThoughNoLineOfItDiffers) {
  const auto same = [&](const char* path, int64_t from) {
    return ok("GetFileDiff", Json{}.set("path", path).set("from_id", from)).bool_member("same");
  };
  set_file("a.md", "");
  const int64_t then = last();
  set_body("a.md", "one\n");
  EXPECT_EQ(same("a.md", then), false);
  EXPECT_EQ(same("a.md", last()), true);
  EXPECT_EQ(same("a.md", 0), false) << "it was not there";
  EXPECT_EQ(same("b.md", 0), true) << "it never was";
}

// Two people look at one file: what one of them typed above must not make another change of the one that was seen.
TEST_F(HistoryOfGuest, PutsBackNoOtherChangeThanTheOneThatWasSeen) {
  set_file("a.md", "A");
  set_body("a.md", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
  const int64_t then = last();
  set_body("a.md", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
  Json choice = Json{}
                    .set("update_id", then)
                    .set("paths", Json::array().push("a.md"))
                    .set("hunks", Json::array().push(0))
                    .set("to_id", last());
  EXPECT_EQ(ok("PreviewRestore", choice).find("files")->as_array()->size(), 1u);
  set_file("other.md", "B");  // elsewhere
  EXPECT_EQ(ok("PreviewRestore", choice).find("files")->as_array()->size(), 1u);
  set_body("a.md", "one\n2\n3\n4\n5\n6\n7\n8\nnine\n");
  for (const char* command : {"PreviewRestore", "RestoreHistory"})
    EXPECT_THAT(refused(command, choice), testing::HasSubstr("has changed since")) << command;
  choice.set("to_id", last());
  EXPECT_EQ(ok("PreviewRestore", choice).find("files")->as_array()->size(), 1u);
}

TEST_F(HistoryOfGuest, NamesPointsAndPacksThem) {
  set_file("a.md", "A");
  set_body("a.md", "one\n");
  const Json made = ok("CreateSnapshot", Json{}.set("name", "before"));
  EXPECT_EQ(made.integer_member("files"), 1);
  EXPECT_THAT(refused("CreateSnapshot", Json{}.set("name", "before")), testing::HasSubstr("already"));
  EXPECT_THAT(refused("CreateSnapshot", Json{}.set("name", "12")), testing::HasSubstr("cannot be the name"));
  set_body("a.md", "two\n");
  restart();
  const Json list = ok("ListSnapshots");
  ASSERT_EQ(list.find("snapshots")->as_array()->size(), 1u);
  const int64_t point = *(*list.find("snapshots")->as_array())[0].integer_member("update_id");
  EXPECT_EQ(ok("PackSnapshot", Json{}.set("update_id", point)).integer_member("files"), 1);
  ok("RestoreHistory", Json{}.set("update_id", point).set("paths", Json::array().push("a.md")));
  EXPECT_EQ(body("a.md"), "one\n");
  ok("RenameSnapshot", Json{}.set("name", "before").set("new_name", "after"));
  EXPECT_THAT(refused("DeleteSnapshot", Json{}.set("name", "before")), testing::HasSubstr("no snapshot"));
  ok("DeleteSnapshot", Json{}.set("name", "after"));
  EXPECT_EQ(ok("ListSnapshots").find("snapshots")->as_array()->size(), 0u);
}

TEST_F(HistoryOfGuest, KeepsTheNameOfTheDevice) {
  const std::string id(*ok("GetDevice").string_member("device_id"));
  EXPECT_EQ(id.size(), 32u);
  EXPECT_EQ(ok("SetDeviceName", Json{}.set("name", " Tablet ")).string_member("device_name"), "Tablet");
  EXPECT_FALSE(refused("SetDeviceName", Json{}.set("name", " ")).empty());
  restart();
  EXPECT_EQ(ok("GetDevice").string_member("device_id"), id);
  EXPECT_EQ(ok("GetDevice").string_member("device_name"), "Tablet");
}

}  // namespace
}  // namespace diaryx::plugin
