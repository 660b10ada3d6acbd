#include "diaryx/native/websocket_client.h"

#include <gtest/gtest.h>

#include <optional>

#include "loopback_server.h"

namespace diaryx::native {
namespace {

class WebSocketClientTest : public testing::Test {
 protected:
  WebSocketClientTest() : server_(io_) {}

  void open() {
    SocketHandlers handlers;
    handlers.on_open = [this] {
      log_.push_back("open");
      if (on_open_) on_open_();
    };
    handlers.on_binary = [this](ByteView message) { got("binary:" + std::string(as_text(message))); };
    handlers.on_text = [this](std::string_view message) { got("text:" + std::string(message)); };
    handlers.on_closed = [this](const SocketClosed& why) {
      closed_ = why;
      io_.stop();
    };
    socket_.emplace(io_, server_.url(), "/sync2?workspace_id=w", "secret-token", std::move(handlers));
  }

  void got(std::string what) {
    log_.push_back(std::move(what));
    if (log_.size() >= stop_after_) io_.stop();
  }

  void run() {
    io_.restart();
    io_.run_for(std::chrono::seconds(10));
  }

  boost::asio::io_context io_;
  LoopbackServer server_;
  std::optional<WebSocketClient> socket_;
  std::function<void()> on_open_;
  std::vector<std::string> log_;
  size_t stop_after_ = 1000;
  std::optional<SocketClosed> closed_;
};

TEST_F(WebSocketClientTest, CarriesMessagesInOrder) {
  on_open_ = [this] {
    socket_->send_text("one");
    socket_->send_binary(Bytes{'t', 'w', 'o'});
    socket_->send_text("three");
  };
  stop_after_ = 4;
  open();
  run();
  EXPECT_EQ(log_, (std::vector<std::string>{"open", "text:one", "binary:two", "text:three"}));
  ASSERT_EQ(server_.seen.size(), 1u);
  EXPECT_EQ(server_.seen[0].target(), "/sync2?workspace_id=w");
  EXPECT_EQ(server_.seen[0][boost::beast::http::field::authorization], "Bearer secret-token");
}

TEST_F(WebSocketClientTest, CarriesALargeMessage) {
  on_open_ = [this] { socket_->send_binary(Bytes(20'000'000, 'x')); };
  stop_after_ = 2;
  open();
  run();
  ASSERT_EQ(log_.size(), 2u);
  EXPECT_EQ(log_[1].size(), 20'000'007u);
}

TEST_F(WebSocketClientTest, SaysThatTheTokenIsNotAccepted) {
  server_.refuse_upgrade = true;
  server_.answer = [](const auto&) { return LoopbackServer::Response(boost::beast::http::status::unauthorized, 11); };
  open();
  run();
  ASSERT_TRUE(closed_);
  EXPECT_EQ(closed_->refused_status, 401u);
  EXPECT_NE(closed_->problem.sentence.find("link the folder again"), std::string::npos);
  EXPECT_TRUE(log_.empty());
}

TEST_F(WebSocketClientTest, SaysWhatTheServerSaysWhenItRefuses) {
  const struct {
    boost::beast::http::status status;
    std::string body;
    std::string says;
  } cases[] = {
      {boost::beast::http::status::forbidden, R"({"error":"This share has ended."})",
       " does not let this device in (This share has ended.): its access may have been taken away, or a proxy on the "
       "way refuses it; "
       "ask the owner of the workspace, or link the folder again with a new token"},
      {boost::beast::http::status::forbidden, "<html>no</html>",
       " does not let this device in (HTTP 403): its access may have been taken away, or a proxy on the way refuses "
       "it; ask the "
       "owner of the workspace, or link the folder again with a new token"},
      {boost::beast::http::status::too_many_requests, "Rate limit\x1b exceeded\nmore",
       " refused the connection (HTTP 429: Rate limit? exceeded); it is tried again"},
      {boost::beast::http::status::bad_gateway, "", " refused the connection (HTTP 502); it is tried again"},
  };
  server_.refuse_upgrade = true;
  for (const auto& one : cases) {
    server_.answer = [&one](const auto&) {
      LoopbackServer::Response response(one.status, 11);
      response.body() = one.body;
      return response;
    };
    closed_.reset();
    open();
    run();
    ASSERT_TRUE(closed_);
    EXPECT_EQ(closed_->problem.sentence, "the server " + server_.url().display() + one.says);
  }
}

TEST_F(WebSocketClientTest, TellsThatTheServerClosed) {
  server_.messages_before_close = 1;
  on_open_ = [this] { socket_->send_text("last"); };
  open();
  run();
  ASSERT_TRUE(closed_);
  EXPECT_EQ(closed_->refused_status, 0u);
  EXPECT_EQ(log_.back(), "text:last");
}

TEST_F(WebSocketClientTest, SaysWhyTheServerClosedAndWhatHappensNext) {
  using boost::beast::websocket::close_code;
  using boost::beast::websocket::close_reason;
  const struct {
    close_reason goodbye;
    std::string ends_with;
  } cases[] = {
      {{close_code::going_away, "the server is restarting"},
       " is stopping or restarting; this device connects again when it is back, and what is edited meanwhile is kept"},
      {{close_code::try_again_later, "storage failed, come back"},
       " cannot store anything now (storage failed, come back); it is tried again"},
      {{close_code::policy_error, "The token has expired."}, " ended the connection: The token has expired."},
      {close_code::normal, " closed the connection; it is tried again"},
      {{close_code::normal, "odd\x1b[2J\nreason"}, " ended the connection: odd?[2J?reason"},
  };
  server_.messages_before_close = 0;
  for (const auto& one : cases) {
    server_.goodbye = one.goodbye;
    closed_.reset();
    open();
    run();
    ASSERT_TRUE(closed_);
    EXPECT_EQ(closed_->problem.sentence, "the server " + server_.url().display() + one.ends_with);
  }
}

TEST_F(WebSocketClientTest, TellsThatNobodyListens) {
  server_.stop();
  const ServerUrl nowhere{.tls = false, .host = "127.0.0.1", .port = "1", .base_path = ""};
  SocketHandlers handlers;
  handlers.on_closed = [this](const SocketClosed& why) {
    closed_ = why;
    io_.stop();
  };
  socket_.emplace(io_, nowhere, "/sync2", "", std::move(handlers));
  run();
  ASSERT_TRUE(closed_);
  EXPECT_NE(closed_->problem.sentence.find("is the server running?"), std::string::npos);
}

TEST_F(WebSocketClientTest, MayBeDestroyedByItsOwnHandler) {
  on_open_ = [this] {
    socket_.reset();
    boost::asio::post(io_, [this] { io_.stop(); });
  };
  open();
  run();
  EXPECT_FALSE(closed_);
  EXPECT_EQ(log_, (std::vector<std::string>{"open"}));
}

}  // namespace
}  // namespace diaryx::native
