#include "diaryx/native/http_client.h"

#include <gtest/gtest.h>

#include <optional>

#include "loopback_server.h"

namespace diaryx::native {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() : server_(io_), client_(server_.url(), "secret-token") {}

  Outcome<HttpResponse> wait_for(asio::awaitable<Outcome<HttpResponse>> operation) {
    std::optional<Outcome<HttpResponse>> result;
    asio::co_spawn(io_, std::move(operation), [&](std::exception_ptr, Outcome<HttpResponse> outcome) {
      result = std::move(outcome);
      io_.stop();
    });
    io_.restart();
    io_.run_for(std::chrono::seconds(10));
    return result ? std::move(*result) : problem("the test took too long");
  }

  asio::io_context io_;
  LoopbackServer server_;
  HttpClient client_;
};

TEST_F(HttpClientTest, SendsBodyTypeAndToken) {
  HttpRequest request{.method = "POST", .target = "/api/workspaces", .content_type = "application/json", .body = "{}"};
  const auto response = wait_for(client_.send(std::move(request)));
  ASSERT_TRUE(response) << response.error().sentence;
  EXPECT_EQ(response->status, 200u);
  EXPECT_EQ(response->body, "{}");
  ASSERT_EQ(server_.seen.size(), 1u);
  EXPECT_EQ(server_.seen[0][http::field::authorization], "Bearer secret-token");
  EXPECT_EQ(server_.seen[0][http::field::content_type], "application/json");
  EXPECT_EQ(server_.seen[0].target(), "/api/workspaces");
}

TEST_F(HttpClientTest, GivesAnErrorStatusAsAValue) {
  server_.answer = [](const auto&) {
    LoopbackServer::Response response(http::status::payload_too_large, 11);
    response.body() = "quota";
    return response;
  };
  const auto response = wait_for(
      client_.send({.method = "PUT", .target = "/x", .content_type = "", .body = std::string(1'000'000, 'x')}));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 413u);
  EXPECT_EQ(response->body, "quota");
}

TEST(ReasonIn, EndsWithAWholeCharacter) {
  for (size_t before : {197, 198, 199, 200}) {
    const std::string text(before, 'x');
    EXPECT_EQ(reason_in(text + "€ more"), before == 197 ? text + "€" : text);
  }
  EXPECT_EQ(reason_in("short\nnext line"), "short");
}

TEST_F(HttpClientTest, PoursALongBodyIntoTheSink) {
  server_.answer = [](const auto&) {
    LoopbackServer::Response response(http::status::ok, 11);
    response.body() = std::string(9'000'000, 'b');
    return response;
  };
  size_t received = 0;
  const auto response = wait_for(client_.download("/blob", 0, [&](ByteView piece) -> Outcome<void> {
    received += piece.size();
    return {};
  }));
  ASSERT_TRUE(response) << response.error().sentence;
  EXPECT_EQ(received, 9'000'000u);
  EXPECT_TRUE(response->body.empty());
}

TEST_F(HttpClientTest, KeepsAnErrorBodyAwayFromTheSink) {
  server_.answer = [](const auto&) {
    LoopbackServer::Response response(http::status::not_found, 11);
    response.body() = "no such blob";
    return response;
  };
  const auto response =
      wait_for(client_.download("/blob", 0, [](ByteView) -> Outcome<void> { return problem("must not be called"); }));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 404u);
  EXPECT_EQ(response->body, "no such blob");
}

TEST_F(HttpClientTest, EndsWhenTheSinkRefuses) {
  const auto response =
      wait_for(client_.download("/blob", 0, [](ByteView) -> Outcome<void> { return problem("the disk is full"); }));
  // The echo of an empty body has nothing to pour but its end.
  if (!response) EXPECT_EQ(response.error().sentence, "the disk is full");
  server_.answer = [](const auto&) {
    LoopbackServer::Response long_one(http::status::ok, 11);
    long_one.body() = std::string(1'000'000, 'b');
    return long_one;
  };
  const auto refused =
      wait_for(client_.download("/blob", 0, [](ByteView) -> Outcome<void> { return problem("the disk is full"); }));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sentence, "the disk is full");
}

TEST_F(HttpClientTest, SaysThatNobodyListens) {
  const ServerUrl url = server_.url();
  server_.stop();
  HttpClient client(url, "");
  const auto response = send_and_wait(client, {});
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().sentence,
            "cannot reach " + url.display() + ": Connection refused; is the server running?");
}

TEST_F(HttpClientTest, RefusesAPlainServerWhereTlsIsWanted) {
  ServerUrl url = server_.url();
  url.tls = true;
  HttpClient client(url, "secret-token");
  const auto response = wait_for(client.send({}));
  ASSERT_FALSE(response);
  EXPECT_NE(response.error().sentence.find("secure connection"), std::string::npos) << response.error().sentence;
  EXPECT_EQ(response.error().sentence.find("secret-token"), std::string::npos);
  EXPECT_NE(response.error().sentence.find("check the address"), std::string::npos) << response.error().sentence;
  EXPECT_EQ(response.error().sentence.find("certificate"), std::string::npos) << response.error().sentence;
}

}  // namespace
}  // namespace diaryx::native
