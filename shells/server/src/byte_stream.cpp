#include "byte_stream.h"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace diaryx::server {
namespace {

constexpr size_t kTlsBufferBytes = 16u << 10;  // the largest TLS record

}  // namespace

ByteStream::ByteStream(Transport transport, SocketPoll& poll, Waiter& waiter) : poll_(poll), waiter_(waiter) {
  transport.expires_never();
  if (transport.is_tls()) {
    tls_ = std::make_unique<Tls>(std::move(transport), std::vector<uint8_t>(kTlsBufferBytes), Bytes());
    return;
  }
  Error ignored;
  auto socket = transport.next_layer().release_socket();
  socket.non_blocking(true, ignored);
  socket_ = native::UniqueFd(socket.release(ignored));
}

bool ByteStream::wait_for(uint8_t interest) {
  if (!socket_ || !poll_.watch(socket_.get(), waiter_, interest_, interest)) return false;
  interest_ = interest;
  return true;
}

std::optional<std::span<uint8_t>> ByteStream::receive_now(Error& error) {
  const std::span<uint8_t> buffer = poll_.buffer();
  const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (size > 0) return buffer.first(static_cast<size_t>(size));
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  error = size == 0 ? Error(boost::asio::error::eof) : Error(errno, boost::system::system_category());
  return std::span<uint8_t>();
}

size_t ByteStream::send_now(std::span<const iovec> parts, Error& error) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // only read
  message.msg_iovlen = parts.size();
  const ssize_t size = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size >= 0) return static_cast<size_t>(size);
  if (errno != EAGAIN && errno != EINTR) error = Error(errno, boost::system::system_category());
  return 0;
}

void ByteStream::finish_sending() {
  Error ignored;
  if (tls_ != nullptr)
    tls_->stream.next_layer().socket().shutdown(boost::asio::ip::tcp::socket::shutdown_send, ignored);
  else if (socket_)
    ::shutdown(socket_.get(), SHUT_WR);
}

void ByteStream::close() {
  Error ignored;
  if (tls_ != nullptr) tls_->stream.next_layer().socket().close(ignored);
  if (!socket_) return;
  poll_.forget(socket_.get(), waiter_, std::exchange(interest_, SocketPoll::kNothing));
  socket_ = native::UniqueFd();
}

}  // namespace diaryx::server
