// The bytes of an upgraded connection: TCP, or TLS over TCP.
//
// Over TCP an idle connection holds no buffer and no operation of the event loop: SocketPoll says when there is something to read, and
// it is read into a buffer that all connections share. Over TLS it has both of its own, beside those of OpenSSL.
#pragma once

#include <sys/uio.h>

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>

#include "diaryx/base/bytes.h"
#include "diaryx/native/unique_fd.h"
#include "socket_poll.h"
#include "transport.h"

namespace diaryx::server {

class ByteStream {
 public:
  using Error = boost::system::error_code;

  /// waiter   called by `poll` when what `wait_for` names has come; TCP only. Both live longer than this.
  ByteStream(Transport transport, SocketPoll& poll, Waiter& waiter);
  ~ByteStream() { close(); }
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  bool is_tls() const { return tls_ != nullptr; }

  // TCP only.
  /// interest   SocketPoll::Interest, of which several may be joined. False: it cannot be waited for.
  bool wait_for(uint8_t interest);
  /// What has come, valid until anybody reads again. Nothing: there was nothing after all. `error` is set when the connection ended.
  std::optional<std::span<uint8_t>> receive_now(Error& error);
  /// Sends what the kernel takes at once; 0 when it takes nothing now.
  size_t send_now(std::span<const iovec> parts, Error& error);

  // TLS only.
  /// Calls `handler(Error, std::span<uint8_t>)` when something came; the bytes are valid during the call. One at a time.
  template <typename Handler>
  void async_receive(Handler handler) {
    tls_->stream.async_read_some(boost::asio::buffer(tls_->received),
                                 [this, handler = std::move(handler)](const Error& error, size_t size) mutable {
                                   handler(error, std::span<uint8_t>(tls_->received).first(size));
                                 });
  }
  /// The bytes stay where they are until the handler is called.
  template <typename Buffers, typename Handler>
  void async_send(const Buffers& buffers, Handler handler) {
    boost::asio::async_write(tls_->stream, buffers,
                             [handler = std::move(handler)](const Error& error, size_t) mutable { handler(error); });
  }
  /// For what is being sent.
  Bytes& unsent() { return tls_->unsent; }

  /// No more is sent; what was sent still arrives.
  void finish_sending();
  /// What waits is called back with an error over TLS, and not at all over TCP.
  void close();

 private:
  struct Tls {
    Transport stream;
    std::vector<uint8_t> received;
    Bytes unsent;
  };

  SocketPoll& poll_;
  Waiter& waiter_;
  std::unique_ptr<Tls> tls_;
  native::UniqueFd socket_;  // exactly without TLS, until it is closed
  uint8_t interest_ = SocketPoll::kNothing;
};

}  // namespace diaryx::server
