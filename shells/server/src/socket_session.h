// One WebSocket connection: reads whole messages, writes in order, is cut when its reader is too slow.
//
// Life, which only goes forward:
//
//   Open ──close_with──► Closing ──the client's close, or no time left──► Cut ──end, in a turn of its own──► Ended
//    │                      │                                              ▲                                  ▲
//    └──a frame that cannot be read──► Deaf ──no time left─────────────────┘                                  │
//   any but Ended ──cut: too slow, silent, an error of sending──► Cut                                         │
//   any but Ended ──the connection ended by itself────────────────────────────────────────────────────────────┘
//
// Reading:  Early ──begin──► Idle ◄─► UnderWay (TLS only: an operation of the stream waits)
//                            Idle ◄─► Asking (editors only: for a sign-in or a note; what comes meanwhile waits)
// Writing:  Idle ──push──► Gathering ──flush──► Idle, or UnderWay until the socket takes more (TLS: until it took all) ──► Idle
//
// Beside these the relay may `pause` the reading, and an editor's waits while its notes are followed. The SocketList keeps a session alive until `end`.
#pragma once

#include <cstdint>
#include <exception>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "access_watch.h"
#include "byte_stream.h"
#include "editor_wire.h"
#include "frame_queue.h"
#include "relay_host.h"
#include "services.h"
#include "socket_list.h"
#include "websocket_frames.h"

namespace diaryx::server {

/// Who may speak on a connection, and what let them in.
struct Admission {
  relay::Principal principal;
  AccessKey key{AccessKey::Kind::Token, {}};
  std::string workspace;  // of a share; empty for a token
  std::optional<TimestampMs> expires;  // of a token
  bool read_only = false;
};

class SocketSession final : public RelayPeer, public Waiter, public std::enable_shared_from_this<SocketSession> {
 public:
  /// Who a token stands for, or the code to close with: "not good" is for good, "cannot tell now" is not.
  using Authenticate = std::function<boost::asio::awaitable<std::expected<Admission, uint16_t>>(std::string token)>;

  /// wire      null: the relay's own frames.
  /// counted   what counts the connection; released when it ends.
  SocketSession(Transport transport, Services& services, std::unique_ptr<EditorWire> wire,
                OpenConnections::Counted counted);

  /// Serves until the connection ends. The upgrade was answered before.
  /// early          bytes that came behind the request.
  /// admission      nothing: messages of the editor's own protocol bring the token, within bounds of time and size.
  void start(const boost::beast::flat_buffer& early, std::optional<Admission> admission, relay::Handshake handshake,
             Authenticate authenticate = {});
  /// Only says, in the editor's own protocol, that the token is not good.
  void refuse(const boost::beast::flat_buffer& early, std::string_view reason);

  void send(const relay::SharedBytes& frame) override;
  void send(const relay::SharedText& text) override;
  void close(relay::CloseCode code, const std::string& reason) override;
  void pause() override { paused_ = true; }
  void resume() override;
  void list_changed() override;

  // For the SocketPoll.
  void ready(bool readable, bool writable) override;

  // For the SocketList.
  void flush();
  void tick(SocketList::Clock::time_point now);
  /// The server stops: the relay says so to whom it knows, this to the others.
  void send_stranger_away();
  /// Closes at once and says nothing to anybody: the server is gone.
  void abandon() { stream_.close(); }
  size_t place() const { return place_; }
  void set_place(size_t place) { place_ = place; }

 private:
  enum class Life : uint8_t {
    Open,
    Closing,  // the close frame is the last of the queue, or was sent
    Deaf,  // the same, and what comes cannot be read: waits for the client to see the close
    Cut,  // nothing more is sent or heard
    Ended,  // and nobody knows it any more
  };
  enum class Reading : uint8_t { Early, Idle, UnderWay, Asking };
  enum class Writing : uint8_t { Idle, Gathering, UnderWay };

  bool is_over() const { return life_ >= Life::Cut; }
  bool listens() const { return reading_ == Reading::Idle && !paused_ && !following_; }
  void go_on_to(Life next);
  void change(Reading from, Reading to);
  void change(Writing from, Writing to);

  void begin(const boost::beast::flat_buffer& early);
  void read();
  void received(const boost::system::error_code& error, std::span<uint8_t> bytes);
  void take_what_came();
  void end_by(const std::exception& exception);
  void take_messages();
  void take(const WebSocketMessage& message);
  void take_close(ByteView body);
  void take_from_editor(ByteView message);
  void hear_on(Heard heard);
  void ask(boost::asio::awaitable<void> question);
  void spawn(boost::asio::awaitable<void> question);
  void go_on_with(Heard rest);
  boost::asio::awaitable<void> sign_in(SignInWith with, Heard rest);
  boost::asio::awaitable<void> find(ToFind note, Heard rest);
  boost::asio::awaitable<void> follow_notes();
  void follow_if_changed();
  void open_note(const std::string& by_path, EditorNote note, ByteView message);
  void watch_list(const std::string& workspace);
  void admit(Admission admission);

  void enqueue(const Told& told);
  void enqueue(FrameQueue::Message message);
  void push(FrameQueue::Message message);
  void write_plain();
  void write_tls();
  void all_written();
  void close_with(uint16_t code, std::string_view reason);
  void cut();
  void end();

  ByteStream stream_;
  Services& services_;
  std::unique_ptr<EditorWire> wire_;
  OpenConnections::Counted counted_;
  std::unique_ptr<Authenticate> authenticate_;  // while nobody has signed in
  AccessWatch::Grant* grant_ = nullptr;  // once admitted, until the end
  relay::ConnectionId connection_;  // once admitted
  std::unique_ptr<FrameReader> reader_;  // null between frames
  FrameQueue outgoing_;
  SocketList::Clock::time_point heard_at_;
  SocketList::Clock::time_point deadline_;  // of signing in, or of closing
  size_t place_ = 0;
  std::set<std::string> watched_lists_;  // by workspace
  relay::Handshake handshake_ = relay::Handshake::Full;
  Life life_ = Life::Open;
  Reading reading_ = Reading::Early;
  Writing writing_ = Writing::Idle;
  bool read_only_ = false;
  bool paused_ = false;  // by the relay
  bool list_changed_ = false;  // since it was asked where the open notes are
  bool following_ = false;  // asks where they are; what comes meanwhile waits
  bool pinged_ = false;  // since the client was heard last
};

}  // namespace diaryx::server
