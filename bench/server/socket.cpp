#include "socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace diaryx::bench {
namespace {

constexpr size_t kScratchBytes = 1u << 20;
constexpr uint8_t kText = 1;
constexpr uint8_t kBinary = 2;
constexpr uint8_t kClose = 8;
constexpr uint8_t kPing = 9;
constexpr uint8_t kPong = 10;

/// Header of a client's frame with a mask of zeros.
size_t write_header(uint8_t* out, uint8_t opcode, uint64_t size) {
  size_t n = 0;
  out[n++] = static_cast<uint8_t>(0x80 | opcode);
  if (size < 126) {
    out[n++] = static_cast<uint8_t>(0x80 | size);
  } else if (size < 65536) {
    out[n++] = 0x80 | 126;
    out[n++] = static_cast<uint8_t>(size >> 8);
    out[n++] = static_cast<uint8_t>(size);
  } else {
    out[n++] = 0x80 | 127;
    for (int shift = 56; shift >= 0; shift -= 8) out[n++] = static_cast<uint8_t>(size >> shift);
  }
  for (int i = 0; i < 4; ++i) out[n++] = 0;
  return n;
}

sockaddr_in local(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

void give_up(const std::string& why) {
  std::fprintf(stderr, "bench_server_load: %s\n", why.c_str());
  std::exit(1);
}

bool port_answers(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = local(port);
  const bool answers = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(fd);
  return answers;
}

void Socket::send(ByteView head, ByteView rest) {
  uint8_t header[14];
  const size_t header_size = write_header(header, kBinary, head.size() + rest.size());
  size_t sent = 0;
  if (loop_.in_turn_ && unsent() == 0) loop_.unsent_.push_back(this);
  if (!loop_.in_turn_ && unsent() == 0) {
    iovec parts[3] = {{header, header_size},
                      {const_cast<uint8_t*>(head.data()), head.size()},
                      {const_cast<uint8_t*>(rest.data()), rest.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 3;
    const ssize_t n = ::sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) return fail(std::strerror(errno));
    sent = n < 0 ? 0 : static_cast<size_t>(n);
    if (sent == header_size + head.size() + rest.size()) return;
  }
  for (const ByteView part : {ByteView(header, header_size), head, rest}) {
    const size_t skip = std::min(sent, part.size());
    sent -= skip;
    out_.insert(out_.end(), part.begin() + static_cast<ptrdiff_t>(skip), part.end());
  }
}

void Socket::flush() {
  while (unsent() != 0) {
    const ssize_t n = ::send(fd_, out_.data() + out_sent_, unsent(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return fail(std::strerror(errno));
    out_sent_ += static_cast<size_t>(n);
  }
  out_.clear();
  out_sent_ = 0;
}

void Socket::fail(std::string_view why) { give_up("a connection ended: " + std::string(why)); }

void Socket::ready(uint32_t events) {
  if (state_ == State::Closed) return;
  if (state_ == State::Connecting && (events & (EPOLLOUT | EPOLLERR))) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(std::strerror(error));
    state_ = State::Upgrading;
    out_.assign(request_.begin(), request_.end());
  }
  if (events & EPOLLOUT) flush();
  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) read_all();
}

void Socket::read_all() {
  // Edge-triggered: read until there is nothing left.
  while (state_ != State::Closed) {
    // What is not kept is not copied either: MSG_TRUNC makes TCP throw it away.
    const bool unwanted = in_body_ && opcode_ == kBinary && body_.size() >= loop_.kept_bytes && left_ > 0;
    const size_t most =
        unwanted ? static_cast<size_t>(std::min<uint64_t>(left_, 8 * kScratchBytes)) : loop_.scratch_.size();
    const ssize_t n = ::recv(fd_, loop_.scratch_.data(), most, MSG_DONTWAIT | (unwanted ? MSG_TRUNC : 0));
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0) return fail(std::strerror(errno));
    if (n == 0) return fail("the server closed it");
    if (unwanted) {
      left_ -= static_cast<uint64_t>(n);
      if (left_ == 0) finish_message();
      continue;
    }
    ByteView bytes(loop_.scratch_.data(), static_cast<size_t>(n));
    if (state_ == State::Upgrading) bytes = bytes.subspan(take_upgrade(bytes));
    take_frames(bytes);
    if (static_cast<size_t>(n) < loop_.scratch_.size()) return;
  }
}

size_t Socket::take_upgrade(ByteView bytes) {
  const size_t before = header_.size();
  header_.insert(header_.end(), bytes.begin(), bytes.end());
  const size_t end = as_text(header_).find("\r\n\r\n");
  if (end == std::string_view::npos) return bytes.size();
  if (!as_text(header_).starts_with("HTTP/1.1 101")) fail(as_text(header_).substr(0, 400));
  header_.clear();
  state_ = State::Open;
  if (on_open) on_open();
  return end + 4 - before;
}

void Socket::take_frames(ByteView bytes) {
  while (!bytes.empty() || (in_body_ && left_ == 0)) {
    if (!in_body_) {
      size_t need = 2;
      if (header_.size() >= 2) need = header_[1] == 126 ? 4 : header_[1] == 127 ? 10 : 2;
      while (header_.size() < need && !bytes.empty()) {
        header_.push_back(bytes[0]);
        bytes = bytes.subspan(1);
        if (header_.size() == 2) need = header_[1] == 126 ? 4 : header_[1] == 127 ? 10 : 2;
      }
      if (header_.size() < need) return;
      opcode_ = header_[0] & 0x0f;
      if ((header_[0] & 0x80) == 0 || (header_[1] & 0x80) != 0) fail("a fragmented or masked frame came");
      size_ = header_[1];
      if (need > 2) {
        size_ = 0;
        for (size_t i = 2; i < need; ++i) size_ = size_ << 8 | header_[i];
      }
      header_.clear();
      left_ = size_;
      in_body_ = true;
      // The usual case: a whole small message in what was read, handed on without a copy.
      if (left_ <= bytes.size() && opcode_ == kBinary) {
        const ByteView whole = bytes.subspan(0, left_);
        bytes = bytes.subspan(left_);
        in_body_ = false;
        if (on_message) on_message({whole, size_});
        continue;
      }
    }
    const size_t here = std::min<uint64_t>(left_, bytes.size());
    const size_t room = loop_.kept_bytes > body_.size() ? loop_.kept_bytes - body_.size() : 0;
    if (body_.empty() && room > here) body_.reserve(std::min<uint64_t>(size_, loop_.kept_bytes));
    body_.insert(body_.end(), bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(std::min(here, room)));
    bytes = bytes.subspan(here);
    left_ -= here;
    if (left_ != 0) return;
    finish_message();
  }
}

void Socket::finish_message() {
  in_body_ = false;
  const Bytes body = std::move(body_);
  body_ = Bytes();
  if (opcode_ == kPing) {
    uint8_t header[14];
    const size_t size = write_header(header, kPong, body.size());
    out_.insert(out_.end(), header, header + size);
    out_.insert(out_.end(), body.begin(), body.end());
    flush();
  } else if (opcode_ == kClose) {
    fail("the server said goodbye: " + std::string(as_text(body).substr(std::min<size_t>(2, body.size()))));
  } else if (opcode_ == kText && on_text) {
    on_text(as_text(body));
  } else if (opcode_ == kBinary && on_message) {
    on_message({body, size_});
  }
}

Loop::Loop(uint16_t port) : epoll_(::epoll_create1(EPOLL_CLOEXEC)), port_(port), scratch_(kScratchBytes) {}

Loop::~Loop() {
  for (const auto& socket : sockets_) {
    if (socket->state_ != Socket::State::Closed) ::close(socket->fd_);
  }
  ::close(epoll_);
}

Socket& Loop::connect(const std::string& target, std::string_view protocol) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up(std::string("socket: ") + std::strerror(errno));
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  const sockaddr_in address = local(port_);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno != EINPROGRESS)
    give_up(std::string("connect: ") + std::strerror(errno));
  std::string request = "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(port_) +
                        "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
                        "AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n";
  if (!protocol.empty()) request += "Sec-WebSocket-Protocol: " + std::string(protocol) + "\r\n";
  sockets_.push_back(std::unique_ptr<Socket>(new Socket(*this, fd, request + "\r\n")));
  Socket& socket = *sockets_.back();
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &socket}};
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  return socket;
}

