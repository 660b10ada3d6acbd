#include "socket_poll.h"

#include <cerrno>
#include <system_error>

namespace diaryx::server {
namespace {

constexpr size_t kBufferBytes = 256u << 10;

int make_epoll() {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0)
    throw std::system_error(errno, std::generic_category(), "epoll_create1");  // at the start, caught by main
  return epoll;
}

epoll_event event_of(Waiter& waiter, uint8_t wanted) {
  epoll_event event{};
  event.events =
      ((wanted & SocketPoll::kRead) != 0 ? EPOLLIN : 0u) | ((wanted & SocketPoll::kWrite) != 0 ? EPOLLOUT : 0u);
  event.data.ptr = &waiter;
  return event;
}

}  // namespace

SocketPoll::SocketPoll(boost::asio::any_io_executor executor) : epoll_(executor, make_epoll()), buffer_(kBufferBytes) {}

void SocketPoll::start() {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
    if (error) return;
    call_ready();
    start();
  });
}

void SocketPoll::stop() {
  boost::system::error_code ignored;
  epoll_.cancel(ignored);
}

bool SocketPoll::watch(int socket, Waiter& waiter, uint8_t before, uint8_t wanted) {
  if (before == wanted) return true;
  epoll_event event = event_of(waiter, wanted);
  // Nothing to wait for: out of the set, since the end of a connection is told whether it was asked about or not.
  const int what = wanted == kNothing ? EPOLL_CTL_DEL : before == kNothing ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  return ::epoll_ctl(epoll_.native_handle(), what, socket, &event) == 0;
}

void SocketPoll::forget(int socket, const Waiter& waiter, uint8_t watched) {
  epoll_event unused{};
  if (watched != kNothing) ::epoll_ctl(epoll_.native_handle(), EPOLL_CTL_DEL, socket, &unused);
  for (size_t i = called_; i < count_; ++i) {
    if (events_[i].data.ptr == &waiter) events_[i].data.ptr = nullptr;
  }
}

void SocketPoll::call_ready() {
  const int found = ::epoll_wait(epoll_.native_handle(), events_.data(), static_cast<int>(events_.size()), 0);
  count_ = found > 0 ? static_cast<size_t>(found) : 0;
  for (called_ = 0; called_ < count_;) {
    const epoll_event event = events_[called_++];
    auto* const waiter = static_cast<Waiter*>(event.data.ptr);
    if (waiter == nullptr) continue;  // ended by one before it
    const bool gone = (event.events & (EPOLLHUP | EPOLLERR)) != 0;
    waiter->ready(gone || (event.events & EPOLLIN) != 0, gone || (event.events & EPOLLOUT) != 0);
  }
  called_ = count_ = 0;
}

}  // namespace diaryx::server
