#include "proxy.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "diaryx/native/http_client.h"
#include "diaryx/native/websocket_client.h"
#include "loopback_server.h"

namespace diaryx::native {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

using Variables = std::map<std::string, std::string>;

Outcome<std::optional<Proxy>> asked(const std::string& server, const Variables& variables) {
  return proxy_for(*ServerUrl::parse(server), [&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::string() : found->second;
  });
}

/// Where the way leads: the proxy's address, or "direct".
std::string way(const std::string& server, const Variables& variables) {
  const auto proxy = asked(server, variables);
  if (!proxy) return proxy.error().sentence;
  return *proxy ? (*proxy)->url.display() : "direct";
}

TEST(Proxy, GoesByTheServersScheme) {
  const Variables both{{"HTTP_PROXY", "http://plain:1"}, {"https_proxy", "tls.example.org:2"}, {"ALL_PROXY", "all:3"}};
  EXPECT_EQ(way("http://sync.example.org", both), "http://plain:1");
  EXPECT_EQ(way("wss://sync.example.org", both), "http://tls.example.org:2");
  EXPECT_EQ(way("https://sync.example.org", {{"all_proxy", "http://all:3/"}}), "http://all:3");
  EXPECT_EQ(way("https://sync.example.org", {{"HTTP_PROXY", "http://plain:1"}}), "direct");
  EXPECT_EQ(way("https://sync.example.org", {}), "direct");
}

TEST(Proxy, IsNotUsedForTheOwnMachine) {
  const Variables all{{"ALL_PROXY", "http://proxy:1"}};
  for (const char* own : {"http://localhost:3030", "https://notes.localhost", "http://127.0.0.2", "http://[::1]:3030"})
    EXPECT_EQ(way(own, all), "direct") << own;
  for (const char* other : {"http://mylocalhost", "http://127.example.org"})
    EXPECT_EQ(way(other, all), "http://proxy:1") << other;
}

TEST(Proxy, IsNotUsedForWhatIsExcepted) {
  const auto without = [](const std::string& exceptions) {
    return way("https://sync.example.org:444", {{"ALL_PROXY", "http://proxy:1"}, {"NO_PROXY", exceptions}});
  };
  for (const char* list :
       {"*", "sync.example.org", "a.org, .example.org ,b.org", "*.example.org", "org", "sync.example.org:444",
        "a.org,sync.example.org", "a.org sync.example.org", "Sync.Example.ORG"})
    EXPECT_EQ(without(list), "direct") << list;
  for (const char* list : {"", ",", ".", "ample.org", "sync.example.org:443", "a.sync.example.org", "example"})
    EXPECT_EQ(without(list), "http://proxy:1") << list;
}

TEST(Proxy, IsNotUsedForExceptedAddressesAndNetworks) {
  const auto without = [](const std::string& exceptions, const std::string& server) {
    return way(server, {{"ALL_PROXY", "http://proxy:1"}, {"NO_PROXY", exceptions}});
  };
  for (const auto& [list, server] :
       std::map<std::string, const char*>{{"10.0.0.0/8", "http://10.1.2.3"},
                                          {"10.1.2.3/32", "http://10.1.2.3"},
                                          {"a.org, 192.168.0.0/16", "http://192.168.255.255:3030"},
                                          {"fd00::/8", "https://[fd12::1]"},
                                          {"FD12::443", "https://[fd12::443]"},
                                          {"[fd12::443]", "https://[fd12::443]"},
                                          {"[fd12::443]:444", "https://[fd12::443]:444"}})
    EXPECT_EQ(without(list, server), "direct") << list;
  for (const auto& [list, server] : std::map<std::string, const char*>{{"10.0.0.0/16", "http://10.1.2.3"},
                                                                       {"10.0.0.0/33", "http://10.1.2.3"},
                                                                       {"10.0.0.0/", "http://10.1.2.3"},
                                                                       {"10.1.2.3/8", "http://10.example.org"},
                                                                       {"fd00::/8", "http://10.1.2.3"},
                                                                       {"0.0.0.0/0", "https://[fd12::1]"},
                                                                       {"[fd12::443]:445", "https://[fd12::443]:444"}})
    EXPECT_EQ(without(list, server), "http://proxy:1") << list;
}

TEST(Proxy, TakesNameAndPasswordFromTheAddress) {
  const auto authorization = [](const std::string& address) {
    return (*asked("http://sync.example.org", {{"HTTP_PROXY", address}}))->authorization;
  };
  EXPECT_EQ(authorization("http://proxy:1"), "");
  EXPECT_EQ(authorization("http://me:secret@proxy:1"), "Basic bWU6c2VjcmV0");
  EXPECT_EQ(authorization("me:p%40ss%@proxy:1"), "Basic bWU6cEBzcyU=");
  EXPECT_EQ(authorization("me@proxy:1"), "Basic bWU6");
}

TEST(Proxy, RefusesWhatIsNoHttpProxyAndShowsNoPassword) {
  for (const char* address :
       {"socks5://me:secret@proxy:1", "https://me:secret@proxy", "me:secret@proxy:port", "me:secret@"}) {
    const std::string sentence = way("http://sync.example.org", {{"HTTP_PROXY", address}});
    EXPECT_TRUE(sentence.starts_with("HTTP_PROXY ")) << sentence;
    EXPECT_EQ(sentence.find("secret"), std::string::npos) << sentence;
  }
}

/// A proxy on loopback that leads to one server, whatever it is asked for.
class LoopbackProxy {
 public:
  LoopbackProxy(asio::io_context& io, const ServerUrl& server)
      : server_(server), acceptor_(io, {asio::ip::make_address("127.0.0.1"), 0}) {
    asio::co_spawn(io, accept_all(), asio::detached);
  }

