// One document over one socket, in the words of the server that is asked: y-websocket's, Hocuspocus's or `/sync2`'s.
//
// All three carry the sync messages of y-protocols; only what stands in front of a message, and how a client signs in, differs.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "socket.h"

namespace diaryx::bench {

enum class WireKind : uint8_t { Yjs, Hocuspocus, Sync2 };

struct Target {
  WireKind kind = WireKind::Yjs;
  std::string path;  // in front of the document's name for Yjs, all of it otherwise
  std::string query;  // with `?`, or empty
  std::string prefix;  // in front of the document's name inside messages
  std::string token;  // Hocuspocus
};

/// What a seat was sent.
struct Update {
  ByteView bytes;  // v1; the head only, if more came than the loop keeps
  uint64_t size_bytes;  // of the whole message
  bool is_answer;  // to the first question: the document as it was
};

class Seat {
 public:
  /// Connects, signs in, asks for everything and answers the server's own question with nothing.
  Seat(Loop& loop, const Target& target, const std::string& document);
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;

  std::function<void(const Update&)> on_update;

  bool joined() const { return joined_; }
  void send_update(ByteView update);
  Socket& socket() { return socket_; }
  Instant began() const { return began_; }

 private:
  void ask();
  void take(const Incoming& message);
  void send_sync(uint8_t kind, ByteView bytes);

  Instant began_;
  Bytes front_;  // of every message
  Socket& socket_;
  WireKind kind_;
  bool joined_ = false;
};

/// Letters of one writer that an update holds.
struct Letters {
  uint64_t client;
  uint64_t begin;  // clocks
  uint64_t end;
};
/// All of them, client by client; servers may merge what several writers sent.
std::vector<Letters> letters_of(ByteView update);

/// Letter number `clock` of `client`'s own line in Y.Text `body`, as Yjs writes it: `clock` 0 begins the line.
Bytes letter(uint64_t client, uint64_t clock);

}  // namespace diaryx::bench
