// Attachments and snapshots through the running program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <boost/asio/read_until.hpp>

#include "diaryx/base/sha256.h"
#include "diaryx/native/sqlite.h"
#include "diaryx/sync/frame.h"
#include "server_process.h"
#include "temporary_folder.h"
#include "zip_archive.h"

namespace diaryx::server {
namespace {

using testing::HasSubstr;

struct Snapshots : testing::Test {
  std::string base() const { return "/api/workspaces/" + workspace; }

  std::string zip(const std::vector<ZipEntry>& entries) {
    const auto target = folder.path / "made.zip";
    std::filesystem::remove(target);
    EXPECT_TRUE(write_zip(target, entries));
    return slurp(target);
  }
  std::map<std::string, std::string> files_of(const std::string& archive) {
    std::ofstream(folder.path / "got.zip", std::ios::binary | std::ios::trunc) << archive;
    std::map<std::string, std::string> files;
    const auto unpacked = read_zip(folder.path / "got.zip", {1u << 30, 1000});
    EXPECT_TRUE(unpacked) << (unpacked ? "" : unpacked.error().sentence);
    if (unpacked) {
      for (const UnpackedFile& file : *unpacked) files[file.path] = as_text(file.bytes);
    }
    return files;
  }
  std::map<std::string, std::string> download(const std::string& query = {}) {
    const Answer answer = server.request(http::verb::get, base() + "/snapshot" + query, token);
    EXPECT_EQ(answer.status, 200u) << answer.body;
    EXPECT_EQ(answer.headers.at("Content-Type"), "application/zip");
    return files_of(answer.body);
  }
  Answer upload(const std::string& archive, const std::string& query = {}) {
    return server.request(http::verb::post, base() + "/snapshot" + query, token, archive, "application/zip");
  }

