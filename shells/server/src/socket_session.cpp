#include "socket_session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include "diaryx/native/log.h"
#include "diaryx/sync/control.h"
#include "diaryx/sync/frame.h"
#include "note_finder.h"
#include "workspace_edits.h"

namespace diaryx::server {
namespace {

namespace asio = boost::asio;

// A browser cannot ping; the server finds dead connections itself and keeps proxies from closing quiet ones.
constexpr std::chrono::seconds kQuiet{60};  // then it is pinged
constexpr std::chrono::seconds kDead{120};  // then it is cut
constexpr std::chrono::seconds kSignInTime{10};
constexpr std::chrono::seconds kCloseTime{30};  // for the client to answer a close
constexpr std::chrono::seconds kFarewellTime{2};
constexpr size_t kSignInBytes = 64u << 10;
constexpr MessageLimits kSignInMessages{.binary_bytes = kSignInBytes, .text_bytes = kSignInBytes};
constexpr MessageLimits kMessages{.binary_bytes = relay::Limits{}.max_frame_bytes,
                                  .text_bytes = relay::Limits{}.max_text_bytes};
constexpr size_t kTlsBatchBytes = 16u << 10;

/// Of somebody who has nothing.
Bytes question_for_all() {
  Writer out;
  const Bytes nothing(1, 0);
  sync::write_message(out, sync::SyncStep1{nothing});
  return out.take();
}

}  // namespace

SocketSession::SocketSession(Transport transport, Services& services, std::unique_ptr<EditorWire> wire,
                             OpenConnections::Counted counted)
    : stream_(std::move(transport), services.sockets.poll(), *this),
      services_(services),
      wire_(std::move(wire)),
      counted_(std::move(counted)),
      heard_at_(SocketList::Clock::now()) {}

void SocketSession::go_on_to(Life next) {
  DX_ASSERT(next > life_);
  life_ = next;
}

void SocketSession::change(Reading from, Reading to) {
  DX_ASSERT(reading_ == from);
  reading_ = to;
}

void SocketSession::change(Writing from, Writing to) {
  DX_ASSERT(writing_ == from);
  writing_ = to;
}

void SocketSession::begin(const boost::beast::flat_buffer& early) {
  change(Reading::Early, Reading::Idle);
  ++services_.metrics.sockets_opened;
  services_.sockets.add(shared_from_this());
  const auto bytes = early.cdata();
  if (bytes.size() == 0) return read();
  Bytes copy(static_cast<const uint8_t*>(bytes.data()), static_cast<const uint8_t*>(bytes.data()) + bytes.size());
  received({}, copy);
}

void SocketSession::start(const boost::beast::flat_buffer& early, std::optional<Admission> admission,
                          relay::Handshake handshake, Authenticate authenticate) {
  handshake_ = handshake;
  if (admission) {
    admit(std::move(*admission));
  } else {
    authenticate_ = std::make_unique<Authenticate>(std::move(authenticate));
    deadline_ = heard_at_ + kSignInTime;
  }
  begin(early);
}

void SocketSession::refuse(const boost::beast::flat_buffer& early, std::string_view reason) {
  enqueue(Told{std::make_shared<const Bytes>(wire_->refused("", reason)), 0});
  close_with(kEditorUnauthorized, reason);
  begin(early);
}

void SocketSession::admit(Admission admission) {
  DX_ASSERT(grant_ == nullptr);
  read_only_ = admission.read_only;
  authenticate_.reset();
  if (reader_ != nullptr) reader_->set_limits(kMessages);
  auto principal = relay::share(std::move(admission.principal));
  grant_ = &services_.access.enter(admission.key, std::move(admission.workspace), admission.expires, principal);
  connection_ = services_.relay.opened(shared_from_this(), std::move(principal), handshake_);
  services_.access.add(*grant_, connection_);
}

// --- Reading

/// Waits for what the session wants to hear or is to send; may be called at any time.
void SocketSession::read() {
  if (is_over()) return;
  if (!stream_.is_tls()) {
    const int wanted = (listens() ? SocketPoll::kRead : 0) | (writing_ == Writing::UnderWay ? SocketPoll::kWrite : 0);
    if (!stream_.wait_for(static_cast<uint8_t>(wanted))) cut();
    return;
  }
  if (!listens()) return;
  change(Reading::Idle, Reading::UnderWay);
  stream_.async_receive([self = shared_from_this()](const boost::system::error_code& error, std::span<uint8_t> bytes) {
    self->change(Reading::UnderWay, Reading::Idle);
    self->received(error, bytes);
  });
}

void SocketSession::ready(bool readable, bool writable) {
  const auto self = shared_from_this();
  if (writable && writing_ == Writing::UnderWay) {
    change(Writing::UnderWay, Writing::Idle);
    flush();
  }
  if (is_over()) return;
  if (!readable || !listens()) return read();
  boost::system::error_code error;
  const auto bytes = stream_.receive_now(error);
  if (bytes) return received(error, *bytes);
  read();
}

void SocketSession::received(const boost::system::error_code& error, std::span<uint8_t> bytes) {
  if (error) {
    if (life_ == Life::Open) native::log().debug("connection {}: {}", connection_.value(), error.message());
    return end();
  }
  if (is_over()) return;  // over TLS it may have been on its way
  if (life_ == Life::Deaf) return read();
  heard_at_ = SocketList::Clock::now();
  pinged_ = false;
  if (reader_ == nullptr) {
    reader_ = std::make_unique<FrameReader>(grant_ != nullptr ? kMessages : kSignInMessages);
  }
  reader_->feed(bytes);
  try {
    take_what_came();
  } catch (const std::exception& exception) {
    end_by(exception);
  }
}

/// The rim: libraries may throw, one connection ends and no other.
void SocketSession::end_by(const std::exception& exception) {
  native::log().error("a connection ended by an exception: {}", exception.what());
  services_.relay.drop_gathered();
  cut();
}

void SocketSession::take_what_came() {
  services_.relay.gather();
  take_messages();
  services_.relay.take_gathered();
  if (reader_ != nullptr && reader_->is_between_frames()) reader_.reset();
  read();
}

void SocketSession::take_messages() {
  while (!is_over() && reader_ != nullptr) {
    if (reading_ == Reading::Asking || following_) return reader_->keep_rest();  // what was read is shared with others
    const auto message = reader_->next();
    if (!message) {
      // Nothing that follows can be read. Closing at once could take the close frame from the client's hands.
      close_with(static_cast<uint16_t>(message.error()), "a frame could not be read");
      deadline_ = SocketList::Clock::now() + kFarewellTime;
      if (!is_over()) go_on_to(Life::Deaf);
      return;
    }
    if (!*message) return;
    take(**message);
  }
}

void SocketSession::take(const WebSocketMessage& message) {
  switch (message.opcode) {
    case Opcode::Ping:
      // Of several pings only the last needs an answer, and somebody who does not read gets no more than one.
      if (outgoing_.holds_pong() || life_ != Life::Open) return;
      {
        auto body = std::make_shared<const Bytes>(to_bytes(message.bytes));
        push({body, body->data(), body->size(), Opcode::Pong});
      }
      return;
    case Opcode::Pong: return;
    case Opcode::Close: return take_close(message.bytes);
    default: break;
  }
  ++services_.metrics.messages_in;
  services_.metrics.bytes_in += message.bytes.size();
  if (life_ != Life::Open) return;
  const bool binary = message.opcode == Opcode::Binary;
  if (wire_ != nullptr) {
    if (binary) take_from_editor(message.bytes);
  } else if (binary) {
    services_.relay.received(connection_, to_bytes(message.bytes));
  } else {
    services_.relay.received(connection_, std::string(as_text(message.bytes)));
  }
}

void SocketSession::take_close(ByteView body) {
  if (life_ == Life::Open) {
    const uint16_t code = close_code_of(body);
    close_with(code == 1005 ? uint16_t{1000} : code, "");
  }
  // Both have said goodbye once ours is sent.
  deadline_ = SocketList::Clock::now();
  if (outgoing_.is_empty()) cut();
}

void SocketSession::take_from_editor(ByteView message) { hear_on(wire_->hear(message)); }

/// What is left of an editor's message; stops where something has to be waited for, which goes on from there.
void SocketSession::hear_on(Heard heard) {
  const auto rest_after = [&heard](size_t place) {
    return Heard(std::make_move_iterator(heard.begin() + static_cast<ptrdiff_t>(place) + 1),
                 std::make_move_iterator(heard.end()));
  };
  for (size_t i = 0; i < heard.size() && life_ == Life::Open; ++i) {
    auto& one = heard[i];
    if (auto* token = std::get_if<SignInWith>(&one)) {
      SignInWith with = std::move(*token);
      return ask(sign_in(std::move(with), rest_after(i)));
    }
    if (auto* answer = std::get_if<ToEditor>(&one)) {
      enqueue(Told{std::make_shared<const Bytes>(std::move(answer->message)), 0});
    } else if (grant_ == nullptr) {
      // Dropped: editors begin anew once they have signed in.
    } else if (auto* to_find = std::get_if<ToFind>(&one)) {
      ToFind note = std::move(*to_find);
      return ask(find(std::move(note), rest_after(i)));
    } else if (auto* frame = std::get_if<ToRelay>(&one)) {
      services_.relay.received(connection_, std::move(frame->frame));
    } else if (auto* text = std::get_if<ToRelayText>(&one)) {
      services_.relay.received(connection_, std::move(text->text));
    }
  }
}

/// Nothing is read until `question` has gone on with the rest.
void SocketSession::ask(asio::awaitable<void> question) {
  change(Reading::Idle, Reading::Asking);
  spawn(std::move(question));
}

/// In a turn of its own: where nothing has to be waited for, the answer would be heard within the message that asks, and so on, as deep
/// as messages were received together.
void SocketSession::spawn(asio::awaitable<void> question) {
  const auto executor = services_.sockets.executor();
  asio::post(executor, [executor, self = shared_from_this(), question = std::move(question)]() mutable {
    asio::co_spawn(executor, std::move(question), [self = std::move(self)](const std::exception_ptr& thrown) {
      if (thrown == nullptr) return;
      try {
        std::rethrow_exception(thrown);
      } catch (const std::exception& exception) {
        self->end_by(exception);
      }
    });
  });
}

void SocketSession::go_on_with(Heard rest) {
  change(Reading::Asking, Reading::Idle);
  services_.relay.gather();  // else the relay might have the next bytes read before the rest is heard
  hear_on(std::move(rest));
  follow_if_changed();
  take_what_came();
}

asio::awaitable<void> SocketSession::find(ToFind note, Heard rest) {
  const auto self = shared_from_this();
  if (life_ == Life::Ended) co_return;
  EditorNote found = co_await find_note(services_, grant_->key, note.by_path, note.payload);
  // Opened anew, its receipts count anew: those for what another note wrote into it come first.
  if (wire_->is_in(found.document)) co_await live_document(services_, DocId(found.document));
  if (life_ == Life::Open) {
    if (!found.workspace.empty()) watch_list(found.workspace);
    open_note(note.by_path, std::move(found), note.payload);
  }
  go_on_with(std::move(rest));
}

void SocketSession::watch_list(const std::string& workspace) {
  if (!watched_lists_.insert(workspace).second) return;
  services_.relay.watch_list(connection_, workspace);
  list_changed_ = true;  // perhaps, since it was looked at
}

/// Opens the document of a note with this message; anew if it is open for another note, so that the relay asks what this one has.
void SocketSession::open_note(const std::string& by_path, EditorNote note, ByteView message) {
  const std::string document = note.document;
  if (wire_->is_in(document)) services_.relay.received(connection_, sync::format_control(sync::Leave{document}));
  wire_->located(by_path, std::move(note), message);
  // What has an id that does not fit is refused by the relay, as a frame that cannot be read.
  auto frame = sync::encode_frame(document, message);
  services_.relay.received(connection_, frame ? std::move(*frame) : Bytes(1, 0xff));
}

void SocketSession::list_changed() {
  list_changed_ = true;
  follow_if_changed();
}

/// Not while something else is asked for: that goes on with this.
void SocketSession::follow_if_changed() {
  if (!list_changed_ || following_ || reading_ == Reading::Asking) return;
  list_changed_ = false;
  following_ = true;
  spawn(follow_notes());
}

/// Notes that have another document by now are opened there. The editor sees only that the text goes on: it is asked what it has, told
/// what it lacks, and asked who is at it.
asio::awaitable<void> SocketSession::follow_notes() {
  const auto self = shared_from_this();
  const auto open = wire_->notes();
  for (const auto& [by_path, before] : open) {
    EditorNote now = co_await follow_note(services_, before);
    if (life_ != Life::Open) break;
    const std::string document = now.document;
    if (document == before.document) wire_->learn(by_path, std::move(now.note));
    if (document == before.document || !wire_->notes().contains(by_path)) continue;  // or refused meanwhile
    open_note(by_path, std::move(now), question_for_all());
    if (!wire_->is_in(before.document))
      services_.relay.received(connection_, sync::format_control(sync::Leave{before.document}));
    if (auto query = sync::encode_frame(document, {sync::AwarenessQuery{}}))
      send(std::make_shared<const Bytes>(std::move(*query)));
  }
  following_ = false;
  follow_if_changed();
  take_what_came();
}

asio::awaitable<void> SocketSession::sign_in(SignInWith with, Heard rest) {
  const auto self = shared_from_this();
  if (life_ == Life::Ended) co_return;
  if (grant_ == nullptr) {
    auto admission = co_await (*authenticate_)(with.token);
    if (life_ != Life::Open) {
      // Too late.
    } else if (!admission) {
      const bool for_good = admission.error() == kEditorUnauthorized;
      const char* const reason =
          for_good ? "The token is not valid. Sign in again." : "The server cannot check the token now. Come back.";
      if (for_good) enqueue(Told{std::make_shared<const Bytes>(wire_->refused(with.name, reason)), 0});
      close_with(admission.error(), reason);
    } else {
      admit(std::move(*admission));
      enqueue(Told{std::make_shared<const Bytes>(wire_->accepted(with.name, read_only_)), 0});
    }
  } else if (grant_->key.kind == AccessKey::Kind::Token && sha256(with.token) != grant_->key.hash) {
    // One connection is one sign-in: a second token on it is somebody's mistake.
    enqueue(Told{std::make_shared<const Bytes>(wire_->refused(with.name, "Use one token per connection.")), 0});
  } else {
    enqueue(Told{std::make_shared<const Bytes>(wire_->accepted(with.name, read_only_)), 0});
  }
  go_on_with(std::move(rest));
}

void SocketSession::resume() {
  paused_ = false;
  read();
}

// --- Writing

void SocketSession::send(const relay::SharedBytes& frame) {
  if (wire_ == nullptr) return enqueue({frame, frame->data(), frame->size(), Opcode::Binary});
  for (const Told& told : wire_->tell(frame)) enqueue(told);
}

void SocketSession::send(const relay::SharedText& text) {
  if (wire_ == nullptr)
    return enqueue({text, reinterpret_cast<const uint8_t*>(text->data()), text->size(), Opcode::Text});
  for (const Told& told : wire_->tell(*text)) enqueue(told);
  if (wire_->is_over()) close_with(kEditorForbidden, "no access to this document");
}

void SocketSession::enqueue(const Told& told) {
  if (told.bytes->size() <= told.offset) return;
  enqueue({told.bytes, told.bytes->data() + told.offset, told.bytes->size() - told.offset, Opcode::Binary});
}

void SocketSession::enqueue(FrameQueue::Message message) {
  if (life_ != Life::Open) return;
  // A single message may be larger than the bound; a backlog may not.
  const uint64_t queued = outgoing_.size_bytes() + message.size_bytes + FrameQueue::kPerMessageBytes;
  if (queued > services_.options.socket_queue_bytes && !outgoing_.is_empty()) {
    native::log().warn("connection {} reads too slowly: cut with {} bytes waiting", connection_.value(), queued);
    ++services_.metrics.sockets_cut_slow;
    return cut();
  }
  ++services_.metrics.messages_out;
  services_.metrics.bytes_out += message.size_bytes;
  push(std::move(message));
}

void SocketSession::push(FrameQueue::Message message) {
  DX_ASSERT(life_ == Life::Open);
  outgoing_.push(std::move(message));
  if (writing_ != Writing::Idle) return;
  change(Writing::Idle, Writing::Gathering);
  services_.sockets.flush_soon(shared_from_this());
}

void SocketSession::flush() {
  DX_ASSERT(writing_ != Writing::UnderWay);
  writing_ = Writing::Idle;
  if (is_over() || outgoing_.is_empty()) return;
  stream_.is_tls() ? write_tls() : write_plain();
}

void SocketSession::write_plain() {
  FrameQueue::Parts parts;
  while (!outgoing_.is_empty()) {
    outgoing_.gather(parts);
    boost::system::error_code error;
    const size_t sent = stream_.send_now({parts.all.data(), parts.count}, error);
    if (error) return cut();
    outgoing_.take_sent(sent);
    if (sent == parts.size_bytes) continue;
    change(Writing::Idle, Writing::UnderWay);
    return read();
  }
  all_written();
}

void SocketSession::write_tls() {
  const auto some = outgoing_.copy_some(stream_.unsent(), kTlsBatchBytes);
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(stream_.unsent()),
                                                  asio::const_buffer(some.body.data(), some.body.size())};
  change(Writing::Idle, Writing::UnderWay);
  stream_.async_send(buffers,
                     [self = shared_from_this(), messages = some.messages](const boost::system::error_code& error) {
                       self->change(Writing::UnderWay, Writing::Idle);
                       if (error) return self->cut();
                       if (self->is_over()) return;  // it was sent all the same
                       self->outgoing_.pop(messages);
                       if (self->outgoing_.is_empty()) return self->all_written();
                       self->flush();
                     });
}

