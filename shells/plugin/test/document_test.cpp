// Commands that read and write the documents.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "guest_tools.h"

namespace diaryx::plugin {
namespace {

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

TEST(Guest, StoresTheBodyThatItIsTold) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  EXPECT_EQ(command(guest, "SaveBodyDoc").string_member("error"), "Plugin command error: Missing parameter: doc_name");
  EXPECT_TRUE(data(guest, "SaveBodyDoc", Json{}.set("doc_name", "a.md")).is_null());
}

TEST(Guest, RefusesMetadataOfTheWrongType) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init("{}"));
  const auto set = [&](std::string_view path, Json metadata) {
    return *command(guest, "SetCrdtFile", Json{}.set("path", path).set("metadata", std::move(metadata)))
                .bool_member("success");
  };
  EXPECT_FALSE(set("a.md", Json{}.set("modified_at", "x")));
  EXPECT_FALSE(set("a.md", Json{}.set("modified_at", Json{})));
  EXPECT_FALSE(set("a.md", Json{}.set("deleted", Json{})));
  for (const std::string_view wrong :
       {R"({"contents":"b.md"})", R"({"audience":["me",1]})", R"({"deleted":1})", R"({"title":[]})", R"({"part_of":4})",
        R"({"extra":[]})", R"({"modified_at":1.5})", R"({"filename":null})", R"({"attachments":["x.png"]})",
        R"({"attachments":[{"path":"x.png"}]})", R"({"attachments":{}})"})
    EXPECT_FALSE(set("a.md", *Json::parse(wrong))) << wrong;
  EXPECT_TRUE(data(guest, "GetCrdtFile", Json{}.set("path", "a.md")).is_null());
  EXPECT_FALSE(set("a.tmp", Json::object()));
  EXPECT_FALSE(set("a.md.bak", Json::object()));
  EXPECT_TRUE(set("a.md", Json{}.set("title", 5).set("audience", Json{}).set("junk", 1)));
  const auto ref = [](std::string_view hash, int size, bool deleted) {
    return Json{}.set("attachments", Json::array().push(Json{}
                                                            .set("path", "x.png")
                                                            .set("source", "local")
                                                            .set("hash", hash)
                                                            .set("mime_type", "image/png")
                                                            .set("size", size)
                                                            .set("deleted", deleted)));
  };
  EXPECT_TRUE(set("a.md", ref("h1", 3, false)));
  EXPECT_TRUE(set("a.md", ref("", 9, true)));
  const std::string kept = data(guest, "GetCrdtFile", Json{}.set("path", "a.md")).dump();
  EXPECT_THAT(kept, testing::HasSubstr(R"("hash":"h1")"));
  EXPECT_THAT(kept, testing::HasSubstr(R"("size":9)"));
}

// `contents` may name anything.
TEST(Guest, ListsNotesOnlyWhenItReadsTheFolder) {
  fake_host() = {};
  put("README.md", "---\ncontents: [pic.png, .diaryx/x.md, a.md, b.tmp, no_text.md, 'con.md', gone.md]\n---\n");
  put("a.md", "---\ntitle: A\n---\n");
  put("pic.png", "\x89PNG");
  for (const std::string_view path : {".diaryx/x.md", "b.tmp", "con.md"}) put(path, "text\n");
  put("no_text.md", "\xff\xfe");
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  EXPECT_EQ(
      data(guest, "InitializeWorkspaceCrdt", Json{}.set("workspace_path", "README.md")).integer_member("file_count"),
      2);
  const Json files = data(guest, "ListCrdtFiles");
  ASSERT_EQ(files.as_array()->size(), 2u) << files.dump();
}

TEST(Guest, WritesWhatAnUpdateChangesWhenItIsAsked) {
  Json list;
  Json text;
  {
    fake_host() = {};
    Guest maker;
    ASSERT_TRUE(maker.init("{}"));
    data(maker, "SetCrdtFile", Json{}.set("path", "a.md").set("metadata", Json{}.set("title", "A")));
    data(maker, "SetBodyContent", Json{}.set("doc_name", "a.md").set("content", "text of a\n"));
    list = data(maker, "GetFullState");
    text = data(maker, "GetBodyFullState", Json{}.set("doc_name", "a.md"));
  }
  for (const std::string_view options : {std::string_view("{}"), kWorkspaceA}) {
    fake_host() = {};
    Guest guest;
    ASSERT_TRUE(guest.init(options));
    const Json update = Json{}.set("update", *list.find("data")).set("write_to_disk", true);
    EXPECT_TRUE(data(guest, "ApplyRemoteWorkspaceUpdateWithEffects", update).integer_member("update_id"));
    data(guest, "ApplyRemoteBodyUpdateWithEffects",
         Json{}.set("doc_name", "a.md").set("update", *text.find("data")).set("write_to_disk", true));
    EXPECT_THAT(file("a.md"), testing::HasSubstr("text of a"));
  }
}

TEST(Guest, TakesNoNewWriterForEachCommand) {
  fake_host() = {};
  Guest guest;
  ASSERT_TRUE(guest.init(kNowhere));
  put("a.md", "text\n");
  tell(guest, "file_created", "a.md");
  const Json note = Json{}.set("doc_name", "a.md");
  for (int i = 0; i < 20; ++i) data(guest, "SetBodyContent", Json{note}.set("content", std::string(i, 'x') + "\n"));
  put("a.md", "xxxxxxxxxxxxxxxxxxx and typed\n");
  tell(guest, "file_saved", "a.md");
  EXPECT_EQ(*data(guest, "GetBodyContent", note).find("content")->as_string(), "xxxxxxxxxxxxxxxxxxx and typed\n");
  // The import, the commands, and what was typed in the file: a state vector of three clients, of at most eight bytes each.
  EXPECT_LT(data(guest, "GetBodySyncState", note).string_member("data")->size(), 36u);
}

}  // namespace
}  // namespace diaryx::plugin
