// The bytes of an upgraded connection: TCP, or TLS over TCP.
//
// Over TCP an idle connection holds no buffer: it waits until there is something to read and then reads into a buffer that all
// connections share. Over TLS it has one of its own, beside those of OpenSSL.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "diaryx/base/bytes.h"
#include "transport.h"

namespace diaryx::server {

class ByteStream {
 public:
  using Error = boost::system::error_code;

  /// shared   lives longer than this; its content changes whenever anybody reads.
  ByteStream(Transport transport, std::span<uint8_t> shared);

  boost::asio::any_io_executor executor() { return socket().get_executor(); }
  bool is_tls() const { return tls_ != nullptr; }

  /// Calls `handler(Error, std::span<uint8_t>)` when something came; the bytes are valid during the call. One at a time.
  template <typename Handler>
  void async_receive(Handler handler) {
    if (is_tls()) {
      tls_->stream.async_read_some(boost::asio::buffer(tls_->received),
                                   [this, handler = std::move(handler)](const Error& error, size_t size) mutable {
                                     handler(error, std::span<uint8_t>(tls_->received).first(size));
                                   });
      return;
    }
    socket_->async_wait(Socket::wait_read, [this, handler = std::move(handler)](Error error) mutable {
      if (error) return handler(error, std::span<uint8_t>());
      const auto size = receive_now(error);
      if (!size) return async_receive(std::move(handler));  // woken for nothing
      handler(error, shared_.first(*size));
    });
  }

  /// TCP only: sends what the kernel takes at once; 0 when it takes nothing now.
  size_t send_now(std::span<const iovec> parts, Error& error);
  /// TCP only.
  template <typename Handler>
  void async_wait_until_writable(Handler handler) {
    socket_->async_wait(Socket::wait_write, std::move(handler));
  }
  /// TLS only. The bytes stay where they are until the handler is called.
  template <typename Buffers, typename Handler>
  void async_send(const Buffers& buffers, Handler handler) {
    boost::asio::async_write(tls_->stream, buffers,
                             [handler = std::move(handler)](const Error& error, size_t) mutable { handler(error); });
  }

  /// No more is sent; what was sent still arrives.
  void finish_sending();
  /// What waits is called back with an error.
  void close();

 private:
  using Socket = boost::asio::ip::tcp::socket;
  struct Tls {
    Transport stream;
    std::vector<uint8_t> received;
  };

  Socket& socket() { return tls_ ? tls_->stream.next_layer().socket() : *socket_; }
  /// Nothing: there was nothing to read after all. `error` is set when the connection ended.
  std::optional<size_t> receive_now(Error& error);

  std::optional<Socket> socket_;  // exactly without TLS
  std::unique_ptr<Tls> tls_;
  std::span<uint8_t> shared_;
};

}  // namespace diaryx::server
