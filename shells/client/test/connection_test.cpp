#include "connection.h"

#include <gtest/gtest.h>

#include <chrono>

#include "loopback_server.h"

namespace diaryx::client {
namespace {

TEST(Pause, GrowsByHalfUpToHalfAMinuteAndALittleChance) {
  EXPECT_EQ(pause_before_ms(1, 0), 400);
  EXPECT_EQ(pause_before_ms(2, 0), 600);
  EXPECT_EQ(pause_before_ms(3, 0), 900);
  EXPECT_EQ(pause_before_ms(100, 0), 30'000);
  for (const uint64_t chance : {uint64_t{0}, uint64_t{7}, ~uint64_t{0}}) {
    EXPECT_GE(pause_before_ms(1, chance), 400);
    EXPECT_LE(pause_before_ms(1, chance), 500);
    EXPECT_LE(pause_before_ms(4'000'000'000u, chance), 37'500);
  }
}

class ConnectionTest : public testing::Test {
 protected:
  ConnectionTest()
      : server_(io_),
        connection_(
            io_, server_.url(), "ws 1", "secret",
            {.opened = [this] { note("opened"); },
             .binary = [this](ByteView) { note("binary"); },
             .text = [this](std::string_view) { note("text"); },
             .lost = [this](const native::SocketClosed& why) { note("lost " + std::to_string(why.refused_status)); }}) {
  }

  void note(std::string word) {
    words_.push_back(std::move(word));
    if (words_.size() >= stop_after_) io_.stop();
  }

  void run_until(size_t words) {
    stop_after_ = words;
    io_.restart();
    io_.run_for(std::chrono::seconds(10));
  }

  boost::asio::io_context io_;
  native::LoopbackServer server_;
  Connection connection_;
  std::vector<std::string> words_;
  size_t stop_after_ = 0;
};

TEST_F(ConnectionTest, ComesBackAfterTheServerClosed) {
  server_.messages_before_close = 1;
  connection_.go_online();
  run_until(1);
  EXPECT_TRUE(connection_.is_open());
  connection_.send_text("ends this connection");
  run_until(4);
  EXPECT_EQ(words_, (std::vector<std::string>{"opened", "text", "lost 0", "opened"}));
  EXPECT_EQ(server_.seen[0].target(), "/sync2?workspace_id=ws%201");
}

TEST_F(ConnectionTest, DoesNotKnockAgainWithARefusedToken) {
  server_.refuse_upgrade = true;
  server_.answer = [](const auto&) {
    return native::LoopbackServer::Response(boost::beast::http::status::unauthorized, 11);
  };
  connection_.go_online();
  run_until(1);
  EXPECT_EQ(words_, (std::vector<std::string>{"lost 401"}));
  EXPECT_FALSE(connection_.is_online());
}

TEST_F(ConnectionTest, StaysAwayUntilCalledBack) {
  connection_.go_online();
  run_until(1);
  connection_.go_offline();
  connection_.send_text("to nobody");
  io_.restart();
  io_.run_for(std::chrono::milliseconds(700));
  EXPECT_EQ(words_, (std::vector<std::string>{"opened"}));
  connection_.go_online();
  run_until(2);
  EXPECT_EQ(words_.size(), 2u);
  EXPECT_EQ(server_.seen.size(), 2u);
}

TEST_F(ConnectionTest, RestartsWithoutTellingThatItWasLost) {
  connection_.go_online();
  run_until(1);
  connection_.restart();
  EXPECT_FALSE(connection_.is_open());
  run_until(2);
  EXPECT_EQ(words_, (std::vector<std::string>{"opened", "opened"}));
}

}  // namespace
}  // namespace diaryx::client
