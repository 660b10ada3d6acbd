// All WebSockets of the server: writes what they queued, once per turn of the event loop, and looks at their clocks.
//
// What many handlers of one turn send on one connection leaves in one system call, however many messages it is.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "editor_wire.h"
#include "socket_poll.h"

namespace diaryx::server {

class SocketSession;

class SocketList {
 public:
  using Clock = std::chrono::steady_clock;

  explicit SocketList(boost::asio::any_io_executor executor);
  ~SocketList();

  void start();
  void stop() {
    timer_.cancel();
    poll_.stop();
  }
  boost::asio::any_io_executor executor() { return executor_; }
  SocketPoll& poll() { return poll_; }

  /// The session stays listed, and alive, until `remove`.
  void add(std::shared_ptr<SocketSession> session);
  void remove(SocketSession& session);
  uint32_t count() const { return static_cast<uint32_t>(sessions_.size()); }
  /// Says goodbye to those whom the relay does not know: nobody has signed in there yet.
  void send_strangers_away();
  /// Calls the session's `flush` at the end of this turn.
  void flush_soon(std::shared_ptr<SocketSession> session);

  /// Shared by all sockets of that protocol.
  const std::shared_ptr<HocuspocusFrames>& hocuspocus_frames() const { return hocuspocus_frames_; }

 private:
  void watch_clocks();
  void tick();
  void flush();

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer timer_;
  SocketPoll poll_;  // sessions let go of it when they end
  std::vector<std::shared_ptr<SocketSession>> sessions_;
  std::vector<std::shared_ptr<SocketSession>> unsent_;
  bool posted_ = false;
  std::shared_ptr<HocuspocusFrames> hocuspocus_frames_ = std::make_shared<HocuspocusFrames>();
};

}  // namespace diaryx::server