  std::string port() const { return std::to_string(acceptor_.local_endpoint().port()); }

  http::status answer = http::status::ok;
  std::vector<http::request<http::empty_body>> seen;

 private:
  asio::awaitable<void> accept_all() {
    for (;;) {
      auto socket = co_await acceptor_.async_accept(asio::use_awaitable);
      asio::co_spawn(acceptor_.get_executor(), serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(asio::ip::tcp::socket near) {
    boost::beast::flat_buffer buffer;
    http::request<http::empty_body> request;
    co_await http::async_read(near, buffer, request, asio::use_awaitable);
    seen.push_back(request);
    http::response<http::empty_body> response(answer, 11);
    co_await http::async_write(near, response, asio::use_awaitable);
    if (answer != http::status::ok) co_return;
    asio::ip::tcp::socket far(acceptor_.get_executor());
    asio::ip::tcp::resolver resolver(acceptor_.get_executor());
    const auto addresses = co_await resolver.async_resolve(server_.host, server_.port, asio::use_awaitable);
    co_await asio::async_connect(far, addresses, asio::use_awaitable);
    using namespace asio::experimental::awaitable_operators;
    co_await (pass(near, far) || pass(far, near));
  }

  static asio::awaitable<void> pass(asio::ip::tcp::socket& from, asio::ip::tcp::socket& to) {
    std::array<char, 4096> piece;
    for (;;) {
      const auto [error, size] = co_await from.async_read_some(asio::buffer(piece), kNoThrow);
      if (error) co_return;
      co_await asio::async_write(to, asio::buffer(piece.data(), size), kNoThrow);
    }
  }

  ServerUrl server_;
  asio::ip::tcp::acceptor acceptor_;
};

class ThroughAProxy : public testing::Test {
 protected:
  ThroughAProxy() : server_(io_), proxy_(io_, server_.url()) { name_proxy("http://127.0.0.1:" + proxy_.port()); }
  ~ThroughAProxy() override { ::unsetenv("http_proxy"); }

  static void name_proxy(const std::string& address) { ::setenv("http_proxy", address.c_str(), 1); }

  Outcome<HttpResponse> send() {
    HttpClient client(*ServerUrl::parse("http://sync.example.org:444"), "token");
    std::optional<Outcome<HttpResponse>> result;
    HttpRequest request{.method = "POST", .target = "/echo", .content_type = "text/plain", .body = "hello"};
    asio::co_spawn(io_, client.send(std::move(request)), [&](std::exception_ptr, Outcome<HttpResponse> outcome) {
      result = std::move(outcome);
      io_.stop();
    });
    io_.run_for(std::chrono::seconds(10));
    return result ? std::move(*result) : problem("no answer");
  }

  std::string sentence() {
    const auto response = send();
    return response ? "answered" : response.error().sentence;
  }

  asio::io_context io_;
  LoopbackServer server_;
  LoopbackProxy proxy_;
};

TEST_F(ThroughAProxy, ARequestReachesTheServer) {
  const auto response = send();
  ASSERT_TRUE(response) << response.error().sentence;
  EXPECT_EQ(response->body, "hello");
  ASSERT_EQ(proxy_.seen.size(), 1u);
  EXPECT_EQ(proxy_.seen[0].method(), http::verb::connect);
  EXPECT_EQ(proxy_.seen[0].target(), "sync.example.org:444");
  EXPECT_EQ(proxy_.seen[0].count(http::field::authorization), 0u);  // the token is the server's business
  EXPECT_EQ(proxy_.seen[0].count(http::field::proxy_authorization), 0u);
  ASSERT_EQ(server_.seen.size(), 1u);
  EXPECT_EQ(server_.seen[0][http::field::authorization], "Bearer token");
}

TEST_F(ThroughAProxy, ASocketReachesTheServer) {
  std::vector<std::string> log;
  std::optional<WebSocketClient> socket;
  SocketHandlers handlers{
      .on_open = [&] { socket->send_text("hello"); },
      .on_binary = {},
      .on_text = [&](std::string_view message) { log.emplace_back(message), io_.stop(); },
      .on_closed = [&](const SocketClosed& why) { log.push_back(why.problem.sentence), io_.stop(); }};
  socket.emplace(io_, *ServerUrl::parse("ws://sync.example.org"), "/sync2", "token", std::move(handlers));
  io_.run_for(std::chrono::seconds(10));
  EXPECT_EQ(log, std::vector<std::string>{"hello"});
  ASSERT_EQ(proxy_.seen.size(), 1u);
  EXPECT_EQ(proxy_.seen[0].target(), "sync.example.org:80");
}

TEST_F(ThroughAProxy, NameAndPasswordAreSent) {
  name_proxy("http://me:secret@127.0.0.1:" + proxy_.port());
  ASSERT_TRUE(send());
  EXPECT_EQ(proxy_.seen[0][http::field::proxy_authorization], "Basic bWU6c2VjcmV0");
}

TEST_F(ThroughAProxy, ARefusalIsTold) {
  const std::string begin =
      "cannot reach http://sync.example.org:444 through the proxy http://127.0.0.1:" + proxy_.port() + ": ";
  proxy_.answer = http::status::proxy_authentication_required;
  EXPECT_EQ(sentence(), begin +
                            "it asks for a name and a password; write them into http_proxy like "
                            "http://NAME:PASSWORD@127.0.0.1:" +
                            proxy_.port());
  io_.restart();
  proxy_.answer = http::status::forbidden;
  EXPECT_EQ(sentence(), begin +
                            "it does not let this device reach that server; ask who runs the proxy, or name the "
                            "server in NO_PROXY");
  io_.restart();
  proxy_.answer = http::status::bad_gateway;
  EXPECT_EQ(sentence(), begin + "it does not reach that server (HTTP 502)");
  io_.restart();
  name_proxy("http://me:secret@127.0.0.1:" + proxy_.port());
  proxy_.answer = http::status::proxy_authentication_required;
  EXPECT_EQ(sentence(), begin + "it does not accept the name and the password in http_proxy");
}

}  // namespace
}  // namespace diaryx::native
