#include "socket_session.h"

#include <chrono>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/field.hpp>

#include "access_watch.h"
#include "diaryx/native/log.h"
#include "version.h"

namespace diaryx::server {
namespace {

namespace asio = boost::asio;
namespace websocket = boost::beast::websocket;

// A browser cannot ping; the server finds dead connections itself and keeps proxies from closing quiet ones.
constexpr std::chrono::seconds kIdle{120};
constexpr std::chrono::seconds kHandshake{30};
constexpr std::chrono::seconds kSignInTime{10};
constexpr size_t kSignInMessageBytes = 64u << 10;

}  // namespace

SocketSession::SocketSession(Transport stream, Services& services, std::unique_ptr<EditorWire> wire)
    : socket_(std::move(stream)),
      services_(services),
      wire_(std::move(wire)),
      resumed_(socket_.get_executor()),
      patience_(socket_.get_executor()) {
  socket_.auto_fragment(false);
}

asio::awaitable<bool> SocketSession::accept(UpgradeRequest& request) {
  boost::system::error_code error;
  boost::beast::get_lowest_layer(socket_).expires_never();  // the WebSocket has its own timeouts
  socket_.set_option(websocket::stream_base::timeout{kHandshake, kIdle, true});
  socket_.set_option(websocket::stream_base::decorator([](websocket::response_type& response) {
    response.set(boost::beast::http::field::server, std::string(kServerName));
  }));
  co_await socket_.async_accept(request, asio::redirect_error(asio::use_awaitable, error));
  if (!error) ++services_.metrics.sockets_opened;
  co_return !error;
}

asio::awaitable<void> SocketSession::run(UpgradeRequest request, std::optional<Admission> admission,
                                         relay::Handshake handshake, Authenticate authenticate) {
  const auto self = shared_from_this();
  handshake_ = handshake;
  authenticate_ = std::move(authenticate);
  if (!co_await accept(request)) co_return;
  if (admission) {
    admit(std::move(*admission));
  } else {
    socket_.read_message_max(kSignInMessageBytes);
    patience_.expires_after(kSignInTime);
    patience_.async_wait([self](const boost::system::error_code& error) {
      if (!error && !self->admission_) self->close_with(kEditorUnauthorized, "nobody signed in");
    });
  }
  co_await read_loop();
  broken_ = true;
  patience_.cancel();
  if (!admission_) co_return;
  services_.access.remove(connection_);
  services_.relay.closed(connection_);
}

asio::awaitable<void> SocketSession::refuse(UpgradeRequest request, std::string_view reason) {
  const auto self = shared_from_this();
  if (!co_await accept(request)) co_return;
  socket_.read_message_max(kSignInMessageBytes);
  enqueue(Told{std::make_shared<const Bytes>(wire_->refused("", reason)), 0});
  close_with(kEditorUnauthorized, std::string(reason));
  co_await read_loop();
  broken_ = true;
}

void SocketSession::admit(Admission admission) {
  patience_.cancel();
  admission_ = admission;
  socket_.read_message_max(relay::Limits{}.max_frame_bytes);
  connection_ = services_.relay.opened(shared_from_this(), std::move(admission.principal), handshake_);
  services_.access.add(connection_, admission.key, std::move(admission.workspace), admission.expires);
}

asio::awaitable<void> SocketSession::read_loop() {
  while (true) {
    while (paused_) {
      resumed_.expires_at(asio::steady_timer::time_point::max());
      boost::system::error_code woken;
      co_await resumed_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
      if (broken_) co_return;
    }
    boost::system::error_code error;
    co_await socket_.async_read(incoming_, asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      if (error != websocket::error::closed)
        native::log().debug("connection {}: {}", connection_.value(), error.message());
      co_return;
    }
    const auto data = incoming_.cdata();
    ++services_.metrics.messages_in;
    services_.metrics.bytes_in += data.size();
    co_await take({static_cast<const uint8_t*>(data.data()), data.size()}, socket_.got_binary());
    incoming_.consume(incoming_.size());
    // One large message must not hold its memory for the life of a quiet connection.
    if (incoming_.capacity() > (1u << 20)) incoming_.shrink_to_fit();
  }
}

asio::awaitable<void> SocketSession::take(ByteView message, bool binary) {
  if (close_wanted_) co_return;
  if (wire_ != nullptr) {
    if (binary) co_await take_from_editor(message);
  } else if (binary) {
    services_.relay.received(connection_, to_bytes(message));
  } else {
    services_.relay.received(connection_, std::string(as_text(message)));
  }
}

asio::awaitable<void> SocketSession::take_from_editor(ByteView message) {
  for (auto& one : wire_->hear(message)) {
    if (auto* token = std::get_if<SignInWith>(&one)) {
      co_await sign_in(*token);
    } else if (auto* answer = std::get_if<ToEditor>(&one)) {
      enqueue(Told{std::make_shared<const Bytes>(std::move(answer->message)), 0});
    } else if (!admission_) {
      // Dropped: editors begin anew once they have signed in.
    } else if (auto* frame = std::get_if<ToRelay>(&one)) {
      services_.relay.received(connection_, std::move(frame->frame));
    } else if (auto* text = std::get_if<ToRelayText>(&one)) {
      services_.relay.received(connection_, std::move(text->text));
    }
    if (close_wanted_ || broken_) co_return;
  }
}

asio::awaitable<void> SocketSession::sign_in(const SignInWith& with) {
  if (!admission_) {
    auto admission = co_await authenticate_(with.token);
    if (broken_ || close_wanted_) co_return;
    if (!admission) {
      const bool for_good = admission.error() == kEditorUnauthorized;
      const char* const reason =
          for_good ? "The token is not valid. Sign in again." : "The server cannot check the token now. Come back.";
      if (for_good) enqueue(Told{std::make_shared<const Bytes>(wire_->refused(with.name, reason)), 0});
      co_return close_with(admission.error(), reason);
    }
    admit(std::move(*admission));
  } else if (admission_->key.kind == AccessKey::Kind::Token && sha256(with.token) != admission_->key.hash) {
    // One connection is one sign-in: a second token on it is somebody's mistake.
    enqueue(Told{std::make_shared<const Bytes>(wire_->refused(with.name, "Use one token per connection.")), 0});
    co_return;
  }
  enqueue(Told{std::make_shared<const Bytes>(wire_->accepted(with.name, admission_->read_only)), 0});
}

void SocketSession::resume() {
  paused_ = false;
  resumed_.cancel();
}

void SocketSession::send(const relay::SharedBytes& frame) {
  if (wire_ == nullptr) return enqueue({frame, frame->data(), frame->size(), true});
  for (const Told& told : wire_->tell(frame)) enqueue(told);
}

void SocketSession::send(const relay::SharedText& text) {
  if (wire_ == nullptr) return enqueue({text, text->data(), text->size(), false});
  for (const Told& told : wire_->tell(*text)) enqueue(told);
}

void SocketSession::enqueue(const Told& told) {
  if (told.bytes->size() <= told.offset) return;
  enqueue({told.bytes, told.bytes->data() + told.offset, told.bytes->size() - told.offset, true});
}

void SocketSession::enqueue(Outgoing message) {
  if (broken_ || close_wanted_) return;
  queued_bytes_ += message.size_bytes;
  // A single message may be larger than the bound; a backlog may not.
  if (queued_bytes_ > services_.options.socket_queue_bytes && !outgoing_.empty()) {
    native::log().warn("connection {} reads too slowly: cut with {} bytes waiting", connection_.value(), queued_bytes_);
    ++services_.metrics.sockets_cut_slow;
    cut();
    return;
  }
  ++services_.metrics.messages_out;
  services_.metrics.bytes_out += message.size_bytes;
  outgoing_.push_back(std::move(message));
  if (!writing_) write_next();
}

void SocketSession::write_next() {
  writing_ = true;
  const Outgoing& next = outgoing_.front();
  socket_.binary(next.binary);
  socket_.async_write(
      asio::const_buffer(next.data, next.size_bytes),
      [self = shared_from_this()](const boost::system::error_code& error, size_t) { self->finish_write(error); });
}

void SocketSession::finish_write(const boost::system::error_code& error) {
  writing_ = false;
  if (error) {
    cut();
    return;
  }
  if (!outgoing_.empty()) {
    queued_bytes_ -= outgoing_.front().size_bytes;
    outgoing_.pop_front();
  }
  if (!outgoing_.empty()) return write_next();
  if (close_wanted_) start_close();
}

void SocketSession::close(relay::CloseCode code, const std::string& reason) {
  close_with(wire_ == nullptr ? static_cast<uint16_t>(code) : editor_close_code(code), reason);
}

void SocketSession::close_with(uint16_t code, const std::string& reason) {
  if (broken_ || close_wanted_) return;
  close_wanted_ = true;
  close_reason_ = websocket::close_reason(static_cast<websocket::close_code>(code), reason);
  if (!writing_) start_close();
}

void SocketSession::start_close() {
  if (close_started_) return;
  close_started_ = true;
  resume();  // the read loop sees the end
  socket_.async_close(close_reason_, [self = shared_from_this()](const boost::system::error_code& error) {
    if (error) self->cut();
  });
}

void SocketSession::cut() {
  // The read loop ends with an error and tells the relay; nothing is called back from here.
  broken_ = true;
  resume();
  boost::system::error_code ignored;
  boost::beast::get_lowest_layer(socket_).socket().close(ignored);
}

}  // namespace diaryx::server
