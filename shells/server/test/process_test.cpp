// The program from outside: sign-in, sync over sockets, kill -9, bad input.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "diaryx/crdt/doc.h"
#include "diaryx/sync/doc_id.h"
#include "diaryx/sync/frame.h"
#include "server_process.h"
#include "temporary_folder.h"

namespace diaryx::server {
namespace {

using testing::HasSubstr;
using testing::Not;

Bytes frame(const std::string& document, const sync::Message& message) {
  return *sync::encode_frame(document, {message});
}
Bytes ask_for(const std::string& document) { return frame(document, sync::SyncStep1{sync::kEmptyStateVector}); }

/// One insertion at the end, as the update that a client would send.
Bytes append_text(crdt::Doc& doc, const std::string& text) {
  crdt::Text body = doc.text("body");
  crdt::Transaction txn = doc.transact();
  EXPECT_TRUE(body.insert(txn, Utf16Offset{body.length().value()}, text));
  return std::move(txn).commit().update_v1();
}

/// The text of a body as a fresh device sees it.
std::string text_on_server(const ServerProcess& server, const std::string& token, const std::string& document) {
  TestSocket socket(server, token, true);
  socket.send(ask_for(document));
  crdt::Doc doc({.client = ClientId{1}});
  while (const auto bytes = socket.read_frame()) {
    const auto decoded = sync::decode_frame(as_bytes(*bytes));
    for (const auto& message : *sync::parse_messages(decoded->payload)) {
      const auto* answer = std::get_if<sync::SyncStep2>(&message);
      if (answer == nullptr) continue;
      EXPECT_TRUE(doc.apply_update_v1(answer->update));
      return doc.text("body").to_string();
    }
  }
  ADD_FAILURE() << "no answer for " << document;
  return {};
}

struct Process : testing::Test {
  Process()
      : server(folder.path), token(server.token("me@example.org")), workspace(server.make_workspace(token, "notes")) {}
  std::string body(const std::string& path) const { return "body:" + workspace + "/" + path; }

