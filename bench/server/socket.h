// The client side of many WebSockets on one thread: epoll, no library, so that the generator costs less than what it asks.
//
// Masks are zero: RFC 6455 wants random ones for the sake of old proxies, a server unmasks either in the same way.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "diaryx/base/bytes.h"

namespace diaryx::bench {

using Instant = std::chrono::steady_clock::time_point;
inline double milliseconds_between(Instant from, Instant to) {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

/// A whole binary message, or of one that is larger than `Loop::kept_bytes` only its head.
struct Incoming {
  ByteView bytes;
  uint64_t size_bytes;
};

class Loop;

class Socket {
 public:
  enum class State : uint8_t { Connecting, Upgrading, Open, Closed };

  std::function<void()> on_open;
  std::function<void(const Incoming&)> on_message;  // binary ones
  std::function<void(std::string_view)> on_text;

  State state() const { return state_; }
  /// One message of the parts in a row. What is sent while events are handled is written when all of them are, in one call;
  /// anything else at once. Queued if the socket does not take it.
  void send(ByteView head, ByteView rest = {});
  size_t unsent() const { return out_.size() - out_sent_; }

 private:
  friend class Loop;
  Socket(Loop& loop, int fd, std::string request) : loop_(loop), fd_(fd), request_(std::move(request)) {}

  void ready(uint32_t events);
  void read_all();
  size_t take_upgrade(ByteView bytes);
  void take_frames(ByteView bytes);
  void finish_message();
  void flush();
  void fail(std::string_view why);

  Loop& loop_;
  int fd_;
  std::string request_;
  State state_ = State::Connecting;
  Bytes out_;
  size_t out_sent_ = 0;
  Bytes header_;  // of the frame that is being read, while it is incomplete
  Bytes body_;  // what came of it, as far as it is kept
  uint64_t left_ = 0;  // bytes of it that are still to come
  uint64_t size_ = 0;
  uint8_t opcode_ = 0;
  bool in_body_ = false;
};

class Loop {
 public:
  Loop(uint16_t port);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// target   with query; the socket lives as long as the loop.
  Socket& connect(const std::string& target, std::string_view protocol = {});
  void close(Socket& socket);

  /// Handles events until `done()` is true; ends the program with a sentence when that takes longer than `seconds`.
  void run_until(std::string_view what, const std::function<bool()>& done, double seconds);
  /// The same for a fixed time; `between` is called at least every millisecond.
  void run_for(double seconds, const std::function<void(Instant)>& between = {});

  size_t kept_bytes = SIZE_MAX;  // of one message

 private:
  friend class Socket;
  void step(int timeout_ms);

  int epoll_;
  uint16_t port_;
  Bytes scratch_;
  std::vector<std::unique_ptr<Socket>> sockets_;
  bool in_turn_ = false;
  std::vector<Socket*> unsent_;  // of this turn
};

/// True if somebody listens there.
bool port_answers(uint16_t port);
[[noreturn]] void give_up(const std::string& why);

}  // namespace diaryx::bench