  TemporaryFolder data;
  TemporaryFolder folder;
  ServerProcess server{data.path};
  std::string token = server.token("me@example.org");
  std::string workspace = server.make_workspace(token, "notes");
};

TEST_F(Snapshots, AreEmptyForANewWorkspace) {
  const Answer answer = server.request(http::verb::get, base() + "/snapshot", token);
  EXPECT_EQ(answer.status, 200u);
  EXPECT_EQ(answer.body.size(), 22u);
}

TEST_F(Snapshots, ComeBackByteForByte) {
  const std::string note = "---\ntitle: \"A\"   # kept\ntags: [x,  y]\n---\n\nText with ä and 😀\r\nno last newline";
  const std::map<std::string, std::string> files = {{"README.md", note},
                                                    {"empty.md", ""},
                                                    {"broken.md", "---\na: [\n---\nbody\n"},
                                                    {"plain.md", "just text\n"},
                                                    {"latin1.md", "\xe4\xf6"},
                                                    {"img/a.png", std::string("\x89PNG\0\1", 6)},
                                                    {"zero.txt", ""}};
  std::vector<ZipEntry> entries;
  for (const auto& [path, text] : files) entries.push_back({path, text, {}});
  const Answer imported = upload(zip(entries));
  EXPECT_EQ(imported.status, 200u);
  EXPECT_EQ(imported.body, R"({"files_imported":4})");
  EXPECT_EQ(download(), files);
  server.kill_nine();
  ServerProcess again(data.path);
  const Answer answer = again.request(http::verb::get, base() + "/snapshot", token);
  EXPECT_EQ(files_of(answer.body), files);
}

TEST_F(Snapshots, SayWhatTheyLack) {
  upload(zip({{"a.md", "A", {}}, {"b.md", "B", {}}, {"c.bin", "the only one", {}}, {"MISSING.txt", "mine", {}}}));
  server.kill_nine();
  {
    auto database = native::Database::open(data.path / "server.db", native::Durability::Full);
    ASSERT_TRUE(database);
    ASSERT_TRUE(database->execute(
        "UPDATE updates SET data=x'00' WHERE document_id=(SELECT id FROM documents WHERE name LIKE 'body:%/b.md')"));
    ASSERT_TRUE(
        database->execute("UPDATE documents SET snapshot=x'00' WHERE name LIKE 'body:%/b.md' AND snapshot NOT NULL"));
  }
  for (const auto& file : std::filesystem::recursive_directory_iterator(data.path / "blobs")) {
    if (file.is_regular_file() && slurp(file.path()) == "the only one") std::filesystem::remove(file.path());
  }
  ServerProcess again(data.path);
  const Answer answer = again.request(http::verb::get, base() + "/snapshot", token);
  ASSERT_EQ(answer.status, 200u) << answer.body;
  auto files = files_of(answer.body);
  EXPECT_THAT(files, testing::SizeIs(3));
  EXPECT_EQ(files["a.md"], "A");
  EXPECT_EQ(files["MISSING.txt"], "mine");
  EXPECT_THAT(files["MISSING 2.txt"], HasSubstr("\nb.md\nc.bin\n"));
  // What the server wrote into it is no file of the workspace that takes it in.
  const std::string other = again.make_workspace(token, "other");
  ASSERT_EQ(
      again.request(http::verb::post, "/api/workspaces/" + other + "/snapshot", token, answer.body, "application/zip")
          .status,
      200u);
  EXPECT_THAT(files_of(again.request(http::verb::get, "/api/workspaces/" + other + "/snapshot", token).body),
              testing::UnorderedElementsAre(testing::Pair("a.md", "A"), testing::Pair("MISSING.txt", "mine")));
  EXPECT_THAT(again.log(), HasSubstr("a snapshot is made without body:"));
}

TEST_F(Snapshots, MergeKeepsAndReplaceRemovesWhatIsNotInTheArchive) {
  upload(zip({{"a.md", "A", {}}, {"b.md", "B", {}}, {"x.bin", "X", {}}}));
  EXPECT_EQ(upload(zip({{"b.md", "B2", {}}}), "?mode=merge").status, 200u);
  EXPECT_EQ(download(), (std::map<std::string, std::string>{{"a.md", "A"}, {"b.md", "B2"}, {"x.bin", "X"}}));
  EXPECT_EQ(upload(zip({{"c.md", "C", {}}}), "?include_attachments=false").status, 200u);
  EXPECT_EQ(download(), (std::map<std::string, std::string>{{"c.md", "C"}, {"x.bin", "X"}}));
  EXPECT_EQ(upload(zip({{"a.md", "A again", {}}})).status, 200u);
  EXPECT_EQ(download(), (std::map<std::string, std::string>{{"a.md", "A again"}}));
}

TEST_F(Snapshots, AFileMayBecomeBytesAndTextAgain) {
  const std::string bytes = "\xe4 is not UTF-8";
  for (const std::string mode : {"merge", "replace"}) {
    for (const std::string& content : {std::string("text"), bytes, std::string("text again"), bytes}) {
      EXPECT_EQ(upload(zip({{"a.md", content, {}}}), "?mode=" + mode).status, 200u);
      EXPECT_EQ(download(), (std::map<std::string, std::string>{{"a.md", content}})) << mode;
    }
  }
}

TEST_F(Snapshots, AreSeenByDevicesThatAreConnected) {
  TestSocket socket(server, token, true, "handshake=0");
  const std::string document = "workspace:" + workspace;
  socket.send(*sync::encode_frame(document, {sync::SyncStep1{sync::kEmptyStateVector}}));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(socket.read_frame());
  EXPECT_EQ(upload(zip({{"a.md", "A", {}}})).status, 200u);
  const auto frame = socket.read_frame();
  ASSERT_TRUE(frame);
  EXPECT_THAT(*frame, HasSubstr("a.md"));
}

TEST_F(Snapshots, OfferTheHandshakeOnceThereAreFiles) {
  upload(zip({{"notes/a.md", "---\ntitle: A\n---\ntext", {}}}));
  TestSocket socket(server, token);
  const std::string document = "workspace:" + workspace;
  socket.send(*sync::encode_frame(document, {sync::SyncStep1{sync::kEmptyStateVector}}));
  const auto manifest = socket.read_text_with("file_manifest");
  ASSERT_TRUE(manifest);
  EXPECT_THAT(*manifest, HasSubstr("\"filename\":\"notes/a.md\",\"title\":\"A\""));
  socket.send_text(R"({"type":"FilesReady"})");
  EXPECT_TRUE(socket.read_text_with("crdt_state"));
  EXPECT_TRUE(socket.read_text_with("\"files_synced\":1"));
  EXPECT_TRUE(socket.read_frame());
}

TEST_F(Snapshots, ChangeNothingWhenTheArchiveIsRefused) {
  upload(zip({{"a.md", "A", {}}}));
  for (const std::string mode : {"Merge", "merge%20", "", "add"}) {
    const Answer refused = upload(zip({{"b.md", "B", {}}}), "?mode=" + mode);
    EXPECT_EQ(refused.status, 400u) << mode;
    EXPECT_THAT(refused.body, HasSubstr("replace or merge"));
  }
  EXPECT_EQ(upload("this is no zip").status, 400u);
  EXPECT_EQ(upload(zip({{"b.md", "B", {}}, {"../evil.md", "x", {}}})).status, 400u);
  EXPECT_EQ(upload(zip({{"b.md", "B", {}}}), "?include_attachments=yes").status, 400u);
  EXPECT_EQ(server.request(http::verb::post, base() + "/snapshot", token).status, 400u);
  EXPECT_EQ(download(), (std::map<std::string, std::string>{{"a.md", "A"}}));
  EXPECT_FALSE(std::filesystem::exists(data.path.parent_path() / "evil.md"));
}

TEST_F(Snapshots, AreNotGoneBackFromByAWishThatIsMisspelt) {
  upload(zip({{"a.md", "A", {}}}));
  const std::string history = server.request(http::verb::get, base() + "/history", token).body;
  for (const char* const wish :
       {R"({"point":0,"dry_run":"yes"})", R"({"point":0,"dry_run":1})", R"({"point":0,"paths":[]})",
        R"({"point":0,"paths":["a.md"],"hunks":[]})", R"({"point":0,"paths":["a.md"],"hunks":0})"}) {
    EXPECT_EQ(server.request(http::verb::post, base() + "/restore", token, wish).status, 400u) << wish;
  }
  EXPECT_EQ(server.request(http::verb::get, base() + "/history", token).body, history);
}

TEST_F(Snapshots, ChangeNothingWhenAttachmentsWouldPassTheLimit) {
  ASSERT_EQ(server.stop(), 0);
  ServerProcess small(data.path, {"--attachment-limit", "10"});
  const std::string archive = zip({{"a.md", "A", {}}, {"big.bin", "more than ten bytes", {}}});
  const Answer refused = small.request(http::verb::post, base() + "/snapshot", token, archive, "application/zip");
  EXPECT_EQ(refused.status, 413u);
  EXPECT_THAT(refused.body, HasSubstr("storage_limit_exceeded"));
  EXPECT_EQ(small.request(http::verb::get, base() + "/snapshot", token).body.size(), 22u);
}

TEST_F(Snapshots, CountEqualFilesOnceForTheLimit) {
  ASSERT_EQ(server.stop(), 0);
  ServerProcess small(data.path, {"--attachment-limit", "25"});
  const std::string archive = zip({{"a.bin", "more than ten bytes", {}}, {"b.bin", "more than ten bytes", {}}});
  const Answer taken = small.request(http::verb::post, base() + "/snapshot", token, archive, "application/zip");
  EXPECT_EQ(taken.status, 200u) << taken.body;
}

TEST_F(Snapshots, ChangeNothingOnceTheTokenHasEndedOnTheWay) {
  const std::string archive = zip({{"a.md", "A", {}}});
  asio::io_context context;
  tcp::socket socket(context);
  socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), server.port()));
  const std::string head =
      "POST " + base() + "/snapshot HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token +
      "\r\nContent-Length: " + std::to_string(archive.size()) + "\r\n" + "Expect: 100-continue\r\n\r\n";
  asio::write(socket, asio::buffer(head));
  std::string answer;
  asio::read_until(socket, asio::dynamic_buffer(answer), "\r\n\r\n");
  ASSERT_THAT(answer, HasSubstr("100 Continue"));
  ASSERT_EQ(server.request(http::verb::post, "/auth/logout", token).status, 204u);
  asio::write(socket, asio::buffer(archive));
  boost::system::error_code closed;
  answer.clear();
  asio::read(socket, asio::dynamic_buffer(answer), closed);
  EXPECT_THAT(answer, HasSubstr("401 Unauthorized"));
  token = server.token("me@example.org");
  EXPECT_THAT(download(), testing::IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(data.path / "receiving"));
}

