#include "socket_list.h"

#include <utility>

#include <boost/asio/post.hpp>

#include "socket_session.h"

namespace diaryx::server {

SocketList::SocketList(boost::asio::any_io_executor executor)
    : executor_(executor), timer_(executor), poll_(executor) {}

SocketList::~SocketList() {
  // Others may hold them longer than there is something to wait with.
  for (const auto& session : sessions_) session->abandon();
}

void SocketList::start() {
  poll_.start();
  watch_clocks();
}

void SocketList::watch_clocks() {
  timer_.expires_after(std::chrono::seconds(1));
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    tick();
    watch_clocks();
  });
}

void SocketList::add(std::shared_ptr<SocketSession> session) {
  session->set_place(sessions_.size());
  sessions_.push_back(std::move(session));
}

void SocketList::remove(SocketSession& session) {
  const size_t place = session.place();
  const auto self = std::move(sessions_[place]);  // which is in the middle of something
  if (place + 1 != sessions_.size()) {
    sessions_[place] = std::move(sessions_.back());
    sessions_[place]->set_place(place);
  }
  sessions_.pop_back();
}

void SocketList::send_strangers_away() {
  for (const auto& session : sessions_) session->send_stranger_away();
}

void SocketList::flush_soon(std::shared_ptr<SocketSession> session) {
  unsent_.push_back(std::move(session));
  if (std::exchange(posted_, true)) return;
  boost::asio::post(executor_, [this] { flush(); });
}

void SocketList::flush() {
  posted_ = false;
  // Flushing may queue for the next turn.
  const auto unsent = std::exchange(unsent_, {});
  for (const auto& session : unsent) session->flush();
}

void SocketList::tick() {
  const Clock::time_point now = Clock::now();
  // A session ends later than its tick, never inside it.
  for (const auto& session : sessions_) session->tick(now);
}

}  // namespace diaryx::server
