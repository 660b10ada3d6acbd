#include "byte_stream.h"

#include <sys/socket.h>

#include <cerrno>

namespace diaryx::server {
namespace {

constexpr size_t kTlsBufferBytes = 16u << 10;  // the largest TLS record

}  // namespace

ByteStream::ByteStream(Transport transport, std::span<uint8_t> shared) : shared_(shared) {
  transport.expires_never();
  if (transport.is_tls()) {
    tls_ = std::make_unique<Tls>(std::move(transport), std::vector<uint8_t>(kTlsBufferBytes));
    return;
  }
  socket_.emplace(transport.next_layer().release_socket());
  Error ignored;
  socket_->non_blocking(true, ignored);
}

std::optional<size_t> ByteStream::receive_now(Error& error) {
  const ssize_t size = ::recv(socket_->native_handle(), shared_.data(), shared_.size(), MSG_DONTWAIT);
  if (size > 0) return static_cast<size_t>(size);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  error = size == 0 ? Error(boost::asio::error::eof) : Error(errno, boost::system::system_category());
  return 0;
}

size_t ByteStream::send_now(std::span<const iovec> parts, Error& error) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());  // only read
  message.msg_iovlen = parts.size();
  const ssize_t size = ::sendmsg(socket_->native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size >= 0) return static_cast<size_t>(size);
  if (errno != EAGAIN && errno != EINTR) error = Error(errno, boost::system::system_category());
  return 0;
}

void ByteStream::finish_sending() {
  Error ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

void ByteStream::close() {
  Error ignored;
  socket().close(ignored);
}

}  // namespace diaryx::server