void SocketSession::all_written() {
  if (stream_.is_tls() && stream_.unsent().capacity() > 2 * kTlsBatchBytes) stream_.unsent() = Bytes();
  if (life_ == Life::Open) return;
  stream_.finish_sending();
  // The client has said goodbye before: there is nothing to wait for.
  if (deadline_ <= SocketList::Clock::now()) cut();
}

// --- The end

void SocketSession::close(relay::CloseCode code, const std::string& reason) {
  close_with(wire_ == nullptr ? static_cast<uint16_t>(code) : editor_close_code(code), reason);
}

void SocketSession::close_with(uint16_t code, std::string_view reason) {
  if (life_ != Life::Open) return;
  auto body = std::make_shared<const Bytes>(close_body(code, reason));
  push({body, body->data(), body->size(), Opcode::Close});
  go_on_to(Life::Closing);
  deadline_ = SocketList::Clock::now() + kCloseTime;
  paused_ = false;
  read();  // for the client's answer
}

void SocketSession::tick(SocketList::Clock::time_point now) {
  if (is_over()) return;
  if (life_ != Life::Open) {
    if (now >= deadline_) cut();
    return;
  }
  if (grant_ == nullptr && now >= deadline_) return close_with(kEditorUnauthorized, "nobody signed in");
  if (paused_) heard_at_ = now;  // it is we who do not listen
  const auto quiet = now - heard_at_;
  if (quiet >= kDead) {
    native::log().debug("connection {} was silent for too long", connection_.value());
    return cut();
  }
  if (quiet < kQuiet || pinged_) return;
  pinged_ = true;
  push({nullptr, nullptr, 0, Opcode::Ping});
}

void SocketSession::send_stranger_away() {
  if (grant_ == nullptr) close_with(static_cast<uint16_t>(relay::CloseCode::GoingAway), "the server is restarting");
}

void SocketSession::cut() {
  if (is_over()) return;
  go_on_to(Life::Cut);
  stream_.close();
  // Whoever called may be in the middle of something: the relay hears of it in a turn of its own.
  asio::post(services_.sockets.executor(), [self = shared_from_this()] { self->end(); });
}

void SocketSession::end() {
  if (life_ == Life::Ended) return;
  go_on_to(Life::Ended);
  stream_.close();
  // The queue stays as long as the session: what TLS is sending is read until its handler is called.
  services_.sockets.remove(*this);
  if (grant_ != nullptr) {
    services_.access.remove(*std::exchange(grant_, nullptr), connection_);
    for (const std::string& workspace : watched_lists_) services_.relay.unwatch_list(connection_, workspace);
    services_.relay.closed(connection_);
  }
  counted_.release();
}

}  // namespace diaryx::server
