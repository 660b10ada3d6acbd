#include "workspace_api.h"

#include <gtest/gtest.h>

#include <deque>
#include <thread>

#include "loopback_server.h"

namespace diaryx::client {
namespace {

namespace http = boost::beast::http;

/// The server runs on its own thread, because these requests wait.
class WorkspaceApi : public testing::Test {
 protected:
  WorkspaceApi() : server_(io_), client_(server_.url(), "token") {
    server_.answer = [this](const auto& request) {
      asked_.push_back(std::string(request.method_string()) + " " + std::string(request.target()) + " " +
                       request.body());
      auto [status, body] = answers_.front();
      answers_.pop_front();
      native::LoopbackServer::Response response(http::int_to_status(status), 11);
      response.body() = body;
      return response;
    };
  }

  Attempt<Workspace> join(std::string_view name, std::deque<std::pair<unsigned, std::string>> answers) {
    answers_ = std::move(answers);
    std::thread thread([this] { io_.run(); });
    auto result = join_or_make_workspace(client_, name);
    io_.stop();
    thread.join();
    return result;
  }

  boost::asio::io_context io_;
  native::LoopbackServer server_;
  native::HttpClient client_;
  std::deque<std::pair<unsigned, std::string>> answers_;
  std::vector<std::string> asked_;
};

TEST_F(WorkspaceApi, JoinsTheWorkspaceOfThatName) {
  const auto workspace = join("notes", {{200, R"([{"id":"1","name":"other"},{"id":"2","name":"notes"}])"}});
  ASSERT_TRUE(workspace) << workspace.error().sentence;
  EXPECT_EQ(workspace->id, "2");
  EXPECT_EQ(asked_, (std::vector<std::string>{"GET /api/workspaces "}));
}

TEST_F(WorkspaceApi, MakesItWhenThereIsNone) {
  const auto workspace = join("my \"notes\"", {{200, "[]"}, {200, R"({"id":"3","name":"my \"notes\""})"}});
  ASSERT_TRUE(workspace) << workspace.error().sentence;
  EXPECT_EQ(workspace->id, "3");
  EXPECT_EQ(asked_[1], R"(POST /api/workspaces {"name":"my \"notes\""})");
}

TEST_F(WorkspaceApi, JoinsTheOneThatAnotherDeviceMadeMeanwhile) {
  const auto workspace = join("notes", {{200, "[]"}, {409, ""}, {200, R"([{"id":"4","name":"notes"}])"}});
  ASSERT_TRUE(workspace) << workspace.error().sentence;
  EXPECT_EQ(workspace->id, "4");
}

TEST_F(WorkspaceApi, PassesOnWhyTheServerRefused) {
  const auto workspace = join("notes", {{200, "[]"}, {403, "Workspace limit reached (1/1)"}});
  ASSERT_FALSE(workspace);
  EXPECT_EQ(workspace.error().code, ExitCode::Refused);
  EXPECT_NE(workspace.error().sentence.find("HTTP 403"), std::string::npos);
}

TEST_F(WorkspaceApi, SaysThatTheTokenIsNotAccepted) {
  const auto workspace = join("notes", {{401, "Authentication required"}});
  ASSERT_FALSE(workspace);
  EXPECT_EQ(workspace.error().code, ExitCode::Refused);
  EXPECT_NE(workspace.error().sentence.find("does not accept the token"), std::string::npos);
}

TEST_F(WorkspaceApi, DoesNotTakeAnyWebPageForASyncServer) {
  for (const char* page : {"<html>hello</html>", "{}", "[1,2]x"}) {
    const auto workspace = join("notes", {{200, page}});
    ASSERT_FALSE(workspace);
    EXPECT_NE(workspace.error().sentence.find("check the address"), std::string::npos);
    io_.restart();
  }
}

TEST_F(WorkspaceApi, SaysThatTheAddressIsAnotherWhereAServerRedirects) {
  const auto workspace = join("notes", {{308, ""}});
  ASSERT_FALSE(workspace);
  EXPECT_EQ(workspace.error().code, ExitCode::Refused);
  EXPECT_NE(workspace.error().sentence.find("sends us to another address"), std::string::npos);
}

TEST_F(WorkspaceApi, DoesNotQuoteAWebPage) {
  const auto nothing_there = join("notes", {{404, "<!DOCTYPE HTML>\n<html>"}});
  ASSERT_FALSE(nothing_there);
  EXPECT_EQ(nothing_there.error().sentence,
            "there is no Diaryx sync server at " + server_.url().display() + "; check the address");
  io_.restart();
  const auto broken = join("notes", {{502, "<html><body>Bad gateway</body>"}});
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().code, ExitCode::Unreachable);
  EXPECT_TRUE(broken.error().sentence.ends_with("(HTTP 502)")) << broken.error().sentence;
}

}  // namespace
}  // namespace diaryx::client
