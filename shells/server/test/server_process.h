// The real program in a test: started, spoken to, stopped or killed.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include "diaryx/base/bytes.h"
#include "diaryx/base/json.h"

namespace diaryx::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

inline std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Runs the program to its end. Returns its exit code; standard output goes to `out`.
inline int run_program(const std::vector<std::string>& arguments, std::string& out) {
  std::string command = "'" DIARYX_SYNCD "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  char buffer[4096];
  out.clear();
  while (const size_t got = fread(buffer, 1, sizeof buffer, pipe)) out.append(buffer, got);
  return WEXITSTATUS(pclose(pipe));
}

struct Answer {
  unsigned status = 0;
  std::string body;
  std::map<std::string, std::string> headers;
  Json json() const { return Json::parse(body).value_or(Json()); }
};

class ServerProcess {
 public:
  explicit ServerProcess(std::filesystem::path data, std::vector<std::string> extra = {}) : data_(std::move(data)) {
    start(std::move(extra));
  }
  ~ServerProcess() {
    if (pid_ > 0) kill_nine();
  }

  uint16_t port() const { return port_; }
  std::string log() const { return slurp(data_ / "log"); }

  /// The exit code, or minus the signal.
  int stop(int signal = SIGTERM) {
    ::kill(pid_, signal);
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }
  void kill_nine() { stop(SIGKILL); }

  std::string token(const std::string& email) const {
    std::string out;
    EXPECT_EQ(run_program({"token", "create", "--data", data_.native(), "--user", email}, out), 0) << out;
    while (!out.empty() && out.back() == '\n') out.pop_back();
    return out;
  }

  Answer request(http::verb method, const std::string& target, const std::string& token = {},
                 const std::string& body = {}, const std::string& type = "application/json",
                 const std::string& range = {}) const {
    asio::io_context context;
    beast::tcp_stream stream(context);
    stream.expires_after(std::chrono::seconds(30));
    stream.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
    http::request<http::string_body> request(method, target, 11);
    request.set(http::field::host, "localhost");
    if (!token.empty()) request.set(http::field::authorization, "Bearer " + token);
    if (!range.empty()) request.set(http::field::range, range);
    if (!body.empty()) {
      request.set(http::field::content_type, type);
      request.body() = body;
    }
    request.prepare_payload();
    boost::system::error_code ignored;
    http::write(stream, request, ignored);  // the server may refuse and close before it has read everything
    beast::flat_buffer buffer;
    http::response_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read(stream, buffer, parser);
    Answer answer{parser.get().result_int(), parser.get().body(), {}};
    for (const auto& field : parser.get())
      answer.headers[std::string(field.name_string())] = std::string(field.value());
    return answer;
  }

  /// Bytes as they are; what comes back until the server closes.
  std::string raw(const std::string& bytes) const {
    asio::io_context context;
    tcp::socket socket(context);
    socket.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port_));
    boost::system::error_code error;
    asio::write(socket, asio::buffer(bytes), error);
    std::string out;
    asio::read(socket, asio::dynamic_buffer(out), error);
    return out;
  }

  std::string make_workspace(const std::string& token, const std::string& name) const {
    const Answer made = request(http::verb::post, "/api/workspaces", token, R"({"name":")" + name + "\"}");
    EXPECT_EQ(made.status, 200u) << made.body;
    return std::string(made.json().string_member("id").value_or(""));
  }

 private:
  void start(std::vector<std::string> extra) {
    int out[2];
    ASSERT_EQ(::pipe2(out, O_CLOEXEC), 0);
    std::vector<std::string> arguments = {DIARYX_SYNCD, "--data", data_.native(), "--listen", "127.0.0.1:0"};
    arguments.insert(arguments.end(), extra.begin(), extra.end());
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const std::string log_file = (data_ / "log").native();
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], STDOUT_FILENO);
      ::dup2(::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
      ::execv(DIARYX_SYNCD, argv.data());
      ::_exit(127);
    }
    ::close(out[1]);
    std::string line;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) line.push_back(c);
    ::close(out[0]);
    const std::string expected = "listening on http://127.0.0.1:";
    ASSERT_TRUE(line.starts_with(expected)) << line << log();
    port_ = static_cast<uint16_t>(std::stoi(line.substr(expected.size())));
  }

  std::filesystem::path data_;
  pid_t pid_ = 0;
  uint16_t port_ = 0;
};

/// A WebSocket that waits for one message at a time.
class TestSocket {
 public:
  /// `by_header`: the token in the Authorization header, else in the query. `status` of a refused upgrade.
  TestSocket(const ServerProcess& server, const std::string& token, bool by_header = false,
             const std::string& more = {})
      : socket_(context_) {
    beast::get_lowest_layer(socket_).connect(tcp::endpoint(asio::ip::address_v4::loopback(), server.port()));
    if (by_header) {
      socket_.set_option(beast::websocket::stream_base::decorator([token](beast::websocket::request_type& request) {
        request.set(http::field::authorization, "Bearer " + token);
      }));
    }
    socket_.read_message_max(0);
    const std::string target = by_header ? "/sync2?" + more : "/sync2?token=" + token + "&" + more;
    http::response<http::string_body> response;
    socket_.handshake(response, "localhost", target, error_);
    status_ = response.result_int();
    body_ = response.body();
    socket_.binary(true);
  }

  unsigned status() const { return status_; }
  const std::string& refusal() const { return body_; }
  const boost::system::error_code& error() const { return error_; }
  uint16_t close_code() const { return socket_.reason().code; }

  void send(const Bytes& frame) {
    socket_.binary(true);
    socket_.write(asio::buffer(frame), error_);
  }
  void send_text(const std::string& text) {
    socket_.text(true);
    socket_.write(asio::buffer(text), error_);
  }

  struct Message {
    bool binary = false;
    std::string data;
  };
  /// Nothing when the connection ended, or after `seconds` without a message.
  std::optional<Message> read(int seconds = 20) {
    beast::flat_buffer buffer;
    std::optional<boost::system::error_code> done;
    socket_.async_read(buffer, [&](const boost::system::error_code& error, size_t) { done = error; });
    context_.restart();
    context_.run_for(std::chrono::seconds(seconds));
    if (!done) {
      beast::get_lowest_layer(socket_).cancel();
      context_.restart();
      context_.run();
      error_ = asio::error::timed_out;
      return std::nullopt;
    }
    error_ = *done;
    if (error_) return std::nullopt;
    return Message{socket_.got_binary(), beast::buffers_to_string(buffer.data())};
  }
  /// Reads until a text with `part` in it comes. Binary messages on the way are kept.
  std::optional<std::string> read_text_with(const std::string& part) {
    while (auto message = read()) {
      if (message->binary) {
        frames.push_back(message->data);
      } else if (message->data.find(part) != std::string::npos) {
        return message->data;
      }
    }
    return std::nullopt;
  }
  std::optional<std::string> read_frame() {
    while (auto message = read()) {
      if (message->binary) return message->data;
    }
    return std::nullopt;
  }

  std::vector<std::string> frames;

 private:
  asio::io_context context_;
  beast::websocket::stream<tcp::socket> socket_;
  boost::system::error_code error_;
  unsigned status_ = 0;
  std::string body_;
};

}  // namespace diaryx::server
