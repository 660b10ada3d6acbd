// One WebSocket connection: reads whole messages, writes in order, is cut when its reader is too slow.
#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>

#include "editor_wire.h"
#include "relay_host.h"
#include "services.h"
#include "transport.h"

namespace diaryx::server {

/// Who may speak on a connection, and what let them in.
struct Admission {
  relay::Principal principal;
  AccessKey key{AccessKey::Kind::Token, {}};
  std::string workspace;                // of a share; empty for a token
  std::optional<TimestampMs> expires;   // of a token
  bool read_only = false;
};

class SocketSession final : public RelayPeer, public std::enable_shared_from_this<SocketSession> {
 public:
  using UpgradeRequest = boost::beast::http::request<boost::beast::http::empty_body>;
  /// Who a token stands for, or the code to close with: "not good" is for good, "cannot tell now" is not.
  using Authenticate = std::function<boost::asio::awaitable<std::expected<Admission, uint16_t>>(std::string token)>;

  /// wire   null: the relay's own frames.
  SocketSession(Transport stream, Services& services, std::unique_ptr<EditorWire> wire);

  /// Accepts the upgrade and serves until the connection ends.
  /// admission      nothing: messages of the editor's own protocol bring the token, within bounds of time and size.
  boost::asio::awaitable<void> run(UpgradeRequest request, std::optional<Admission> admission,
                                   relay::Handshake handshake, Authenticate authenticate = {});
  /// Accepts the upgrade only to say, in the editor's own protocol, that the token is not good.
  boost::asio::awaitable<void> refuse(UpgradeRequest request, std::string_view reason);

  void send(const relay::SharedBytes& frame) override;
  void send(const relay::SharedText& text) override;
  void close(relay::CloseCode code, const std::string& reason) override;
  void pause() override { paused_ = true; }
  void resume() override;

 private:
  /// A view into what others may hold too.
  struct Outgoing {
    std::shared_ptr<const void> owner;
    const void* data;
    size_t size_bytes;
    bool binary;
  };

  boost::asio::awaitable<bool> accept(UpgradeRequest& request);
  boost::asio::awaitable<void> read_loop();
  boost::asio::awaitable<void> take(ByteView message, bool binary);
  boost::asio::awaitable<void> take_from_editor(ByteView message);
  boost::asio::awaitable<void> sign_in(const SignInWith& with);
  void admit(Admission admission);
  void enqueue(const Told& told);
  void enqueue(Outgoing message);
  void write_next();
  void finish_write(const boost::system::error_code& error);
  void close_with(uint16_t code, const std::string& reason);
  void start_close();
  void cut();

  boost::beast::websocket::stream<Transport> socket_;
  Services& services_;
  std::unique_ptr<EditorWire> wire_;
  relay::Handshake handshake_ = relay::Handshake::Full;
  Authenticate authenticate_;
  std::optional<Admission> admission_;
  relay::ConnectionId connection_;  // once admitted
  boost::beast::flat_buffer incoming_;
  boost::asio::steady_timer resumed_;
  boost::asio::steady_timer patience_;  // for a connection that has not signed in yet
  bool paused_ = false;
  std::deque<Outgoing> outgoing_;
  uint64_t queued_bytes_ = 0;
  bool writing_ = false;
  bool broken_ = false;
  bool close_wanted_ = false;
  bool close_started_ = false;
  boost::beast::websocket::close_reason close_reason_;
};

}  // namespace diaryx::server