void Loop::close(Socket& socket) {
  if (socket.state_ == Socket::State::Closed) return;
  socket.state_ = Socket::State::Closed;
  ::close(socket.fd_);
}

void Loop::step(int timeout_ms) {
  epoll_event events[256];
  const int n = ::epoll_wait(epoll_, events, 256, timeout_ms);
  in_turn_ = true;
  for (int i = 0; i < n; ++i) static_cast<Socket*>(events[i].data.ptr)->ready(events[i].events);
  in_turn_ = false;
  for (Socket* const socket : unsent_) {
    if (socket->state_ == Socket::State::Open) socket->flush();
  }
  unsent_.clear();
}

void Loop::run_until(std::string_view what, const std::function<bool()>& done, double seconds) {
  const Instant began = std::chrono::steady_clock::now();
  while (!done()) {
    if (milliseconds_between(began, std::chrono::steady_clock::now()) > seconds * 1000)
      give_up("waited in vain: " + std::string(what));
    step(10);
  }
}

void Loop::run_for(double seconds, const std::function<void(Instant)>& between) {
  const Instant began = std::chrono::steady_clock::now();
  while (true) {
    const Instant now = std::chrono::steady_clock::now();
    if (milliseconds_between(began, now) > seconds * 1000) return;
    if (between) between(now);
    step(1);
  }
}

}  // namespace diaryx::bench