  TemporaryFolder folder;
  ServerProcess server;
  std::string token;
  std::string workspace;
};

TEST_F(Process, AnswersWhoAsks) {
  EXPECT_EQ(server.request(http::verb::get, "/health").body, "OK");
  EXPECT_EQ(server.request(http::verb::get, "/").body, "Diaryx Sync Server");
  const Json me = server.request(http::verb::get, "/auth/me", token).json();
  EXPECT_EQ(me.find("user")->string_member("email"), "me@example.org");
  EXPECT_EQ(me.find("workspaces")->as_array()->size(), 1u);
  EXPECT_EQ(server.request(http::verb::get, "/auth/me?token=" + token).status, 200u);
  EXPECT_EQ(server.request(http::verb::get, "/auth/me").status, 401u);
  EXPECT_EQ(server.request(http::verb::get, "/auth/me", "wrong").body, "Authentication required");
  EXPECT_EQ(server.request(http::verb::delete_, "/api/workspaces/" + workspace, token).status, 204u);
  EXPECT_EQ(server.request(http::verb::get, "/api/workspaces/" + workspace, token).status, 404u);
}

TEST_F(Process, RefusesABadTokenAtTheUpgradeWithASentence) {
  TestSocket bad(server, "nonsense");
  EXPECT_EQ(bad.status(), 401u);
  EXPECT_THAT(bad.refusal(), HasSubstr("{\"error\":\"The token is not valid"));
  TestSocket none(server, "");
  EXPECT_EQ(none.status(), 401u);
  EXPECT_THAT(none.refusal(), HasSubstr("No token was sent"));
}

TEST_F(Process, CarriesTextFromOneDeviceToAnother) {
  TestSocket one(server, token);
  TestSocket two(server, token, true);
  EXPECT_THAT(one.read()->data, HasSubstr("server_hello"));
  one.send(ask_for(body("a.md")));
  two.send(ask_for(body("a.md")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(two.read_frame());

  crdt::Doc doc({.client = ClientId{5}});
  const Bytes update = append_text(doc, "Hello");
  one.send(frame(body("a.md"), sync::Update{update}));
  EXPECT_TRUE(one.read_text_with("\"saved\",\"doc\":\"" + body("a.md") + "\",\"received\":1"));
  const auto relayed = two.read_frame();
  ASSERT_TRUE(relayed);
  EXPECT_EQ(to_bytes(as_bytes(*relayed)), frame(body("a.md"), sync::Update{update}));
  EXPECT_EQ(text_on_server(server, token, body("a.md")), "Hello");
}

TEST_F(Process, KeepsEverySavedUpdateThroughKillNine) {
  constexpr int kRounds = 3;
  constexpr int kFiles = 5;
  std::mt19937 random(20261122);
  std::map<std::string, std::string> promised;  // text that was confirmed, per document
  std::vector<std::unique_ptr<crdt::Doc>> docs;
  for (int file = 0; file < kFiles; ++file)
    docs.push_back(
        std::make_unique<crdt::Doc>(crdt::DocOptions{.client = ClientId{100u + static_cast<unsigned>(file)}}));
  server.kill_nine();
  std::optional<ServerProcess> running(std::in_place, folder.path);
  for (int round = 0; round < kRounds; ++round) {
    TestSocket socket(*running, token);
    std::map<std::string, std::vector<std::string>> sent;  // text after each update, per document
    for (int file = 0; file < kFiles; ++file) {
      const std::string document = body(std::to_string(file) + ".md");
      // After a kill the device holds more than the server: the first message brings the difference.
      const Bytes all = docs[static_cast<size_t>(file)]->encode_update_v1();
      socket.send(frame(document, sync::SyncStep2{all}));
      sent[document].push_back(docs[static_cast<size_t>(file)]->text("body").to_string());
    }
    for (int i = 0; i < 400; ++i) {
      const auto file = static_cast<size_t>(random() % kFiles);
      const std::string document = body(std::to_string(file) + ".md");
      const Bytes update = append_text(*docs[file], std::to_string(i) + ";");
      socket.send(frame(document, sync::Update{update}));
      sent[document].push_back(docs[file]->text("body").to_string());
    }
    const int receipts = static_cast<int>(random() % 40) + 5;
    // One receipt may confirm many updates, so there may be fewer of them than we would read.
    const auto all_is_saved = [&] {
      return std::ranges::all_of(sent, [&](const auto& entry) { return promised[entry.first] == entry.second.back(); });
    };
    for (int i = 0; i < receipts && !all_is_saved(); ++i) {
      const auto text = socket.read_text_with("\"saved\"");
      ASSERT_TRUE(text);
      const Json saved = *Json::parse(*text);
      const std::string document(*saved.string_member("doc"));
      promised[document] = sent[document][static_cast<size_t>(*saved.integer_member("received")) - 1];
    }
    running->kill_nine();
    running.emplace(folder.path);
    for (const auto& [document, text] : promised) {
      EXPECT_THAT(text_on_server(*running, token, document), testing::StartsWith(text)) << "round " << round;
    }
  }
  EXPECT_GE(promised.size(), 1u);
}

TEST_F(Process, IsAloneOnItsFolder) {
  std::string out;
  EXPECT_EQ(run_program({"--data", folder.path.native(), "--listen", "127.0.0.1:0"}, out), 3);
  EXPECT_THAT(out, HasSubstr("another diaryx-syncd"));
}

TEST_F(Process, EndsCleanlyAndTellsClientsToComeBack) {
  TestSocket socket(server, token);
  crdt::Doc doc({.client = ClientId{5}});
  socket.send(ask_for(body("a.md")));
  socket.send(frame(body("a.md"), sync::Update{append_text(doc, "kept")}));
  ASSERT_TRUE(socket.read_text_with("saved"));
  std::optional<uint16_t> code;
  std::thread reader([&] {
    while (socket.read()) {
    }
    code = socket.close_code();
  });
  EXPECT_EQ(server.stop(), 0);
  reader.join();
  EXPECT_EQ(code, 1001);
  ServerProcess again(folder.path);
  EXPECT_EQ(text_on_server(again, token, body("a.md")), "kept");
}

TEST_F(Process, GivesStrangersNothing) {
  const std::string stranger = server.token("stranger@example.org");
  for (const char* path :
       {"", "/snapshot", "/attachments/0000000000000000000000000000000000000000000000000000000000000000"}) {
    EXPECT_EQ(server.request(http::verb::get, "/api/workspaces/" + workspace + path, stranger).status, 404u) << path;
  }
  EXPECT_EQ(server.request(http::verb::delete_, "/api/workspaces/" + workspace, stranger).status, 404u);
  TestSocket socket(server, stranger);
  for (const std::string& document : {body("a.md"), "workspace:" + workspace, std::string("workspace:notes"),
                                      std::string("workspace:../../server"), std::string("body:../x/y.md")}) {
    socket.send(ask_for(document));
    const auto refusal = socket.read_text_with("\"error\"");
    ASSERT_TRUE(refusal);
    EXPECT_THAT(*refusal, testing::AnyOf(HasSubstr("unauthorized"), HasSubstr("invalid")));
  }
}

TEST_F(Process, RemovingAWorkspaceCutsItsOpenDocuments) {
  TestSocket socket(server, token);
  socket.send(ask_for(body("a.md")));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(socket.read_frame());
  EXPECT_EQ(server.request(http::verb::delete_, "/api/workspaces/" + workspace, token).status, 204u);
  EXPECT_TRUE(socket.read_text_with("unauthorized"));
}

TEST_F(Process, RefusesBadRequestsAndGoesOn) {
  struct Case {
    http::verb method;
    const char* target;
    std::string body;
    const char* type;
    unsigned status;
  };
  const std::string uploads = "/api/workspaces/" + workspace + "/attachments/uploads";
  const Case cases[] = {
      {http::verb::post, "/api/workspaces", "{", "application/json", 400},
      {http::verb::post, "/api/workspaces", "{\"name\":1}", "application/json", 422},
      {http::verb::post, "/api/workspaces", "[]", "application/json", 422},
      {http::verb::post, "/api/workspaces", "{\"name\":\"  \"}", "application/json", 400},
      {http::verb::post, "/api/workspaces", "{\"name\":\"x\"}", "text/plain", 415},
      {http::verb::post, "/api/workspaces", "{\"name\":\"notes\"}", "application/json", 409},
      {http::verb::post, "/api/workspaces", std::string(3 << 20, ' '), "application/json", 413},
      {http::verb::put, "/api/workspaces", "{}", "application/json", 405},
      {http::verb::get, "/api/workspaces/%2e%2e%2f", "", "", 404},
      {http::verb::get, "/api/workspaces?x=%zz", "", "", 400},
      {http::verb::get, "/nothing", "", "", 404},
      {http::verb::get, "/sync2", "", "", 426},
  };
  for (const Case& one : cases) {
    EXPECT_EQ(server.request(one.method, one.target, token, one.body, one.type).status, one.status)
        << one.target << " " << one.body.substr(0, 40);
  }
  const std::string good =
      R"({"attachment_path":"a.png","hash":")" + std::string(64, 'a') + R"(","size_bytes":5,"mime_type":"image/png")";
  EXPECT_EQ(server.request(http::verb::post, uploads, token, good + ",\"total_parts\":2}").status, 400u);
  EXPECT_EQ(server.request(http::verb::post, uploads, token, good + ",\"part_size\":0}").status, 400u);
  EXPECT_EQ(server.request(http::verb::post, uploads, token, "{\"attachment_path\":\"a\"}").status, 422u);
  const Json upload = server.request(http::verb::post, uploads, token, good + "}").json();
  const std::string at = uploads + "/" + std::string(upload.string_member("upload_id").value_or("")) + "/";
  EXPECT_EQ(server.request(http::verb::put, at + "parts/0", token, "abcde", "x/y").status, 400u);
  EXPECT_EQ(server.request(http::verb::put, at + "parts/1", token, "abc", "x/y").status, 400u);
  EXPECT_EQ(server.request(http::verb::put, at + "parts/1", token, "abcde", "x/y").status, 200u);
  // The bytes are not what the hash says.
  EXPECT_EQ(server.request(http::verb::post, at + "complete", token, good + "}").status, 400u);
  EXPECT_THAT(server.raw("NONSENSE\r\n\r\n"), HasSubstr("400"));
  EXPECT_THAT(server.raw("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n"), HasSubstr("431"));
  EXPECT_EQ(server.request(http::verb::get, "/health").status, 200u);
}

TEST_F(Process, TakesATargetThatNamesItsHost) {
  const auto asked = [this](const std::string& line, const std::string& origin) {
    return server.raw(line + " HTTP/1.1\r\nHost: elsewhere\r\nOrigin: http://" + origin +
                      "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  };
  EXPECT_THAT(asked("GET http://notes.example/health?x=1", "other.example"), HasSubstr("200 OK"));
  // The host of the target counts, and not that of the header.
  EXPECT_THAT(asked("POST http://notes.example/auth/logout", "notes.example"), HasSubstr("401"));
  EXPECT_THAT(asked("POST http://notes.example/auth/logout", "elsewhere"), HasSubstr("403"));
}

TEST_F(Process, RefusesBadFramesAndGoesOn) {
  std::mt19937 random(7);
  for (int i = 0; i < 30; ++i) {
    TestSocket socket(server, token);
    for (int j = 0; j < 20; ++j) {
      Bytes junk = j % 2 == 0 ? ask_for(body("x.md")) : Bytes();
      for (unsigned k = random() % 60; k > 0; --k) junk.push_back(static_cast<uint8_t>(random()));
      socket.send(junk);
      socket.send_text(std::string(reinterpret_cast<const char*>(junk.data()), 0) + "{\"type\":");
    }
  }
  TestSocket socket(server, token);
  socket.send(Bytes(3, 0xff));
  EXPECT_TRUE(socket.read_text_with("\"code\":\"invalid\""));
  EXPECT_EQ(text_on_server(server, token, body("x.md")), "");
}

TEST_F(Process, WritesNoTokenIntoItsLog) {
  TestSocket socket(server, token);
  ASSERT_TRUE(socket.read());
  server.request(http::verb::get, "/auth/me?token=" + token);
  server.request(http::verb::get, "/auth/me", token);
  server.stop();
  EXPECT_THAT(server.log(), HasSubstr("/auth/me"));
  EXPECT_THAT(server.log(), Not(HasSubstr(token)));
  EXPECT_THAT(slurp(folder.path / "server.db"), Not(HasSubstr(token)));
  EXPECT_THAT(slurp(folder.path / "server.db-wal"), Not(HasSubstr(token)));
}

TEST_F(Process, LetsAllowedPagesReadItsHeaders) {
  const std::string answer =
      server.raw("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nOrigin: http://localhost:5174\r\n\r\n");
  for (const char* const name : {"Content-Disposition", "Content-Range", "ETag", "Retry-After", "X-Request-Id"})
    EXPECT_THAT(answer, testing::ContainsRegex(std::string("Access-Control-Expose-Headers:.*") + name)) << name;
}

TEST_F(Process, RefusesWorkspaceNamesThatCannotBeShown) {
  for (const char* const name : {"a\\u0000b", "a\\nb", "a\\u001b[31m", "a\\u007f", "a\\u009b31m"}) {
    const std::string body = std::string("{\"name\":\"") + name + "\"}";
    EXPECT_EQ(server.request(http::verb::post, "/api/workspaces", token, body).status, 400u) << name;
  }
  EXPECT_EQ(server.request(http::verb::post, "/api/workspaces", token, R"({"name":"ä 😀"})").status, 200u);
}

TEST(CommandLine, MakesNoServerOfAFolderThatIsMisspelt) {
  TemporaryFolder folder;
  const std::string data = folder.path / "misspelt";
  const std::vector<std::vector<std::string>> commands = {{"user", "list"},
                                                          {"user", "remove", "me@example.org"},
                                                          {"user", "owner", "me@example.org"},
                                                          {"user", "link", "me@example.org"},
                                                          {"token", "list"},
                                                          {"token", "revoke", "0123456789ab"},
                                                          {"device", "list", "--user", "me@example.org"},
                                                          {"device", "remove", "x", "--user", "me@example.org"}};
  for (std::vector<std::string> command : commands) {
    const std::string words = command[0] + " " + command[1];
    command.insert(command.end(), {"--data", data});
    std::string out;
    EXPECT_EQ(run_program(command, out), 3) << words;
    EXPECT_THAT(out, HasSubstr("there is no server in " + data)) << words;
    EXPECT_FALSE(std::filesystem::exists(data)) << words;
  }
}

TEST(CommandLine, PrintsALinkThatCanBeOpened) {
  TemporaryFolder folder;
  std::string out;
  ASSERT_EQ(run_program({"user", "add", "me@example.org", "--data", folder.path.native()}, out), 0) << out;
  const auto link = [&](const std::string& listen) {
    EXPECT_EQ(run_program({"user", "link", "me@example.org", "--data", folder.path.native(), "--listen", listen}, out),
              0);
    return out;
  };
  EXPECT_THAT(link("0.0.0.0:3030"), HasSubstr("http://localhost:3030/sign-in#"));
  EXPECT_THAT(link("[::]:3030"), HasSubstr("http://localhost:3030/sign-in#"));
  EXPECT_THAT(link("[::1]:3030"), HasSubstr("http://[::1]:3030/sign-in#"));
}

TEST(CommandLine, TakesNoNothingForOneOrMore) {
  TemporaryFolder folder;
  for (const char* const nothing : {"0", "00"}) {
    std::string out;
    EXPECT_EQ(run_program({"--check-config", "--data", folder.path.native(), "--max-connections", nothing}, out), 2);
    EXPECT_THAT(out, HasSubstr("1 or more"));
  }
}

TEST(CommandLine, TakesNoCommentForAPartOfAValue) {
  TemporaryFolder folder;
  const auto config = folder.path / "settings";
  std::ofstream(config) << "data = " << folder.path.native() << "/data # of this machine\n";
  std::string out;
  EXPECT_EQ(run_program({"--config", config.native(), "--check-config"}, out), 2) << out;
  EXPECT_THAT(out, HasSubstr("line 1: a comment stands on a line of its own"));
}

TEST(CommandLine, SaysWhoMayOpenADatabaseThatIsSomebodyElses) {
  TemporaryFolder folder;
  std::string out;
  ASSERT_EQ(run_program({"user", "add", "me@example.org", "--data", folder.path.native()}, out), 0) << out;
  std::filesystem::permissions(folder.path / "server.db", std::filesystem::perms::none);
  if (std::ifstream(folder.path / "server.db")) GTEST_SKIP() << "this user may read everything";
  EXPECT_EQ(run_program({"user", "list", "--data", folder.path.native()}, out), 3);
  EXPECT_THAT(out, HasSubstr("Permission denied; give this user the permission"));
}

TEST(CommandLine, SaysWhatIsWrong) {
  TemporaryFolder folder;
  std::string out;
  EXPECT_EQ(run_program({}, out), 2);
  EXPECT_THAT(out, HasSubstr("--data"));
  EXPECT_EQ(run_program({"--data", folder.path.native(), "--listen", "nowhere"}, out), 2);
  EXPECT_THAT(out, HasSubstr("ADDRESS:PORT"));
  EXPECT_EQ(run_program({"--data", folder.path.native(), "--listen", "203.0.113.1:1"}, out), 4);
  EXPECT_THAT(out, HasSubstr("--listen"));
  EXPECT_EQ(run_program({"token", "create", "--data", folder.path.native(), "--user", "nobody"}, out), 2);
  EXPECT_THAT(out, HasSubstr("e-mail"));
  EXPECT_EQ(run_program({"--data", "/dev/null/x"}, out), 3);
}

}  // namespace
}  // namespace diaryx::server
