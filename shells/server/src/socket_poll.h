// Waits for many sockets with one descriptor of the event loop.
//
// A socket that is quiet costs its place in the kernel's table and nothing here: no operation that waits, no state of the loop. The
// sockets are in an epoll of their own, which the loop waits for like for a socket.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

namespace diaryx::server {

/// What a socket is waited for with.
class Waiter {
 public:
  virtual ~Waiter() = default;
  /// Comes again as long as it is so. The other end's going counts as both.
  virtual void ready(bool readable, bool writable) = 0;
};

class SocketPoll {
 public:
  enum Interest : uint8_t { kNothing = 0, kRead = 1, kWrite = 2 };

  explicit SocketPoll(boost::asio::any_io_executor executor);

  boost::asio::any_io_executor executor() { return epoll_.get_executor(); }
  /// Calls waiters from now on.
  void start();
  void stop();

  /// Changes what a socket is waited for. False if the kernel refuses, which it does when it is short of memory.
  bool watch(int socket, Waiter& waiter, uint8_t before, uint8_t wanted);
  /// The socket is about to be closed: its waiter is called no more.
  void forget(int socket, const Waiter& waiter, uint8_t watched);

  /// What sockets are read into, one after the other.
  std::span<uint8_t> buffer() { return buffer_; }

 private:
  void call_ready();

  boost::asio::posix::stream_descriptor epoll_;
  std::array<epoll_event, 128> events_{};
  size_t called_ = 0;  // of `events_`, in the batch at hand
  size_t count_ = 0;
  std::vector<uint8_t> buffer_;
};

}  // namespace diaryx::server