TEST_F(Snapshots, CarryAttachmentsThatWereUploadedInParts) {
  const std::string content = "0123456789";
  const std::string hash = sha256(content).hex();
  const std::string announcement = R"({"attachment_path":"a.bin","hash":")" + hash +
                                   R"(","size_bytes":10,"mime_type":"application/x-test","part_size":6})";
  const std::string uploads = base() + "/attachments/uploads";
  const Json started = server.request(http::verb::post, uploads, token, announcement).json();
  EXPECT_EQ(started.string_member("status"), "uploading");
  const std::string at = uploads + "/" + std::string(*started.string_member("upload_id"));
  EXPECT_EQ(server.request(http::verb::put, at + "/parts/2", token, "6789", "x/y").status, 200u);
  const Answer early = server.request(http::verb::post, at + "/complete", token, announcement);
  EXPECT_EQ(early.status, 409u);
  EXPECT_THAT(early.body, HasSubstr("\"missing_parts\":[1]"));
  const Json resumed = server.request(http::verb::post, uploads, token, announcement).json();
  EXPECT_EQ(resumed.string_member("upload_id"), started.string_member("upload_id"));
  EXPECT_EQ(resumed.find("uploaded_parts")->dump(), "[2]");
  EXPECT_EQ(server.request(http::verb::put, at + "/parts/1", token, "012345", "x/y").status, 200u);
  EXPECT_EQ(server.request(http::verb::post, at + "/complete", token, announcement).status, 200u);
  EXPECT_EQ(server.request(http::verb::post, at + "/complete", token, announcement).status, 200u);  // asked again
  EXPECT_THAT(server.request(http::verb::post, uploads, token, announcement).body, HasSubstr("already_exists"));

  const std::string blob = base() + "/attachments/" + hash;
  const Answer whole = server.request(http::verb::get, blob, token);
  EXPECT_EQ(whole.body, content);
  EXPECT_EQ(whole.headers.at("Content-Type"), "application/x-test");
  const Answer part = server.request(http::verb::get, blob, token, {}, {}, "bytes=3-5");
  EXPECT_EQ(part.status, 206u);
  EXPECT_EQ(part.body, "345");
  EXPECT_EQ(part.headers.at("Content-Range"), "bytes 3-5/10");
  EXPECT_EQ(server.request(http::verb::get, blob, token, {}, {}, "bytes=10-").status, 416u);
  EXPECT_EQ(part.headers.at("ETag"), '"' + hash + '"');
  // Half a file is gone on with only if it is the same file.
  const auto resume = [&](const std::string& condition) {
    return server.raw("GET " + blob + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token +
                      "\r\nRange: bytes=3-5\r\nIf-Range: " + condition + "\r\n\r\n");
  };
  EXPECT_THAT(resume('"' + hash + '"'), HasSubstr("206 Partial Content"));
  EXPECT_THAT(resume("\"another\""), HasSubstr("200 OK"));
  EXPECT_THAT(resume("Fri, 27 Nov 2026 00:00:00 GMT"), HasSubstr("200 OK"));
  const Json use = server.request(http::verb::get, "/api/user/storage", token).json();
  EXPECT_EQ(use.integer_member("used_bytes"), 10);
}

}  // namespace
}  // namespace diaryx::server
